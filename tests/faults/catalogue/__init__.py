"""The faults, by what goes wrong. Each is a class; its docstring is what is promised in spite of it."""
