"""The rules that a logging configuration is checked against, one file per part of it.

Every rule is a generator of `Finding`s over a `Draft`. A rule reads; it opens no file, builds no
handler and changes nothing. What it may do is import the modules that a configuration names.
"""
