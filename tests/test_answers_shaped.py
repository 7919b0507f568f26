"""A source that is followed, in our shape."""

from __future__ import annotations

import json

import pytest

from tracelog.answers.shaped import Shaped


OURS = b'{"timestamp":"2026-11-22T10:00:00Z","level":"info","logger":"a","event":"e"}'


class Given:
    """A source with some lines at a time."""

    name = "app.log"
    is_there = True

    def __init__(self, *batches):
        self._batches = list(batches)
        self.closed = False

    @property
    def ended(self):
        return not self._batches

    def read(self):
        return self._batches.pop(0)

    def close(self):
        self.closed = True


def docker(text):
    return json.dumps({"log": text, "stream": "stdout", "time": "t"}).encode()


def test_lines_of_ours_go_through_untouched():
    """Byte for byte; so does what is no JSON."""
    source = Given([OURS, b" oops"], [b"bye"])
    shaped = Shaped(source)

    assert (shaped.name, shaped.is_there, shaped.ended) == ("app.log", True, False)
    assert shaped.read() == [OURS, b" oops"]
    assert shaped.read() == [b"bye"]
    assert shaped.ended
    shaped.close()
    assert source.closed


def test_wrapped_lines_are_unwrapped_and_pieces_joined():
    """One that has no end is shown at the end."""
    text = OURS.decode()
    shaped = Shaped(
        Given([docker("hi\n"), docker(text[:9])], [docker(text[9:] + "\n"), docker("x")])
    )

    assert shaped.read() == [b"hi"]
    assert shaped.read() == [OURS, b"x"]
    assert shaped.shape.about == "Docker's json-file"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (
            {"asctime": "2026-11-22 10:00:00,123", "message": "m"},
            {"timestamp": "2026-11-22 10:00:00.123", "level": "info", "logger": "-", "event": "m"},
        ),
        ({"message": "m", "name": "a"}, {"event": "m", "logger": "a"}),
    ],
)
def test_keys_are_called_as_ours(theirs, ours):
    """Without a time, or an event, it is no line that could be drawn; the rest isn't needed."""
    (line,) = Shaped(Given([json.dumps(theirs).encode()])).read()

    assert json.loads(line) == {**theirs, **ours}


def test_what_is_no_json_has_no_keys():
    """In a file of whatever shape, and with whatever mapping."""
    shaped = Shaped(Given([b"oops", b'{"message":"m","usr":"kim"}']), (("user_id", "usr"),))

    assert shaped.read() == [b"oops", b'{"message": "m", "usr": "kim", "user_id": "kim"}']
