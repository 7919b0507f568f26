"""An utterance's story, for eyes and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tracelog.answers.drawing import Drawing
from tracelog.answers.entries import Entry
from tracelog.answers.parts import plain
from tracelog.answers.render import ABSENT, ALARM, count, escape, ms, name, reason
from tracelog.answers.skew import Skew
from tracelog.answers.story import Act, Line, Story
from tracelog.answers.utterances import read_value
from tracelog.answers.waterfall import Axis, draw_axis, draw_groups, legend_of_places
from tracelog.fields import (
    BUDGET_MS,
    CAUSE,
    CONNECTION_ID,
    FAILED,
    LATE,
    TOTAL_MS,
    USER_ID,
)


__all__ = ["document", "draw", "draw_lines"]

_NARROW: Final = 70  # columns, below which facts stand below each other
_GUTTER: Final = 9  # characters of a time since the arrival
_MOST_OTHERS: Final = 10  # utterances of the same trace that are drawn, too


def draw(story: Story, width: int, is_plain: bool) -> Iterator[RenderableType]:  # noqa: FBT001 -- a callback's
    """Draw everything but the lines."""
    if story.act is None:
        yield _without_verdict(story)
    else:
        yield from _heading(story, story.act, width)
        yield from _fall(story, story.act, width, is_plain=is_plain)
    for skew in story.skews.values():
        yield Text(_sentence(skew), "yellow")
    if story.skews:
        yield Text()


def draw_lines(story: Story, drawing: Drawing) -> Iterator[str]:
    """Write the lines as the console does, each with how long after the arrival it was made."""
    total = sum(flow.count for flow in story.trace.flows)
    since = "" if story.act is None else "; in front, ms since its arrival"
    yield drawing.note(f"Its {count(total, 'line')}, in local time{since}")
    for line in story.lines:
        if line.entry is None:
            of = f" of {escape(line.source)}" if len(story.trace.flows) > 1 else ""
            yield drawing.note(
                f"{'...'.rjust(_GUTTER)} {count(line.left_out, 'line')}{of} left out"
            )
        else:
            yield _gutter(line, story.act, drawing) + drawing.text(line.entry)


def document(story: Story) -> dict[str, Any]:
    """Give the story as one JSON document."""
    return {
        "trace_id": story.trace.trace_id,
        "utterance": _act(story.act) if story.act else None,
        "others": [_act(act) for act in story.others],
        "holders": [_act(act) for act in story.holders],
        "skews": [
            {"file": each.source, "asker": each.asker, "ahead_ms": round(each.ahead_s * 1000, 3)}
            for each in story.skews.values()
        ],
        "files": [{"file": flow.source, "lines": flow.count} for flow in story.trace.flows],
        "lines": [_line(line) for line in story.lines],
    }


def _heading(story: Story, act: Act, width: int) -> Iterator[RenderableType]:
    """Say who, how long, why; then when, and what else identifies it."""
    event = act.own.event
    is_late = event.get(LATE) is True
    took = f"{_tenths(act.own.length_ms)} ms{', late' if is_late else ''}"
    failed = ", failed" if event.get(FAILED) is True else ""
    title = Text(escape(act.title), "bold")
    title.append(f"  {took}{failed}", ALARM if is_late or failed else "bold green")
    yield title
    if event.get(CAUSE) is not None:
        yield Text(reason(event[CAUSE]), overflow="fold")
    yield Text()
    yield _facts(story, act, width)
    yield Text()


def _facts(story: Story, act: Act, width: int) -> Table:
    """Lay out what identifies it, two beside each other where there is room."""
    event = act.own.event
    request = [event.get(key) for key in ("method", "path", "status")]
    budget = event.get(BUDGET_MS)
    facts = [
        ("arrived", _clock(act.own.began)),
        ("trace", escape(plain(story.trace.trace_id))),
        ("user", None if event.get(USER_ID) is None else name(event[USER_ID])),
        ("path", " ".join(name(each) for each in request if each is not None)),
        ("connection", name(event[CONNECTION_ID]) if event.get(CONNECTION_ID) else None),
        ("late from", f"{name(budget)} ms" if budget is not None else None),
        ("in", escape(", ".join(flow.source for flow in story.trace.flows))),
    ]
    known = [(label, value) for label, value in facts if value]
    beside = 1 if width < _NARROW else 2
    table = Table.grid(padding=(0, 2))
    for _ in range(beside):
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
    for start in range(0, len(known), beside):
        table.add_row(*(Text(text) for pair in known[start : start + beside] for text in pair))
    return table


def _fall(story: Story, act: Act, width: int, *, is_plain: bool) -> Iterator[RenderableType]:
    """Draw the waterfall, and on its axis those of the others."""
    if not act.groups and not story.holders and not story.others:
        return

    axis = Axis(act.own.length_ms, width, is_plain)
    yield draw_axis(axis, f"Where {_tenths(act.own.length_ms)} ms went")
    yield from draw_groups(act.groups, axis)
    for holder in story.holders:
        yield from _beside(holder, act, axis, "meanwhile")
    for other in story.others[:_MOST_OTHERS]:
        yield from _beside(other, act, axis, f"in {other.source}")
    if len(story.others) > _MOST_OTHERS:
        yield Text(f"and {len(story.others) - _MOST_OTHERS:,} more utterances of its trace", "dim")
    yield Text()
    yield Text(legend_of_places(is_plain=is_plain), "dim")
    yield Text()


def _beside(other: Act, act: Act, axis: Axis, how: str) -> Iterator[Text]:
    """Draw another's waterfall on the axis of this one."""
    shift = (other.began - act.began) * 1000
    when = "after" if shift >= 0 else "before"
    began = f"began {_tenths(abs(shift))} ms {when} its arrival"
    title = Text()
    title.append(f"\n{escape(other.title)}", "bold")
    title.append(f", {how}: {_tenths(other.own.length_ms)} ms, {began}", "dim")
    yield title
    yield from draw_groups(other.groups, axis, shift, is_brief=True)


def _without_verdict(story: Story) -> Text:
    """Say that there is no utterance."""
    trace_id = escape(plain(story.trace.trace_id))
    return Text(
        f"Trace {trace_id} has no verdict in {escape(_files(story))}: no utterance has ended in it,"
        " or its line was left out.\n"
    )


def _files(story: Story) -> str:
    return ", ".join(flow.source for flow in story.trace.flows)


def _sentence(skew: Skew) -> str:
    """Say which clock is wrong, as far as one can tell."""
    how = "ahead of" if skew.ahead_s > 0 else "behind"
    told = (
        "it ended after the call that it answers"
        if skew.ahead_s > 0
        else "it began before it was asked to"
    )
    return (
        f"The clock of {escape(skew.source)} is {how} that of {escape(skew.asker)}, by"
        f" {ms(abs(skew.ahead_s) * 1000)} ms or so: {told}. Its times are shifted where they are"
        " drawn, not in its lines."
    )


def _gutter(line: Line, act: Act | None, drawing: Drawing) -> str:
    """Write how long after the arrival a line was made."""
    if act is None:
        return ""

    since = "" if line.at is None else _tenths((line.at - act.began) * 1000)
    return drawing.note(since.rjust(_GUTTER)) + " "


def _tenths(milliseconds: float) -> str:
    """Write milliseconds as `tracelog late` does."""
    return f"{round(milliseconds, 1) + 0.0:,.1f}"  # there is no -0.0


def _clock(seconds: float) -> str:
    """Write a time to the millisecond."""
    moment = _moment(seconds)
    if moment is None:
        return ABSENT

    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"


def _moment(seconds: float) -> datetime | None:
    """Make a time of it, if it is in the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):
        return None


def _act(act: Act) -> dict[str, Any]:
    """Give an utterance: its verdict as it stands in the log, and the rows of its waterfall."""
    return {
        "title": act.title,
        "file": act.source,
        "began": _moment(act.began),
        TOTAL_MS: act.own.length_ms,
        "verdict": _event(act.own.entry),
        "rows": [*_rows(act)],
    }


def _rows(act: Act) -> Iterator[dict[str, Any]]:
    for group in act.groups:
        for row in group.rows:
            yield {
                "group": group.title,
                "label": row.label,
                "box": row.box,
                "start_ms": None if row.is_loose or row.is_sum else round(row.start_ms, 3),
                "length_ms": round(row.length_ms, 3),
                "about": row.small,
            }


def _line(line: Line) -> dict[str, Any]:
    if line.entry is None:
        return {"file": line.source, "left_out": line.left_out}

    return {"file": line.source, "line": _event(line.entry)}


def _event(entry: Entry) -> Any:
    """Give what a line says, as far as strict JSON can."""
    return read_value(entry.raw.decode("utf-8", "replace"))
