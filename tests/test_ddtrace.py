"""ddtrace's spans and our traces, with its tracer; nothing is sent."""

from __future__ import annotations

import pytest
from ddtrace.trace import Context, tracer

from tracelog.context import new_trace
from tracelog.ddtrace import active_trace, attached
from tracelog.ids import TraceContext


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch):
    """Spans are made, and forgotten: there is no agent."""
    monkeypatch.setattr(tracer, "enabled", False)
    yield
    tracer.context_provider.activate(None)


def test_outside_of_a_span_there_is_no_trace():
    """As without ddtrace."""
    assert active_trace() is None


def test_the_active_span_is_the_trace():
    """All 128 bits of the trace's id, as `traceparent` has them."""
    with tracer.trace("work") as span:
        active = active_trace()

    assert active == TraceContext(f"{span.trace_id:032x}", f"{span.span_id:016x}")
    assert active_trace() is None


@pytest.mark.parametrize(
    ("priority", "sampled"),
    [
        pytest.param(None, True, id="not yet decided"),
        pytest.param(2, True, id="kept by a person"),
        pytest.param(1, True, id="kept"),
        pytest.param(0, False, id="dropped"),
        pytest.param(-1, False, id="dropped by a person"),
    ],
)
def test_what_is_dropped_is_not_sampled(priority, sampled):
    """What ddtrace decided goes on with the trace."""
    with tracer.trace("work") as span:
        span.context.sampling_priority = priority
        active = active_trace()

    assert active.sampled is sampled


def test_a_context_without_ids_is_no_trace():
    """Baggage may be active alone."""
    tracer.context_provider.activate(Context())

    assert active_trace() is None


def test_a_span_belongs_to_the_trace_it_is_started_in():
    """Our trace is the parent, as if it had come with a header."""
    with attached(TRACE), tracer.trace("work") as span:
        pass

    assert f"{span.trace_id:032x}" == TRACE.trace_id
    assert f"{span.parent_id:016x}" == TRACE.span_id


def test_by_default_it_is_the_current_one():
    """What `tracelog.current_trace()` tells is handed over."""
    current = new_trace()

    with attached(), tracer.trace("work") as span:
        pass

    assert f"{span.trace_id:032x}" == current.trace_id


@pytest.mark.parametrize("sampled", [True, False])
def test_what_one_side_attaches_the_other_reads(sampled):
    """A trace survives the way there and back."""
    given = TraceContext(TRACE.trace_id, TRACE.span_id, sampled)

    with attached(given):
        active = active_trace()

    assert active == given
    assert active_trace() is None


def test_without_a_trace_nothing_changes():
    """Spans start traces of their own, as they did before."""
    with attached(), tracer.trace("work") as span:
        pass

    assert span.parent_id is None


def test_afterwards_the_outer_span_is_active_again():
    """Also when an exception escapes."""
    with tracer.trace("outer") as outer:
        with pytest.raises(ZeroDivisionError), attached(TRACE):
            1 / 0

        assert active_trace().span_id == f"{outer.span_id:016x}"
