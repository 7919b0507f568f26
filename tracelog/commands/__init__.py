"""The commands of `tracelog`, a module each, loaded only when it is used.

A command module offers `HELP`, `configure(parser)` and `run(args) -> exit code`.
"""

from __future__ import annotations


__all__: list[str] = []
