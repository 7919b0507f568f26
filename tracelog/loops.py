"""Whether this thread is running an event loop right now."""

from __future__ import annotations

import sys


__all__ = ["on_loop"]


def on_loop() -> bool:
    """Tell whether the caller would hold up an event loop by taking its time."""
    asyncio = sys.modules.get("asyncio")  # nobody runs a loop who hasn't loaded it
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001
