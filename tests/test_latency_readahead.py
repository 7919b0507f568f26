"""Reading ahead of the handler, and how far."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar, copy_context

import pytest

from tracelog.latency.readahead import ReadAhead


DISCONNECT = {"type": "websocket.disconnect", "code": 1001}
KIB = 1024


def text(content):
    return {"type": "websocket.receive", "text": content}


def binary(size):
    return {"type": "websocket.receive", "bytes": bytes(size)}


class Server:
    """Gives *messages* at once, one by one; then waits for ever. An exception is raised."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.read = 0

    async def receive(self):
        if not self.messages:
            await asyncio.Event().wait()
        message = self.messages.pop(0)
        if isinstance(message, BaseException):
            try:
                raise message
            finally:
                del message  # its traceback refers to this frame
        self.read += 1
        return message

    def read_ahead(self, context=None):
        return ReadAhead(self.receive, lambda: self.read, context or copy_context())


async def settle():
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(story):
    """Run *story*, and see that it leaves no task behind."""

    async def main():
        result = await story()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(main())


def test_messages_keep_their_order():
    """Each with what was noted as it was read, before the handler asked."""

    async def story():
        server = Server(*map(text, "abc"))
        ahead = server.read_ahead()
        await settle()
        assert server.read == 3
        taken = [await ahead.next() for _ in range(3)]
        await ahead.stop()
        return taken

    assert run(story) == [(text("a"), 1), (text("b"), 2), (text("c"), 3)]


def test_all_messages_come_through():
    """However many more than are read ahead."""

    async def story():
        ahead = Server(*(text(str(number)) for number in range(500))).read_ahead()
        taken = [(await ahead.next())[0]["text"] for _ in range(500)]
        await ahead.stop()
        return taken

    assert run(story) == [str(number) for number in range(500)]


def test_who_asks_first_waits():
    """A message that comes later is given at once."""

    async def story():
        queue = asyncio.Queue()
        ahead = ReadAhead(queue.get, lambda: "noted", copy_context())
        asking = asyncio.create_task(ahead.next())
        await settle()
        assert not asking.done()
        queue.put_nowait(text("a"))
        taken = await asking
        await ahead.stop()
        return taken

    assert run(story) == (text("a"), "noted")


def test_whoever_gives_up_waiting_loses_nothing():
    """A handler may ask with a timeout, and ask again."""

    async def story():
        queue = asyncio.Queue()
        ahead = ReadAhead(queue.get, lambda: None, copy_context())
        asking = asyncio.create_task(ahead.next())
        await settle()
        asking.cancel()
        queue.put_nowait(text("a"))
        await settle()
        taken = await ahead.next()
        await ahead.stop()
        return taken, asking.cancelled()

    assert run(story) == ((text("a"), None), True)


def test_no_more_than_32_messages_are_read_ahead():
    """Then the server has to wait, and with it the client: one is read for one that is taken."""

    async def story():
        server = Server(*map(text, "x" * 100))
        ahead = server.read_ahead()
        await settle()
        read = [server.read]
        for _ in range(3):
            await ahead.next()
            await settle()
            read.append(server.read)
        await ahead.stop()
        return read

    assert run(story) == [32, 33, 34, 35]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(binary(600 * KIB), id="bytes"),
        pytest.param(text("x" * 600 * KIB), id="text"),
        pytest.param(text("ż" * 300 * KIB), id="text that takes two bytes a character"),
        pytest.param(text("\N{PILE OF POO}" * 150 * KIB), id="text that takes four"),
        pytest.param({**text("x" * 600 * KIB), "bytes": None}, id="text beside no bytes"),
        pytest.param({**binary(600 * KIB), "text": None}, id="bytes beside no text"),
    ],
)
def test_no_more_than_a_mebibyte_is_read_ahead(message):
    """Nothing is read while as much, or more, waits; a message isn't known before it is read."""

    async def story():
        server = Server(*[message] * 10)
        ahead = server.read_ahead()
        await settle()
        read = [server.read]
        for _ in range(3):
            await ahead.next()
            await settle()
            read.append(server.read)
        await ahead.stop()
        return read

    assert run(story) == [2, 3, 4, 5]


def test_empty_messages_take_no_room():
    """Whether as text or as bytes."""

    async def story():
        server = Server(*[text(""), binary(0), {"type": "websocket.receive"}] * 10)
        ahead = server.read_ahead()
        await settle()
        await ahead.stop()
        return server.read

    assert run(story) == 30


def test_a_message_of_any_size_is_read():
    """One that is larger than all that may be read ahead gets through, too."""

    async def story():
        ahead = Server(binary(3 * KIB * KIB), text("a")).read_ahead()
        taken = [(await ahead.next())[0] for _ in range(2)]
        await ahead.stop()
        return taken

    assert run(story) == [binary(3 * KIB * KIB), text("a")]


def test_the_end_is_told_as_often_as_it_is_asked_for():
    """After what was said before it; the server isn't asked for anything that follows."""

    async def story():
        server = Server(text("a"), DISCONNECT, text("b"))
        ahead = server.read_ahead()
        taken = [(await ahead.next())[0] for _ in range(4)]
        await ahead.stop()
        return taken, server.read

    assert run(story) == ([text("a"), DISCONNECT, DISCONNECT, DISCONNECT], 2)


def test_the_end_is_known_before_it_is_told():
    """From when it is read until the handler has heard of it."""

    async def story():
        ahead = Server(text("a"), DISCONNECT).read_ahead()
        known = [ahead.unread_disconnect]
        await settle()
        known.append(ahead.unread_disconnect)
        for _ in range(2):
            await ahead.next()
            known.append(ahead.unread_disconnect)
        await ahead.stop()
        return known

    assert run(story) == [None, DISCONNECT, DISCONNECT, None]


@pytest.mark.parametrize(
    "error", [RuntimeError("lost"), SystemExit(3), asyncio.CancelledError()], ids=repr
)
def test_exceptions_reach_the_handler(error):
    """After the messages that came before them, and as often as it asks."""

    async def story():
        ahead = Server(text("a"), error).read_ahead()
        raised = []
        taken = await ahead.next()
        for _ in range(2):
            try:
                await ahead.next()
            except BaseException as caught:
                raised.append(caught)
        await ahead.stop()
        return taken, raised

    (message, _), raised = run(story)
    assert message == text("a")
    assert raised[0] is raised[1]
    assert type(raised[0]) is type(error)


def test_an_exception_of_the_note_reaches_the_handler():
    """It isn't lost in a task that nobody looks at."""

    async def story():
        ahead = ReadAhead(Server(text("a")).receive, lambda: 1 / 0, copy_context())
        await settle()
        assert (await ahead.next())[0] == text("a")

    with pytest.raises(ZeroDivisionError):
        run(story)


def test_a_handler_that_waits_hears_of_an_exception():
    """It is woken."""

    async def story():
        lost = asyncio.Event()

        async def receive():
            await lost.wait()
            raise RuntimeError("lost")

        ahead = ReadAhead(receive, lambda: None, copy_context())
        asking = asyncio.create_task(ahead.next())
        await settle()
        lost.set()
        with pytest.raises(RuntimeError, match="lost"):
            await asking
        await ahead.stop()

    run(story)


def test_stopping_cancels_the_servers_receive():
    """It is over when `stop` comes back; who asks for more is cancelled, too."""
    cancelled = []

    async def receive():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def story():
        ahead = ReadAhead(receive, lambda: None, copy_context())
        await settle()
        await ahead.stop()
        assert cancelled == [True]
        with pytest.raises(asyncio.CancelledError):
            await ahead.next()

    run(story)


def test_what_is_stopped_before_it_began_asks_for_nothing():
    """An application may end right after it has accepted."""

    async def story():
        server = Server(text("a"))
        await server.read_ahead().stop()
        return server.read

    assert run(story) == 0


@pytest.mark.parametrize(
    "make_messages",
    [
        pytest.param(list, id="none"),
        pytest.param(lambda: [text("a")], id="one"),
        pytest.param(lambda: [DISCONNECT], id="the end"),
        pytest.param(lambda: [RuntimeError("lost")], id="an exception"),
    ],
)
def test_nothing_is_left_for_the_garbage_collector(make_messages):
    """A connection's memory is free when it ends: there are thousands."""

    async def story():
        ahead = Server(*make_messages()).read_ahead()
        await settle()
        await ahead.stop()
        return weakref.ref(ahead)

    async def main():
        left = await story()
        await settle()
        return left()

    gc.disable()
    try:
        assert asyncio.run(main()) is None
    finally:
        gc.enable()


def test_it_runs_in_its_own_context():
    """What the server does while it reads isn't charged to whoever connected."""
    user = ContextVar("user")
    seen = []

    async def receive():
        seen.append(user.get())
        return DISCONNECT

    async def story():
        user.set("kim")
        context = copy_context()
        context.run(user.set, "nobody")
        ahead = ReadAhead(receive, lambda: user.get(), context)
        _, noted = await ahead.next()
        await ahead.stop()
        return noted

    assert run(story) == "nobody"
    assert seen == ["nobody"]
