"""A traceback as rich draws it: width-aware, without locals. It takes milliseconds."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Final

from pygments import token  # type: ignore[import-untyped]
from rich.console import Console
from rich.style import Style
from rich.syntax import ANSISyntaxTheme
from rich.traceback import Trace, Traceback

from tracelog.escapes import printable
from tracelog.packages import is_users
from tracelog.tracebacks import ExcInfo, exception_text


__all__ = ["render"]

_WIDTH: Final = 120  # past that, the eye loses the line
_CODE_WIDTH: Final = 100
# A long text is wrapped, and would begin where our lines begin: with the time.
_LIKE_OURS: Final = re.compile(r"^(?=(?:\x1b\[[0-9;]*m)*\d)", re.MULTILINE)
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
_EMPTY: Final = re.compile(r"│ +│")
_SOURCE: Final = re.compile(r"│ [❱ ] *\d+ ")
# rich's own themes are made for a dark ground or for a light one.
_THEME: Final = ANSISyntaxTheme(
    {
        token.Token: Style(),
        token.Comment: Style.parse("color(244)"),
        token.Keyword: Style.parse("color(32)"),
        token.Operator.Word: Style.parse("color(32)"),
        token.Name.Builtin: Style.parse("color(30)"),
        token.Name.Exception: Style.parse("color(30)"),
        token.Name.Function: Style.parse("color(28)"),
        token.Name.Class: Style.parse("color(28)"),
        token.String: Style.parse("color(100)"),
        token.Number: Style.parse("color(133)"),
    }
)


def render(exc_info: ExcInfo, *, width: int, colors: bool, mask: Callable[[str], str]) -> str:
    """Draw *exc_info*, its texts masked; if rich can't, write it as the interpreter would."""
    try:
        return _drawn(exc_info, width=width, colors=colors, mask=mask)
    except Exception:  # noqa: BLE001 -- an exception's own code may raise anything
        lines = mask(exception_text(exc_info[1])).splitlines()
        return "\n".join(f"    {printable(line)}" for line in lines)


def _drawn(exc_info: ExcInfo, *, width: int, colors: bool, mask: Callable[[str], str]) -> str:
    trace = Traceback.extract(*exc_info, show_locals=False)
    _make_printable(trace, mask)
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colors,
        color_system="256" if colors else None,
        no_color=not colors,
        legacy_windows=False,
    )
    files = {frame.filename for stack in trace.stacks for frame in stack.frames}
    libraries = {file for file in files if not is_users(file)}
    drawing = Traceback(
        trace,
        width=min(width, _WIDTH),
        code_width=_CODE_WIDTH,
        extra_lines=1,
        theme=_THEME,  # type: ignore[arg-type]  # Syntax, which gets it, takes either
        max_frames=20,
        # Of a library's frames the place is enough, if there are others.
        suppress=libraries if files > libraries else (),
    )
    with console.capture() as capture:
        console.print(drawing)
    return _LIKE_OURS.sub("    ", _closed_up(capture.get().rstrip("\n")))


def _closed_up(drawn: str) -> str:
    """Take out the empty rows between frames of which only the place is shown: they are many."""
    rows = drawn.split("\n")
    plain = [_ANSI.sub("", row) for row in rows]
    return "\n".join(
        row
        for number, row in enumerate(rows)
        if not _EMPTY.fullmatch(plain[number])
        or any(map(_SOURCE.match, plain[number - 1 : number + 2]))
    )


def _make_printable(trace: Trace, mask: Callable[[str], str]) -> None:
    """Escape what the exception's maker controls: rich passes control characters on."""
    for stack in trace.stacks:
        stack.exc_type = printable(stack.exc_type)
        stack.exc_value = _indented(mask(stack.exc_value))
        wrong = stack.syntax_error
        if wrong is not None:
            wrong.filename, wrong.line = (
                printable(wrong.filename),
                printable(mask(wrong.line.rstrip())),
            )
            wrong.msg = _indented(mask(wrong.msg))
        for frame in stack.frames:
            frame.filename, frame.name = printable(frame.filename), printable(frame.name)
        # Fields that rich 13 doesn't have yet.
        notes = stack.__dict__.get("notes", ())
        stack.__dict__["notes"] = [_indented(mask(str(note))) for note in notes]
        for inner in stack.__dict__.get("exceptions", ()):
            _make_printable(inner, mask)


def _indented(text: str) -> str:
    """Keep the lines of *text* apart, but let none begin where ours begin."""
    return "\n    ".join(map(printable, text.split("\n")))
