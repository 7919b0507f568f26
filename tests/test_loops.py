"""Whether a loop is running."""

from __future__ import annotations

import asyncio
import sys
import threading

from tracelog.loops import on_loop


def test_outside_a_loop():
    """Plain code holds up nobody."""
    assert on_loop() is False


def test_inside_a_loop():
    """A task, and what it calls, runs on a loop."""

    async def main():
        return on_loop()

    assert asyncio.run(main()) is True


def test_in_a_thread_beside_a_loop():
    """A thread that a task started has no loop of its own."""

    async def main():
        return await asyncio.to_thread(on_loop)

    assert asyncio.run(main()) is False


def test_in_a_process_that_never_loaded_asyncio(monkeypatch):
    """Nobody runs a loop who hasn't loaded asyncio, and asking doesn't load it."""
    monkeypatch.delitem(sys.modules, "asyncio")

    assert on_loop() is False
    assert "asyncio" not in sys.modules


def test_every_thread_answers_for_itself():
    """A loop in another thread is none in this one."""
    answers = []

    async def main():
        answers.append(on_loop())

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    thread.join()
    answers.append(on_loop())

    assert answers == [True, False]
