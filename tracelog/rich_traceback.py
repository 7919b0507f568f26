"""A traceback as rich draws it: width-aware, without locals. It takes milliseconds."""

from __future__ import annotations

import io

from rich.console import Console
from rich.traceback import Trace, Traceback

from tracelog.terminal import printable
from tracelog.tracebacks import ExcInfo, exception_text


__all__ = ["render"]


def render(exc_info: ExcInfo, *, width: int, colors: bool) -> str:
    """Draw *exc_info*; if rich can't, write it as the interpreter would."""
    try:
        return _drawn(exc_info, width=width, colors=colors)
    except Exception:  # noqa: BLE001 -- an exception's own code may raise anything
        lines = exception_text(exc_info[1]).splitlines()
        return "\n".join(f"    {printable(line)}" for line in lines)


def _drawn(exc_info: ExcInfo, *, width: int, colors: bool) -> str:
    trace = Traceback.extract(*exc_info, show_locals=False)
    _make_printable(trace)
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colors,
        color_system="256" if colors else None,
        no_color=not colors,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(Traceback(trace, width=width, show_locals=False, max_frames=20))
    return capture.get().rstrip("\n")


def _make_printable(trace: Trace) -> None:
    """Escape what the exception's maker controls: rich passes control characters on."""
    for stack in trace.stacks:
        stack.exc_type = printable(stack.exc_type)
        stack.exc_value = _indented(stack.exc_value)
        for frame in stack.frames:
            frame.filename, frame.name = printable(frame.filename), printable(frame.name)
        # Fields that rich 13 doesn't have yet.
        stack.__dict__["notes"] = [_indented(str(note)) for note in stack.__dict__.get("notes", ())]
        for inner in stack.__dict__.get("exceptions", ()):
            _make_printable(inner)


def _indented(text: str) -> str:
    """Keep the lines of *text* apart, but let none begin where ours begin."""
    return "\n    ".join(map(printable, text.split("\n")))
