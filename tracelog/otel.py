"""OpenTelemetry: its active span as our trace, and our trace as its parent.

Needs the API only, not the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracelog.context import current_trace
from tracelog.extras import extra
from tracelog.ids import TraceContext


with extra("otel"):
    from opentelemetry import context, trace
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState


__all__ = ["active_trace", "attached"]


def active_trace() -> TraceContext | None:
    """Tell OpenTelemetry's active trace, under its active span; None if there is none."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None

    return TraceContext(
        trace.format_trace_id(span.trace_id),
        trace.format_span_id(span.span_id),
        sampled=span.trace_flags.sampled,
        state=span.trace_state.to_header(),
    )


@contextmanager
def attached(parent: TraceContext | None = None) -> Iterator[None]:
    """Let the spans that OpenTelemetry starts in a `with` block belong to *parent*.

    Args:
        parent: By default the current trace. Without one nothing changes.
    """
    parent = parent or current_trace()
    if parent is None:
        yield
        return

    outer = context.get_current()
    context.attach(trace.set_span_in_context(NonRecordingSpan(_span_context(parent)), outer))
    try:
        yield
    finally:
        # By value: a token fails in a generator that is closed elsewhere.
        context.attach(outer)


def _span_context(parent: TraceContext) -> SpanContext:
    return SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT),
        trace_state=TraceState.from_header([parent.state]),
    )
