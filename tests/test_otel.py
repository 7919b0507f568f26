"""OpenTelemetry's spans and our traces, with its SDK."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from tracelog.context import new_trace
from tracelog.ids import TraceContext
from tracelog.otel import active_trace, attached


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="a=1,b=2")


@pytest.fixture
def tracer():
    return TracerProvider().get_tracer("test")


def remote(**options):
    """A span of another process, as a header told it."""
    return NonRecordingSpan(
        SpanContext(int(TRACE.trace_id, 16), int(TRACE.span_id, 16), is_remote=True, **options)
    )


def test_outside_of_a_span_there_is_no_trace():
    """The API gives a span without ids then; it counts as none."""
    assert active_trace() is None


def test_the_active_span_is_the_trace(tracer):
    """Both ids as OpenTelemetry's own exporters write them."""
    with tracer.start_as_current_span("work") as span:
        active = active_trace()

    ids = span.get_span_context()
    assert active == TraceContext(f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
    assert active_trace() is None


def test_a_trace_that_nobody_records_is_not_sampled():
    """What OpenTelemetry's sampler decided goes on with the trace."""
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("test")

    with tracer.start_as_current_span("work"):
        active = active_trace()

    assert active.sampled is False


def test_a_remote_span_s_state_comes_along():
    """A `tracestate` that OpenTelemetry read is ours, too."""
    span = remote(
        trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=TraceState([("a", "1"), ("b", "2")])
    )

    with trace.use_span(span):
        active = active_trace()

    assert active == TRACE


def test_a_span_belongs_to_the_trace_it_is_started_in(tracer):
    """Our trace is the parent, as if it had come with a header."""
    with attached(TRACE), tracer.start_as_current_span("work") as span:
        pass

    assert f"{span.get_span_context().trace_id:032x}" == TRACE.trace_id
    assert f"{span.parent.span_id:016x}" == TRACE.span_id
    assert span.parent.is_remote
    assert span.parent.trace_state.to_header() == "a=1,b=2"


def test_by_default_it_is_the_current_one(tracer):
    """What `tracelog.current_trace()` tells is handed over."""
    current = new_trace()

    with attached(), tracer.start_as_current_span("work") as span:
        pass

    assert f"{span.get_span_context().trace_id:032x}" == current.trace_id
    assert f"{span.parent.span_id:016x}" == current.span_id


@pytest.mark.parametrize("sampled", [True, False])
def test_what_one_side_attaches_the_other_reads(sampled):
    """A trace survives the way there and back."""
    given = TraceContext(TRACE.trace_id, TRACE.span_id, sampled, "a=1,b=2")

    with attached(given):
        active = active_trace()

    assert active == given
    assert active_trace() is None


def test_a_trace_that_is_not_sampled_starts_no_recording(tracer):
    """Whoever called us decided; OpenTelemetry's sampler follows its parent."""
    with attached(TraceContext(TRACE.trace_id, TRACE.span_id, sampled=False)):
        span = tracer.start_span("work")

    assert span.is_recording() is False


def test_without_a_trace_nothing_changes(tracer):
    """Spans start traces of their own, as they did before."""
    with attached(), tracer.start_as_current_span("work") as span:
        pass

    assert span.parent is None


def test_afterwards_the_outer_span_is_active_again(tracer):
    """Also when an exception escapes."""
    with tracer.start_as_current_span("outer", record_exception=False):
        outer = active_trace()
        with pytest.raises(ZeroDivisionError), attached(TRACE):
            1 / 0

        assert active_trace() == outer


def test_a_generator_may_be_closed_elsewhere(caplog):
    """OpenTelemetry complains, in its log, about a token of another context; there is none."""

    def steps():
        with attached(TRACE):
            yield

    generator = steps()
    contextvars.copy_context().run(next, generator)
    contextvars.copy_context().run(generator.close)

    assert caplog.records == []


def test_tasks_keep_apart(tracer):
    """What is attached in one task isn't in another."""

    async def work(ready, other):
        with attached(TraceContext.new()):
            ready.set()
            await other.wait()
            return active_trace()

    async def main():
        a, b = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(work(a, b), work(b, a))

    first, second = asyncio.run(main())

    assert first != second
    assert active_trace() is None
