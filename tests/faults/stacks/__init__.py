"""Stacks under test, each a module of functions: tracelog, and what people use today.

Every one has `setup(sink, console=)`, `get_logger(name)` and `read(line)`: event, level and fields
of a parsed line. What else one has decides which faults it is judged by.
"""
