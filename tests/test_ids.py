"""Trace, span and connection ids."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog import ids
from tracelog.errors import TraceparentError
from tracelog.ids import TraceContext, make_connection_id, make_span_id, make_trace_id, read_parent


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
HEADER = f"00-{TRACE_ID}-{SPAN_ID}-01"

hexadecimal = st.sampled_from("0123456789abcdef")
traces = st.builds(
    TraceContext,
    st.text(hexadecimal, min_size=32, max_size=32).filter(lambda text: text.strip("0")),
    st.text(hexadecimal, min_size=16, max_size=16).filter(lambda text: text.strip("0")),
    st.booleans(),
    st.just(""),
    st.booleans(),
)


@pytest.fixture
def bits(monkeypatch):
    """What the source of randomness was asked for; it answers with all ones."""
    asked = []

    def getrandbits(count):
        asked.append(count)
        return 2**count - 1

    monkeypatch.setattr(ids, "_getrandbits", getrandbits)
    return asked


def test_ids_have_their_widths(bits):
    """A trace id has 128 bits, a span id 64, a connection id 32, all in lower-case hex."""
    made = make_trace_id(), make_span_id(), make_connection_id()

    assert made == ("f" * 32, "f" * 16, "c-ffffffff")
    assert bits == [128, 64, 32]


def test_no_id_is_all_zero(monkeypatch):
    """W3C Trace Context forbids ids of zeros only, so even that draw gives a valid one."""
    monkeypatch.setattr(ids, "_getrandbits", lambda _count: 0)

    assert make_trace_id() == "0" * 31 + "1"
    assert make_span_id() == "0" * 15 + "1"
    assert make_connection_id() == "c-00000000"


def test_ids_do_not_follow_the_application_s_seed():
    """An application that seeds `random`, in each of its workers alike, gets different ids still."""
    state = random.getstate()
    try:
        random.seed(42)
        first = make_trace_id()
        random.seed(42)
        second = make_trace_id()
    finally:
        random.setstate(state)

    assert first != second


def test_a_new_trace_has_ids_of_its_own(bits):
    """A trace that begins here has a new trace id and a new span id, and is sampled."""
    trace = TraceContext.new()

    assert trace == TraceContext("f" * 32, "f" * 16, sampled=True, state="")
    assert bits == [128, 64]


def test_a_child_is_a_new_span_of_the_same_trace(bits):
    """All but the span id stays."""
    parent = TraceContext(TRACE_ID, SPAN_ID, sampled=False, state="vendor=1", random=True)

    child = parent.child()

    assert child == TraceContext(TRACE_ID, "f" * 16, sampled=False, state="vendor=1", random=True)


def test_a_trace_is_never_changed():
    """A trace can be shared between tasks: it is frozen."""
    with pytest.raises(AttributeError):
        TraceContext(TRACE_ID, SPAN_ID).trace_id = "f" * 32


@given(traces)
def test_what_is_written_can_be_read(trace):
    """Writing a header and reading it gives the same trace."""
    assert TraceContext.parse(str(trace)) == trace


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        pytest.param(HEADER, "01", id="version 00, sampled"),
        pytest.param(f"00-{TRACE_ID}-{SPAN_ID}-00", "00", id="version 00, not sampled"),
        pytest.param(f"00-{TRACE_ID}-{SPAN_ID}-02", "02", id="of Level 2: drawn at random"),
        pytest.param(f"00-{TRACE_ID}-{SPAN_ID}-fc", "00", id="other flags only"),
        pytest.param(f"00-{TRACE_ID}-{SPAN_ID}-ff", "03", id="every flag"),
        pytest.param(f"cc-{TRACE_ID}-{SPAN_ID}-01", "01", id="a later version"),
        pytest.param(f"cc-{TRACE_ID}-{SPAN_ID}-01-what-comes", "01", id="a later version, longer"),
        pytest.param(f"cc-{TRACE_ID}-{SPAN_ID}-01-", "01", id="a later version, an empty part"),
    ],
)
def test_valid_headers_are_read(header, flags):
    """Version 00 as it is written, and of later versions the parts that are known.

    Written again it is version 00, with the flags that are known.
    """
    trace = TraceContext.parse(header)

    assert (trace.trace_id, trace.span_id) == (TRACE_ID, SPAN_ID)
    assert (trace.sampled, trace.random) == (flags in ("01", "03"), flags in ("02", "03"))
    assert str(trace) == f"00-{TRACE_ID}-{SPAN_ID}-{flags}"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="nothing"),
        pytest.param("req-123", id="another id"),
        pytest.param(HEADER.upper(), id="upper case"),
        pytest.param(f" {HEADER}", id="space before"),
        pytest.param(f"{HEADER}\n", id="newline after"),
        pytest.param(f"{HEADER}-more", id="version 00 with more"),
        pytest.param(f"ff-{TRACE_ID}-{SPAN_ID}-01", id="version ff"),
        pytest.param(f"00-{'0' * 32}-{SPAN_ID}-01", id="trace id of zeros"),
        pytest.param(f"00-{TRACE_ID}-{'0' * 16}-01", id="span id of zeros"),
        pytest.param(f"00-{TRACE_ID[:-1]}-{SPAN_ID}-01", id="short trace id"),
        pytest.param(f"cc-{TRACE_ID}-{SPAN_ID}-01more", id="later version without a dash"),
        pytest.param(f"cc-{TRACE_ID}-{SPAN_ID}-01-{'x' * 500}", id="endless"),
        pytest.param(HEADER.replace("1", "١"), id="digits of another script"),
        pytest.param(f"{HEADER}\r\nset-cookie: x", id="another header in it"),
        pytest.param(f"cc{HEADER[2:]}-\r", id="a later version, control characters"),
        pytest.param(f"cc{HEADER[2:]}-é", id="a later version, no ASCII"),
        pytest.param(f"cc{HEADER[2:]}-{'x' * 1_000_000}", id="a megabyte"),
    ],
)
def test_invalid_headers_are_refused(header):
    """Anything else is an error that shows the header's beginning and a right one."""
    with pytest.raises(TraceparentError) as error:
        TraceContext.parse(header)

    assert str(error.value) == (
        f"expected '00-<32 hex>-<16 hex>-<2 hex>', got {header[:80]!r}\n  Try: {HEADER}"
    )


@given(st.text() | st.from_regex(r"[0-9a-f-]{50,60}"))
def test_any_text_is_a_trace_or_a_traceparent_error(text):
    """Reading never raises anything else."""
    try:
        trace = TraceContext.parse(text)
    except TraceparentError:
        return

    assert len(trace.trace_id) == 32


@pytest.mark.parametrize("parent", [TraceContext.parse(HEADER), HEADER, HEADER.encode()])
def test_a_caller_s_trace_is_taken_or_read(parent):
    """As it comes: a header is a text, or bytes in ASGI."""
    assert read_parent(parent) == TraceContext(TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("parent", [None, "00-nonsense", b"\xff", 5, [HEADER]], ids=repr)
def test_what_cannot_be_read_is_no_caller_s_trace(parent):
    """Nor is it an error: a caller may send anything."""
    assert read_parent(parent) is None
