"""ddtrace: its active span as our trace, and our trace as its parent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracelog.context import current_trace
from tracelog.extras import extra
from tracelog.ids import TraceContext


with extra("ddtrace"):
    from ddtrace.trace import Context, tracer


__all__ = ["active_trace", "attached"]


def active_trace() -> TraceContext | None:
    """Tell ddtrace's active trace, under its active span; None if there is none."""
    active = tracer.current_trace_context()
    if active is None or not active.trace_id or not active.span_id:
        return None

    priority = active.sampling_priority
    return TraceContext(
        f"{active.trace_id:032x}",
        f"{active.span_id:016x}",
        sampled=priority is None or priority > 0,  # ddtrace decides late
    )


@contextmanager
def attached(parent: TraceContext | None = None) -> Iterator[None]:
    """Let the spans that ddtrace starts in a `with` block belong to *parent*.

    Args:
        parent: By default the current trace. Without one nothing changes.
    """
    parent = parent or current_trace()
    if parent is None:
        yield
        return

    outer = tracer.context_provider.active()
    tracer.context_provider.activate(
        Context(
            trace_id=int(parent.trace_id, 16),
            span_id=int(parent.span_id, 16),
            sampling_priority=int(parent.sampled),
        )
    )
    try:
        yield
    finally:
        tracer.context_provider.activate(outer)
