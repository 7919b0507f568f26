"""Exceptions, as data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.tracebacks import exc_info_of, exception_data, exception_text


HERE = __file__


class AppError(Exception):
    pass


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")


class Hostile(Exception):
    """Its own code raises wherever it is looked at."""

    @property
    def __cause__(self):
        raise RuntimeError("no")

    def __str__(self):
        raise RuntimeError("no")


def caught(function):
    try:
        function()
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("it raised nothing")


def shape(entries):
    """Entries without their frames, which the tests of frames look at."""
    return [
        {
            **{key: value for key, value in entry.items() if key != "frames"},
            **(
                {"exceptions": [shape(member) for member in entry["exceptions"]]}
                if "exceptions" in entry
                else {}
            ),
        }
        for entry in entries
    ]


def entry(error, **more):
    return {"type": type(error).__name__, "message": str(error), **more}


# -- exc_info --------------------------------------------------------------------------------------


def test_exc_info_is_read_from_an_exception_or_a_triple():
    """Both are what callers pass as `exc_info`."""
    error = caught(lambda: 1 / 0)
    expected = (ZeroDivisionError, error, error.__traceback__)

    assert exc_info_of(error) == expected
    assert exc_info_of((ZeroDivisionError, error, error.__traceback__)) == expected


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="None"),
        pytest.param(True, id="True"),
        pytest.param((None, None, None), id="no exception is being handled"),
        pytest.param((1, 2), id="a pair"),
        pytest.param("error", id="text"),
        pytest.param(ValueError, id="a class"),
    ],
)
def test_what_is_no_exception_is_none(value):
    """Whatever a caller passes, nothing raises."""
    assert exc_info_of(value) is None


# -- Data ------------------------------------------------------------------------------------------


def test_an_exception_is_described():
    """Its type with its module, its message, and where it was: outermost frame first."""

    def inner():
        raise AppError("no room")

    error = caught(inner)

    line = inner.__code__.co_firstlineno
    assert exception_data(error) == [
        {
            "type": f"{__name__}.AppError",
            "message": "no room",
            "frames": [
                {
                    "file": HERE,
                    "line": caught.__code__.co_firstlineno + 2,
                    "function": "caught",
                },
                {
                    "file": HERE,
                    "line": line + 1,
                    "function": "test_an_exception_is_described.<locals>.inner",
                },
            ],
        }
    ]


def test_an_exception_that_was_never_raised_has_no_frames():
    """There is no place to tell; a builtin's type needs no module."""
    assert exception_data(ValueError("no")) == [
        {"type": "ValueError", "message": "no", "frames": []}
    ]


def test_a_cause_follows_what_it_caused():
    """`raise … from …` links as cause."""
    error, cause = ValueError("a"), KeyError("b")
    error.__cause__ = cause

    assert shape(exception_data(error)) == [entry(error), entry(cause, link="cause")]


def test_a_context_follows_what_happened_in_it():
    """An exception raised while another was handled links as context."""
    error, context = ValueError("a"), KeyError("b")
    error.__context__ = context

    assert shape(exception_data(error)) == [entry(error), entry(context, link="context")]


def test_a_suppressed_context_is_left_out():
    """`raise … from None` means just that."""
    error = ValueError("a")
    error.__context__ = KeyError("b")
    error.__suppress_context__ = True

    assert shape(exception_data(error)) == [entry(error)]


def test_notes_are_told():
    """`add_note` adds to an entry; what isn't text becomes text."""
    error = ValueError("a")
    error.add_note("first")
    error.__notes__.append(2)

    assert shape(exception_data(error)) == [entry(error, notes=["first", "2"])]


def test_notes_that_are_no_list_are_left_out():
    """Anybody can set the attribute."""
    error = ValueError("a")
    error.__notes__ = "text"

    assert shape(exception_data(error)) == [entry(error)]


def test_a_group_tells_its_members():
    """A list for each, with causes of its own."""
    first, second = ValueError("a"), KeyError("b")
    first.__cause__ = OSError("c")
    group = ExceptionGroup("g", [first, second])

    assert shape(exception_data(group)) == [
        {
            "type": "ExceptionGroup",
            "message": "g (2 sub-exceptions)",
            "exceptions": [
                [entry(first), entry(first.__cause__, link="cause")],
                [entry(second)],
            ],
        }
    ]


def test_an_unprintable_message():
    """An exception whose own code fails is told all the same."""
    assert exception_data(Unprintable())[0]["message"] == "<unprintable Unprintable object>"


def test_an_exception_that_can_not_be_looked_at():
    """What can be told without its own code is told, its causes not."""
    error = caught(lambda: (_ for _ in ()).throw(Hostile()))
    error.__context__ = ValueError("a")

    (told,) = exception_data(error)

    assert told["type"] == f"{__name__}.Hostile"
    assert told["message"] == "<unprintable Hostile object>"
    assert told["frames"][0]["function"] == "caught"


# -- Bounds ----------------------------------------------------------------------------------------


FURTHER = {"type": "…", "message": "and further exceptions", "frames": []}


def test_a_chain_that_bites_its_tail_ends():
    """Each exception is told once."""
    error, cause = ValueError("a"), KeyError("b")
    error.__cause__, cause.__cause__ = cause, error

    assert shape(exception_data(error)) == [entry(error), entry(cause, link="cause")]


@pytest.mark.parametrize(
    ("length", "told"),
    [pytest.param(20, 20, id="as long as may be"), pytest.param(21, 21, id="too long")],
)
def test_a_long_chain_is_cut(length, told):
    """Twenty are told, and that there are more if there are."""
    errors = [ValueError(number) for number in range(length)]
    for error, cause in zip(errors, errors[1:], strict=False):
        error.__cause__ = cause

    entries = exception_data(errors[0])

    assert len(entries) == told
    assert (entries[-1] == FURTHER) is (length > 20)


def test_of_many_frames_the_innermost_are_told():
    """A recursion's last fifty say more than its first thousand."""

    def descend(levels):
        return descend(levels - 1) if levels else 1 / 0

    entries = exception_data(caught(lambda: descend(200)))

    frames = entries[0]["frames"]
    assert len(frames) == 50
    assert {frame["function"].rpartition(".")[2] for frame in frames} == {"descend"}


def test_of_many_notes_and_members_the_first_are_told():
    """Twenty of each."""
    group = ExceptionGroup("g", [ValueError(number) for number in range(30)])
    for number in range(30):
        group.add_note(str(number))

    (told,) = exception_data(group)

    assert told["notes"] == [str(number) for number in range(20)]
    assert [member[0]["message"] for member in told["exceptions"]] == told["notes"]


def test_groups_of_groups_are_bounded_together():
    """Two hundred entries in all: members of members don't multiply."""
    error = ValueError("a")
    for _ in range(4):
        error = ExceptionGroup("g", [error] * 20)

    def count(entries):
        return sum(
            1 + sum(map(count, told.get("exceptions", ()))) for told in entries if told != FURTHER
        )

    assert count(exception_data(error)) == 200


def test_deep_groups_are_cut():
    """Below the fifth level, a group's members aren't told."""
    error = ValueError("a")
    for number in range(7):
        error = ExceptionGroup(f"g{number}", [error])

    levels, entries = 0, exception_data(error)
    while "exceptions" in entries[0]:
        levels, entries = levels + 1, entries[0]["exceptions"][0]

    assert levels == 5
    assert entries[0]["message"] == "g1 (1 sub-exception)"


# -- Text ------------------------------------------------------------------------------------------


def test_text_is_what_the_interpreter_writes():
    """With the innermost frames, without the final newline."""
    namespace = {}
    exec(compile("def fail():\n    raise ValueError('no')\n", "app.py", "exec"), namespace)
    error = caught(namespace["fail"])
    error.__traceback__ = error.__traceback__.tb_next  # without this file's frame

    assert exception_text(error) == (
        'Traceback (most recent call last):\n  File "app.py", line 2, in fail\nValueError: no'
    )


def test_text_of_a_message_that_utf8_has_no_bytes_for():
    """Lone surrogates are escaped: the text can be written anywhere."""
    assert exception_text(ValueError("a\udc80")) == "ValueError: a\\udc80"


def test_text_of_an_exception_that_can_not_be_looked_at():
    """If the interpreter's way fails, ours tells what can be told."""
    assert exception_text(Hostile()) == f"{__name__}.Hostile: <unprintable Hostile object>"


# -- Laws ------------------------------------------------------------------------------------------


messages = st.text(st.characters(), max_size=10)
errors = st.recursive(
    st.builds(ValueError, messages) | st.builds(Unprintable) | st.builds(Hostile),
    lambda inner: st.builds(ExceptionGroup, messages, st.lists(inner, min_size=1, max_size=4)),
    max_leaves=10,
)


@given(errors, st.none() | errors, st.lists(messages))
def test_any_exception_becomes_json(error, cause, notes):
    """Never raises; the data are JSON's, and the text is text."""
    error.__context__ = cause
    error.__notes__ = notes

    data, text = exception_data(error), exception_text(error)

    assert json.loads(json.dumps(data)) == data
    assert text.encode()
