"""Tracebacks, as rich draws them."""

from __future__ import annotations

import heapq
import json
import re
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.traceback import Traceback

from tracelog.rich_traceback import render
from tracelog.tracebacks import exc_info_of


ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Hostile(Exception):
    """Its own code raises where rich looks."""

    @property
    def __cause__(self):
        raise RuntimeError("no")


def raised(
    error, source="def fail(error):\n    secret = 'hunter2'\n    raise error\n", file="<app>"
):
    """What `sys.exc_info` tells of *error*, raised by *source*."""
    namespace = {}
    exec(compile(source, file, "exec"), namespace)
    try:
        namespace["fail"](error)
    except BaseException as caught:  # noqa: BLE001
        caught.__traceback__ = caught.__traceback__.tb_next  # without this file's frame
        return exc_info_of(caught)
    raise AssertionError("it raised nothing")


def test_an_exception_is_drawn():
    """Where it was, what it is, as wide as the terminal."""
    drawn = render(raised(ValueError("no room")), width=60, colors=False, mask=str)

    assert drawn == (
        "╭─────────── Traceback (most recent call last) ────────────╮\n"
        "│ in fail:3                                                │\n"
        "╰──────────────────────────────────────────────────────────╯\n"
        "ValueError: no room"
    )


def test_the_source_is_shown_around_the_line(tmp_path):
    """One line before, one after; local variables aren't shown."""
    source = (
        "def fail(error):\n    secret = 'hunter2'\n    raise error\n    return secret\n\nlast = 1\n"
    )
    file = tmp_path / "app.py"
    file.write_text(source)

    drawn = render(
        raised(ValueError("no room"), source, str(file)), width=200, colors=False, mask=str
    )

    code = [line.strip("│ ") for line in drawn.splitlines()[3:6]]
    assert code == ["2 │   secret = 'hunter2'", "❱ 3 │   raise error", "4 │   return secret"]
    assert drawn.count("hunter2") == 1


def drawn_of(func, *, since=0, colors=False):
    """What is drawn of the ValueError that *func* raises, without its first frames."""
    with pytest.raises(ValueError, match="no room|same length") as caught:
        func()
    error = caught.value
    for _ in range(since):
        error.__traceback__ = error.__traceback__.tb_next
    return render(exc_info_of(error), width=120, colors=colors, mask=str)


def test_of_a_librarys_frame_only_the_place_is_shown():
    """A server's and a framework's are many, and nobody's own."""

    def key(_):
        raise ValueError("no room")

    drawn = drawn_of(lambda: heapq.nlargest(2, [1], key=key))

    assert "heapq.py" in drawn
    assert drawn.count("❱") == 3  # ours: the lambda, what is around it, and in it


@pytest.mark.parametrize("colors", [False, True])
def test_places_alone_stand_close_together(colors):
    """A server's and a framework's would fill two screens."""

    def fail(_):
        raise ValueError("no room")

    def parse():
        json.loads("{}", object_hook=fail)

    drawn = drawn_of(parse, colors=colors)

    rows = [ANSI.sub("", row).strip("│ ") for row in drawn.splitlines()]
    [first] = [number for number, row in enumerate(rows) if "json/__init__.py" in row]
    assert rows[first - 1] == ""  # between source and place
    assert [row.partition(":")[0][-10:] for row in rows[first + 1 : first + 3]] == [
        "decoder.py",
        "decoder.py",
    ]


def test_an_installed_service_is_the_users_own(monkeypatch, tmp_path):
    """`pip install .`: its source is shown, and a library's isn't."""
    monkeypatch.setattr("tracelog.packages._OWN", {"own"})
    folder = tmp_path / "site-packages" / "own"
    folder.mkdir(parents=True)
    source = "def fail(error):\n    raise error\n"
    (folder / "shop.py").write_text(source)
    own = {}
    exec(compile(source, str(folder / "shop.py"), "exec"), own)

    def key(_):
        own["fail"](ValueError("no room"))

    drawn = drawn_of(lambda: heapq.nlargest(2, [1], key=key))

    assert "❱ 2 │   raise error" in drawn
    assert drawn.count("❱") == 4  # and ours


def test_where_all_is_a_librarys_its_source_is_shown():
    """An application may be installed itself."""
    drawn = drawn_of(lambda: statistics.fmean([1], weights=[1, 2]), since=2)

    assert "statistics.py" in drawn
    assert "❱" in drawn


def test_groups_and_notes_are_drawn():
    """Members in boxes of their own; the further lines of a text are indented."""
    group = ExceptionGroup("two things", [ValueError("a"), OSError("b")])
    group.add_note("first line\nsecond line")

    drawn = render(raised(group), width=40, colors=False, mask=str)

    assert drawn == (
        "╭─ Traceback (most recent call last) ──╮\n"
        "│ in fail:3                            │\n"
        "╰──────────────────────────────────────╯\n"
        "ExceptionGroup: two things (2 \n"
        "sub-exceptions)\n"
        "[NOTE] first line\n"
        "    second line\n"
        "\n"
        "╭────────── Sub-exception #1 ──────────╮\n"
        "│ ValueError: a                        │\n"
        "╰──────────────────────────────────────╯\n"
        "\n"
        "╭────────── Sub-exception #2 ──────────╮\n"
        "│ OSError: b                           │\n"
        "╰──────────────────────────────────────╯"
    )


@pytest.mark.parametrize(("given_width", "width"), [(40, 40), (120, 120), (300, 120)])
def test_the_box_is_as_wide_as_can_be_read(given_width, width):
    """Narrow terminals get a narrow box; past 120 columns the eye loses the line."""
    drawn = render(raised(ValueError("no")), width=given_width, colors=False, mask=str)

    assert len(drawn.splitlines()[0]) == width


def test_colours_only_add_to_the_text():
    """Without colours there is no escape sequence at all; with them, nothing else differs."""
    exc_info = raised(ValueError("no room"))
    plain = render(exc_info, width=60, colors=False, mask=str)
    colored = render(exc_info, width=60, colors=True, mask=str)

    assert "\x1b" not in plain
    assert "\x1b" in colored
    assert ANSI.sub("", colored) == plain


def test_what_an_exception_says_can_not_drive_the_terminal():
    """Controls in its type, message, notes, file and function are shown as escapes."""
    error = type("Bad\x1b[1m", (ValueError,), {})("a\x1b[2J\nb\u202e")
    error.add_note("c\x9b2J")
    source = "def fail(error):\n    raise error\n"

    drawn = render(raised(error, source, "<app\x1b[2J>"), width=60, colors=False, mask=str)

    assert drawn.splitlines()[-3:] == [
        r"Bad\x1b[1m: a\x1b[2J",
        r"    b\u202e",
        r"[NOTE] c\x9b2J",
    ]
    assert "\x1b" not in drawn


@pytest.mark.parametrize("colors", [True, False])
@pytest.mark.parametrize("time", ["12:00:00.000", "１２:00:00.000"])  # noqa: RUF001 -- it only looks so
def test_a_text_that_is_wrapped_begins_no_line_like_ours(colors, time):
    """It is as long as its maker likes, so that any of it may begin the next line."""
    text = "x" * 45 + f" {time} info  app  all is well"

    drawn = ANSI.sub("", render(raised(ValueError(text)), width=60, colors=colors, mask=str))

    assert f"\n    {time} info" in drawn
    assert not re.search(r"^\d", drawn, re.MULTILINE)


def test_a_syntax_error_is_drawn():
    """The line, where it is wrong, and why; controls in it are shown as escapes."""
    source = "def fail(_):\n    compile('x = \\x1b[2J', '<odd\\x1b>', 'exec')\n"

    drawn = render(raised(None, source), width=60, colors=False, mask=str)

    assert drawn == (
        "╭─────────── Traceback (most recent call last) ────────────╮\n"
        "│ in fail:2                                                │\n"
        "╰──────────────────────────────────────────────────────────╯\n"
        "╭──────────────────────────────────────────────────────────╮\n"
        "│ x = \\x1b[2J                                              │\n"
        "│     ▲                                                    │\n"
        "╰──────────────────────────────────────────────────────────╯\n"
        "SyntaxError: invalid non-printable character U+001B"
    )


def test_what_rich_can_not_draw_is_written():
    """As the interpreter would, or as far as it can be told; indented, controls escaped."""
    drawn = render(exc_info_of(Hostile("a\x1b[2J\nb")), width=60, colors=True, mask=str)

    assert drawn == f"    {__name__}.Hostile: a\\x1b[2J\n    b"


def test_a_rich_without_notes_and_groups(monkeypatch):
    """rich 13 tells neither; what it tells is drawn."""
    extract = Traceback.extract

    def extract_as_rich_13_does(*args, **options):
        trace = extract(*args, **options)
        for stack in trace.stacks:
            del stack.__dict__["notes"], stack.__dict__["exceptions"]
        return trace

    monkeypatch.setattr(Traceback, "extract", extract_as_rich_13_does)

    assert render(raised(ValueError("no")), width=60, colors=False, mask=str).endswith(
        "\nValueError: no"
    )


messages = st.text(st.characters(), max_size=20)


@settings(max_examples=50)
@given(
    st.builds(ValueError, messages) | st.builds(Hostile, messages),
    st.lists(messages, max_size=2),
    st.integers(1, 200),
    st.booleans(),
)
def test_drawing_never_raises(error, notes, width, colors):
    """Whatever it says and however narrow the terminal; only colours are sent there."""
    error.__notes__ = notes

    drawn = render(raised(error), width=width, colors=colors, mask=str)

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ANSI.sub("", drawn))


def test_what_an_exception_says_is_masked():
    """Its text, its notes, and the line of a syntax error, also where rich can't draw."""
    error = SyntaxError("secret", ("<app>", 1, 1, "secret = 1\n"))
    error.add_note("secret")

    def mask(text):
        return text.replace("secret", "[redacted]")

    drawn = render(raised(error), width=60, colors=False, mask=mask)
    written = render(exc_info_of(Hostile("secret")), width=60, colors=False, mask=mask)

    assert "secret" not in drawn + written
    assert "[redacted]" in drawn
