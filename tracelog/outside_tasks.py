"""Lines made outside of tasks, by protocols and by the loop: one switch, for the whole process."""

from __future__ import annotations

from tracelog import connections, unhandled
from tracelog.patches import Patches


__all__ = ["follow", "is_followed", "release"]

_patches = Patches((*connections.TARGETS, *unhandled.TARGETS))


def follow() -> None:
    """Let these lines carry the trace and the connection that they are about."""
    _patches.apply()


def release() -> None:
    """Leave them as they were."""
    _patches.undo()


def is_followed() -> bool:
    """Tell whether it is switched on."""
    return _patches.applied
