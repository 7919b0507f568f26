"""The headers that carry traces."""

from __future__ import annotations

from email import message_from_string

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, MutableHeaders

from tracelog.context import Context, bind_context, enter_context
from tracelog.headers import (
    extract,
    extract_baggage,
    extract_request_id,
    inject,
    write_trace,
)
from tracelog.ids import TraceContext


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
HEADER = str(TRACE)


class Hostile(dict):
    """A mapping that can't be read."""

    def items(self):
        raise RuntimeError("closed")


class Unprintable:
    def __str__(self):
        raise RuntimeError("no text")


anything = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.just(Unprintable()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)
names = st.sampled_from(
    ["traceparent", b"traceparent", "tracestate", "X-Request-ID", b"x-correlation-id", "baggage"]
)
headers = anything | st.lists(st.tuples(names | anything, anything)) | st.just(Hostile(a=1))


def enter(trace):
    enter_context(Context.make({}, trace, None))


def test_without_a_trace_nothing_is_written():
    """Outside a trace there is nothing to tell a peer."""
    assert inject() == {}


def test_the_current_trace_is_written():
    """Inside a trace, `traceparent` says which; a fresh dict is filled by default."""
    enter(TRACE)

    assert inject() == {"traceparent": HEADER}


def test_the_trace_s_state_is_passed_on():
    """A `tracestate` that came along goes along."""
    enter(TraceContext(TRACE.trace_id, TRACE.span_id, sampled=False, state="vendor=1"))

    assert inject() == {"traceparent": f"{HEADER[:-1]}0", "tracestate": "vendor=1"}


def test_any_mutable_mapping_is_filled_and_returned():
    """Headers of an HTTP client are filled in place, and what they held stays."""
    enter(TRACE)
    given_headers = MutableHeaders({"accept": "*/*"})

    returned = inject(given_headers)

    assert returned is given_headers
    assert dict(given_headers) == {"accept": "*/*", "traceparent": HEADER}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"traceparent": HEADER}, id="dict"),
        pytest.param({"TraceParent": HEADER}, id="dict, any case"),
        pytest.param([(b"host", b"a"), (b"traceparent", HEADER.encode())], id="ASGI list"),
        pytest.param(Headers({"traceparent": HEADER}), id="starlette"),
        pytest.param(message_from_string(f"Traceparent: {HEADER}\n\n"), id="http.server"),
        pytest.param(iter([("Traceparent", HEADER)]), id="any iterable of pairs"),
    ],
)
def test_a_caller_s_trace_is_read(headers):
    """From whatever holds headers, names in any case, text or bytes."""
    assert extract(headers) == TRACE


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no headers"),
        pytest.param(None, id="None"),
        pytest.param({"traceparent": "00-nonsense"}, id="invalid"),
        pytest.param([("traceparent", HEADER), ("traceparent", HEADER)], id="twice"),
        pytest.param([("traceparent",)], id="no pairs"),
        pytest.param(Hostile(traceparent=HEADER), id="unreadable"),
    ],
)
def test_no_valid_trace_counts_as_none(headers):
    """As W3C Trace Context asks: a request isn't refused for a header of no use."""
    assert extract(headers) is None


@pytest.mark.parametrize("padded", [f" {HEADER}", f"{HEADER}\t", f"\t {HEADER} \t"])
def test_whitespace_around_a_header_is_not_part_of_it(padded):
    """HTTP says so, and not every server has taken it off."""
    assert extract({"traceparent": padded}) == TRACE


@pytest.mark.parametrize(
    ("states", "state"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["a=1,b=2"], "a=1,b=2", id="one"),
        pytest.param(["a=1", "", "b=2"], "a=1,b=2", id="several are one list, in order"),
        pytest.param(["a=\r\nset-cookie: x"], "", id="another header in it"),
        pytest.param(["a=é"], "", id="no ASCII"),
        pytest.param([7], "", id="no text"),
        pytest.param(["a=1", "b" * 20_000], "", id="too long"),
        pytest.param([""] * 63 + ["a=1"], "a=1", id="64 headers"),
        pytest.param(["a=1"] + [""] * 1000, "", id="many headers"),
    ],
)
def test_a_state_comes_along_if_it_is_sound(states, state):
    """A `tracestate` that couldn't be passed on safely is left behind; the trace is continued."""
    trace = extract([("traceparent", HEADER), *(("tracestate", text) for text in states)])

    assert trace == TraceContext(TRACE.trace_id, TRACE.span_id, state=state)


@pytest.mark.parametrize("name", ["traceparent", "tracestate", "baggage", "x-request-id"])
def test_a_huge_header_is_refused_by_its_length(name):
    """A megabyte isn't decoded, split or matched: it costs what a byte costs."""

    class Huge(bytes):
        def decode(self, *_):
            raise AssertionError("read")

    huge = [(name.encode(), Huge(b"a" * 1_000_000))]

    assert extract([*huge, (b"traceparent", HEADER.encode())]) == (
        None if name == "traceparent" else TRACE
    )
    assert extract_baggage(huge, keys=["a"]) == {}
    assert extract_request_id(huge) is None


def test_a_huge_name_is_refused_by_its_length():
    """Nor is the name of a header looked at, if it is longer than ours."""
    assert extract([("a" * 1_000_000, "1"), ("traceparent", HEADER)]) == TRACE


@given(st.booleans(), st.booleans(), st.sampled_from(["", "a=1", "rojo=00f0,congo@eu=t61 r"]))
def test_what_one_side_injects_the_other_extracts(sampled, drawn, state):
    """A trace survives the wire."""
    trace = TraceContext(TRACE.trace_id, TRACE.span_id, sampled, state, drawn)
    enter(trace)

    assert extract(inject()) == trace


def test_a_message_carries_the_trace_and_when_it_was_sent():
    """Beside what it says; its receiver reads the trace as from headers."""
    enter(TRACE)

    message = inject({"text": "hello"}, sent_at=1763812800.25)

    assert message == {"text": "hello", "traceparent": HEADER, "sent_at": 1763812800.25}
    assert extract(message) == TRACE


def test_headers_that_are_written_otherwise_do_not_stay_beside_ours():
    """As Go writes them, say, and a proxy passes them on: of two, the other side would take none."""
    enter(TRACE)

    headers = inject({"Traceparent": "another's", "TraceState": "a=1", "Accept": "*/*", 5: 1})

    assert headers == {"traceparent": HEADER, "Accept": "*/*", 5: 1}


def test_another_trace_s_state_does_not_stay():
    """Headers that are used again say nothing of the request before."""
    headers = {"traceparent": "x", "tracestate": "vendor=1"}

    write_trace(headers, TRACE)

    assert headers == {"traceparent": HEADER}


# What is bound


@given(st.dictionaries(st.text(), st.text()))
def test_nothing_that_is_bound_goes_out_unnamed(values):
    """Whatever is bound, in a trace or outside: not a word of it is on the wire."""
    for trace in (TRACE, None):
        enter_context(Context.make(values, trace, None))

        assert inject() == ({"traceparent": HEADER} if trace else {})


def test_what_is_named_goes_along():
    """As W3C Baggage, and nothing else that is bound."""
    bind_context(user_id="kim", room="the lobby", password="hunter2")

    headers = inject(keys=("user_id", "room", "missing"))

    assert headers == {"baggage": "user_id=kim,room=the%20lobby"}
    assert extract_baggage(headers, keys=("user_id", "room")) == {
        "user_id": "kim",
        "room": "the lobby",
    }


def test_what_others_bind_can_be_named():
    """`structlog.contextvars` is where others bind."""
    structlog.contextvars.bind_contextvars(user_id="kim")

    assert inject(keys=["user_id"]) == {"baggage": "user_id=kim"}


@pytest.mark.parametrize(
    ("before", "bound", "after"),
    [
        pytest.param({}, {}, {}, id="nothing bound"),
        pytest.param(
            {"baggage": "region=eu"}, {"user_id": 7}, {"baggage": "region=eu,user_id=7"}, id="kept"
        ),
        pytest.param(
            {"baggage": "user_id=lee,region=eu"},
            {"user_id": "kim"},
            {"baggage": "region=eu,user_id=kim"},
            id="replaced",
        ),
        pytest.param({"baggage": "user_id=lee"}, {}, {}, id="no longer bound"),
        pytest.param(
            {"baggage": ["trunk"]}, {"user_id": "kim"}, {"baggage": ["trunk"]}, id="a message's own"
        ),
    ],
)
def test_baggage_that_is_there_stays_but_for_the_keys(before, bound, after):
    """Headers that are used again never say of one user what was another's."""
    bind_context(**bound)

    assert inject(before, keys=["user_id"]) == after


def test_baggage_is_only_read_by_name():
    """What a caller sends beside isn't taken over."""
    headers = [(b"Baggage", b"user_id=kim"), (b"baggage", b"role=admin,room=lobby")]

    assert extract_baggage(headers, keys=["user_id", "room", "missing"]) == {
        "user_id": "kim",
        "room": "lobby",
    }


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        pytest.param({"X-Request-ID": "req-123"}, "req-123", id="request id"),
        pytest.param(
            {"x-correlation-id": "a.b_c:d+e=f/g@h~i"}, "a.b_c:d+e=f/g@h~i", id="correlation"
        ),
        pytest.param([(b"x-request-id", b"req-123")], "req-123", id="ASGI list"),
        pytest.param(
            {"X-Correlation-ID": "second", "X-Request-ID": "first"}, "first", id="both given"
        ),
        pytest.param(
            {"X-Request-ID": "<script>", "X-Correlation-ID": "ok"}, "ok", id="first one unsound"
        ),
        pytest.param({"x-request-id": "a" * 128}, "a" * 128, id="128 characters"),
        pytest.param({"x-request-id": "a" * 129}, None, id="too long"),
        pytest.param({"x-request-id": ""}, None, id="empty"),
        pytest.param({"x-request-id": "-dash"}, None, id="begins with punctuation"),
        pytest.param({"x-request-id": "a\nb"}, None, id="two lines"),
        pytest.param({"x-request-id": "a\n"}, None, id="newline after"),
        pytest.param({"x-request-id": "é"}, None, id="no ASCII"),
        pytest.param({}, None, id="none"),
    ],
)
def test_a_request_id_is_read_only_if_it_is_sound(headers, request_id):
    """What goes into logs and back into headers is short, printable ASCII, or nothing."""
    assert extract_request_id(headers) == request_id


@given(headers)
def test_reading_headers_never_raises(headers):
    """Whatever a peer sends or a caller passes, the request goes on."""
    trace, request_id = extract(headers), extract_request_id(headers)
    baggage = extract_baggage(headers, keys=["a"])

    assert trace is None or TraceContext.parse(str(trace)).trace_id == trace.trace_id
    assert request_id is None or 0 < len(request_id) <= 128
    assert baggage.keys() <= {"a"}
