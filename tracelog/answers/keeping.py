"""Keeping what a question has read, in a process of its own: whoever asked goes on meanwhile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from tracelog.answers.cache import Cache
from tracelog.answers.embedded import Embedded
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import VIEWS


__all__ = ["keep", "start"]

_CODE: Final = f"import os, sys; os.nice(10); from {__name__} import keep; keep(sys.argv[1])"
_NOWHERE: Final = [
    (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, flags, 0)
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))
]


def start(
    names: Sequence[str], maps: Sequence[tuple[str, str]], views: Sequence[str]
) -> int | None:
    """Begin to keep *views* of the logs that *names* name; tell by which process.

    It is never a reason to fail, and nobody waits for it: a terminal may be closed, and Ctrl-C is
    for whoever runs there by then.
    """
    task = json.dumps([[*names], [*maps], [*views]])
    command = [sys.executable, "-P", "-c", _CODE, task]
    with suppress(OSError, NotImplementedError):
        return os.posix_spawn(
            sys.executable, command, os.environ, file_actions=_NOWHERE, setsid=True
        )

    return None


def keep(task: str) -> None:
    """Do what `start` has asked for."""
    names, maps, views = json.loads(task)
    with Spool() as spool:
        sources = open_sources(names, spool, None)
        log = Log(sources, spool, tuple((ours, theirs) for ours, theirs in maps))
        Embedded(log, Cache.of_user()).keep(VIEWS[view] for view in views)
