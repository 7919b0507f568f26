"""Utterances that have ended leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from weakref import ref

import pytest
import uvloop

from tracelog.context import current_context
from tracelog.latency.loop import watch_loop
from tracelog.latency.spans import span, utterance


UTTERANCES, AT_ONCE = 2_000, 50
FEW = 100  # objects; one for each utterance would be thousands


async def handle():
    with utterance(user_id="kim"), span("llm"):
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


async def objects_after_many(watch):
    for _ in range(UTTERANCES // AT_ONCE):
        await asyncio.gather(*(handle() for _ in range(AT_ONCE)))
    watch.steps.recent.clear()  # the latest steps that weren't short are kept: thousands at most
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("loop_factory", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_memory_does_not_grow_with_utterances(loop_factory):
    """The second half of them needs what the first has needed."""

    async def main():
        watch = watch_loop(hold_ms=60_000)
        before, after = await objects_after_many(watch), await objects_after_many(watch)
        assert not watch.open
        watch.stop()
        return after - before

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main()) < FEW


def test_an_utterance_that_has_ended_is_gone_at_once():
    """No garbage collector has to look for it: its ledger isn't part of a cycle."""
    gc.disable()
    try:
        with utterance(), span("llm"):
            ledger = ref(current_context().ledger.root)

        assert ledger() is None
    finally:
        gc.enable()
