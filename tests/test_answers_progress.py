"""How far a query is, on a terminal that waits for it."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tracelog.answers.progress import Progress


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    # Called by a test itself: what is captured is another stream while fixtures are made.
    return lambda: monkeypatch.setattr("sys.stderr.isatty", lambda: True)


def watched(progress):
    """Let a query end when it was asked twice how far it is."""
    work, asked = Future(), []

    def percent():
        asked.append(True)
        if len(asked) == 2:
            work.set_result(None)
        return -1.0 if len(asked) == 1 else 42.0  # DuckDB doesn't know at first

    progress.watch(work, percent)
    return work


def test_a_terminal_sees_a_bar(capsys, terminal):
    """What is done, and how far it is; standard output stays the answer's."""
    terminal()

    assert watched(Progress(patience_s=0)).done()

    out, err = capsys.readouterr()
    assert "reading" in err
    assert "42%" in err
    assert out == ""


def test_one_of_several_steps_is_named(capsys, terminal):
    """So that a bar that begins again is no surprise."""
    terminal()
    progress = Progress(patience_s=0)
    progress.step("holds")

    watched(progress)

    assert "reading: holds" in capsys.readouterr().err


def test_a_pipe_sees_nothing(capsys):
    """And the query is waited for elsewhere."""
    assert not watched(Progress(patience_s=0)).done()
    assert capsys.readouterr() == ("", "")


def test_what_is_over_soon_needs_no_bar(capsys, terminal):
    """It would only flicker."""
    terminal()
    work = Future()
    work.set_result(None)

    Progress().watch(work, lambda: 0.0)

    assert capsys.readouterr() == ("", "")
