"""The answering side: it knows the file format, and nothing of logging."""
