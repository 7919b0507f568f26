"""Server connections: an id and a context for each."""

from __future__ import annotations

import contextvars
import gc
import types

import pytest

from tracelog.connections import TARGETS, base_of, context_of_protocol, context_of_transport
from tracelog.context import Connection, Context, bind_context, current_context, enter_context
from tracelog.ids import TraceContext


elsewhere = contextvars.ContextVar("elsewhere", default=None)


class Protocol:
    """Says what it is in while its callbacks run."""

    def __init__(self):
        self.seen = []

    def see(self, *_):
        self.seen.append(current_context())
        elsewhere.set("leaked")

    connection_made = data_received = connection_lost = see

    def upgrade(self, transport):
        after = Wrapped()
        after.connection_made(transport)
        transport.protocol = after


class Wrapped(Protocol):
    """As the servers' protocols are."""

    for _name, _wrap in TARGETS[0].wraps.items():
        locals()[_name] = _wrap(Protocol.__dict__.get(_name, Protocol.see))


class Transport:
    def __init__(self, protocol):
        self.protocol = protocol

    def get_protocol(self):
        return self.protocol


@pytest.fixture
def protocol():
    protocol = Wrapped()
    protocol.connection_made(Transport(protocol))
    return protocol


def test_a_connection_has_an_id_in_every_callback(protocol):
    """Whatever context the loop calls it in, a leaked one even."""
    enter_context(Context.make({"user": "stranger"}, None, Connection("c-stranger")))

    protocol.data_received(b"x")
    protocol.connection_lost(None)

    connections = {context.connection for context in protocol.seen}
    assert len(connections) == 1
    assert protocol.seen[-1].bound == {}
    assert connections.pop().id.startswith("c-")


def test_each_connection_has_its_own():
    """Two clients, two ids."""
    protocols = [Wrapped(), Wrapped()]
    for protocol in protocols:
        protocol.connection_made(Transport(protocol))

    first, second = (protocol.seen[0].connection for protocol in protocols)
    assert first.id != second.id


def test_what_was_set_before_serving_is_there():
    """A copy of the context of whoever serves, never an empty one."""
    protocol = Wrapped()

    def serve():
        bind_context(service="chat")
        elsewhere.set("from the start")
        protocol.connection_made(Transport(protocol))

    contextvars.copy_context().run(serve)

    assert protocol.seen[0].bound == {"service": "chat"}
    assert context_of_protocol(protocol)[elsewhere] == "from the start"


def test_nothing_leaks_from_callback_to_callback(protocol):
    """What one sets, the next doesn't see, nor whoever called it."""
    protocol.data_received(b"x")

    assert context_of_protocol(protocol).get(elsewhere) is None
    assert elsewhere.get() is None


def test_after_an_upgrade_it_is_the_same_connection():
    """HTTP becomes a WebSocket: another protocol, the same client."""
    protocol = Wrapped()
    transport = Transport(protocol)
    protocol.connection_made(transport)

    protocol.upgrade(transport)
    transport.protocol.data_received(b"x")

    assert {context.connection for context in transport.protocol.seen} == {
        protocol.seen[0].connection
    }
    assert protocol.seen[0].connection.protocol() is transport.protocol


def test_who_is_at_the_other_end(protocol):
    """The connection, what was bound before it or by its handler, and a WebSocket's own trace."""
    transport = Transport(protocol)
    connection = protocol.seen[0].connection
    quiet = context_of_transport(transport)
    connection.trace, connection.bound = TraceContext.new(), {"user_id": "kim"}

    talking = context_of_transport(transport)

    assert (quiet.connection, quiet.bound, quiet.trace) == (connection, {}, None)
    assert (talking.connection, talking.bound) == (connection, {"user_id": "kim"})
    assert talking.trace is connection.trace


def test_who_is_at_the_other_end_of_an_encrypted_connection(protocol):
    """asyncio's transport knows the protocol that decrypts, and that one the server's."""
    tls = types.SimpleNamespace(_app_protocol=protocol)

    assert context_of_transport(Transport(tls)).connection is protocol.seen[0].connection


def test_who_is_at_the_other_end_of_a_server_without_contexts():
    """As long as it keeps its connection open, that has an id; who wasn't served has none."""
    transport, stranger = Transport(object()), Transport(object())
    _, connection = base_of(transport)

    found = context_of_transport(transport)

    assert (found.connection, found.bound) == (connection, {})
    assert context_of_transport(stranger) is None
    assert context_of_transport(object()) is None


def test_who_connected_before_goes_on_as_before():
    """A protocol that wasn't there from the start has no context."""
    protocol = Wrapped()
    bind_context(user="kim")

    protocol.data_received(b"x")

    assert protocol.seen[0].bound == {"user": "kim"}
    assert context_of_protocol(protocol) is None


def test_a_request_finds_its_connection(protocol):
    """By the transport, whatever context its task is in."""
    bound, connection = base_of(Transport(protocol))

    assert (bound, connection) == ({}, protocol.seen[0].connection)


def test_a_hidden_transport_is_no_obstacle(protocol):
    """Somebody may wrap ASGI's `receive`: the task began in the connection's context."""
    found = context_of_protocol(protocol).run(base_of, None)

    assert found == ({}, protocol.seen[0].connection)


def test_a_context_that_may_have_leaked_is_never_adopted():
    """Only those of servers' protocols are known to be right."""
    enter_context(Context.make({"user": "kim"}, None, Connection("c-1")))

    for transport in (None, Transport(object())):
        bound, connection = base_of(transport)
        assert (bound, connection is current_context().connection) == ({}, False)


def test_requests_on_one_transport_share_its_id():
    """Also where the server's protocols have no context of their own."""
    transport = Transport(object())

    assert base_of(transport)[1] is base_of(transport)[1]
    assert base_of(transport)[1] is not base_of(Transport(object()))[1]


def test_a_lost_connection_is_forgotten():
    """Its protocol is held by nobody on our side."""
    protocol = Wrapped()
    protocol.connection_made(Transport(protocol))
    connection = protocol.seen[0].connection

    del protocol
    gc.collect()

    assert connection.protocol() is None
