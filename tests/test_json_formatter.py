"""`JsonFormatter`: a record, as one line of JSON in our schema."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import Enum

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonEncoder

from tracelog.context import bind_context, bound_context
from tracelog.errors import ConfigError
from tracelog.fields import LEADING
from tracelog.json_formatter import JsonFormatter
from tracelog.records import SURPRISING, ContextFilter, Event, context_of, is_bare


LEADING_LINE = (
    '{"timestamp":"2023-11-14T22:13:20.250000Z","level":"info","logger":"app.chat",'
    '"event":"hello","trace_id":null'
)
PLAIN = {
    "timestamp": "2023-11-14T22:13:20.250000Z",
    "level": "info",
    "logger": "app.chat",
    "event": "hello",
    "trace_id": None,
}


def make_record(msg="hello", args=(), *, at=logging.INFO, exc_info=None, stack_info=None, **extra):
    record = logging.LogRecord(
        "app.chat", at, "/app/chat.py", 7, msg, args, exc_info, "handle", stack_info
    )
    record.created = 1_700_000_000.25
    record.msecs = 250.0
    record.__dict__.update(extra)
    return record


def make_event(msg="hello", args=(), *, at=logging.INFO, **fields):
    return Event.of(bare(msg, at=at, **fields), args)


def bare(msg="hello", *, at=logging.INFO, **fields):
    context = context_of(make_record())
    context.begin()
    return 1_700_000_000.25, "app.chat", at, msg, fields, context


def line_of(record, *args, **options):
    """What a fresh formatter makes of *record*, read back."""
    return json.loads(JsonFormatter(*args, **options).encode(record))


def beside(record, *args, **options):
    """What a line has beside the five leading keys."""
    line = line_of(record, *args, **options)
    return {key: value for key, value in line.items() if key not in LEADING}


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


class Broken:
    """Raises from whatever is done to it."""

    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


# The line


@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_a_line_is_compact_json(make):
    """One object, no spaces, five leading keys first, a newline at its end."""
    line = JsonFormatter().encode(make(room="lobby", n=1))

    assert line == f'{LEADING_LINE},"room":"lobby","n":1}}\n'.encode()


def test_format_is_the_line_without_its_newline():
    """For handlers that aren't ours."""
    assert JsonFormatter().format(make_record()) == f"{LEADING_LINE}}}"


def test_a_line_has_its_context():
    """Ids, then what was bound, then the event's own."""
    bind_context(user="kim", trace_id="req-1")

    line = JsonFormatter().format(make_record(room="lobby"))

    assert line.endswith('"event":"hello","trace_id":"req-1","user":"kim","room":"lobby"}')


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        pytest.param(make_record("hi %s", ("kim",)), {"event": "hi kim"}, id="arguments"),
        pytest.param(make_record("%d", ("kim",)), {"event": "%d ('kim',)"}, id="bad arguments"),
        pytest.param(make_record({"n": 1}), {"event": "", "n": 1}, id="dict"),
        pytest.param(make_record(42), {"event": "42"}, id="number"),
        pytest.param(make_record(at=5), {"level": "trace"}, id="trace"),
        pytest.param(make_record(at=33), {"level": "level 33"}, id="other level"),
        pytest.param(make_record(room={"n": [1]}), {"room": {"n": [1]}}, id="nested"),
        pytest.param(make_record(n=float("nan")), {"n": None}, id="nan"),
        pytest.param(make_record(n=2**70), {"n": str(2**70)}, id="large"),
        pytest.param(make_record(x=Broken()), {"x": "<unprintable Broken object>"}, id="broken"),
        pytest.param(make_record(event="mine"), {"event_": "mine"}, id="shadow"),
        pytest.param(make_record(color_message="x"), {}, id="uvicorn's colours"),
        pytest.param(make_record("\ud800"), {"event": "\\ud800"}, id="lone surrogate"),
        pytest.param(make_event(event="mine"), {"event_": "mine"}, id="native shadow"),
        pytest.param(make_event(n={1}), {"n": [1]}, id="native set"),
        pytest.param(make_event("hi %s", ("kim",)), {"event": "hi kim"}, id="native arguments"),
        pytest.param(make_record(stack_info="Stack: x"), {"stack": "Stack: x"}, id="stack"),
        pytest.param(make_record(exc_text="KeyError"), {"exception": "KeyError"}, id="from afar"),
    ],
)
def test_anything_unusual_is_shown_too(record, shown):
    """A line is strict JSON whatever was logged, and nothing is lost."""
    assert line_of(record) == {**PLAIN, **shown}


def test_context_that_is_not_flat_is_shown():
    """What was bound may be a list or a mapping, too."""
    with bound_context(rooms=["lobby", "attic"]):
        assert beside(make_record()) == {"rooms": ["lobby", "attic"]}


def test_records_of_another_class_are_shown():
    """An application may have set a record class of its own."""

    class Record(logging.LogRecord):
        pass

    record = Record("app.chat", logging.INFO, "", 1, "hello", (), None)
    record.room = "lobby"

    assert beside(record) == {"room": "lobby"}


NAMES = st.sampled_from(
    [
        "room",
        "n",
        "exception",
        "stack",
        "caller",
        "event",
        "level",
        "trace_id",
        "message",
        "websocket",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=2),
    st.datetimes(),
    st.uuids(),
    st.binary(),
)
MESSAGES = st.one_of(st.text(), st.integers(), st.dictionaries(NAMES, st.integers(), max_size=2))


def through_the_general_path(record):
    """What a line is when a processor, which changes nothing, makes the short way impossible."""
    return JsonFormatter(processors=[lambda logger, method, event: event]).encode(record)


@given(MESSAGES, st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, VALUES), st.booleans())
@example("hello", {"exception": "mine"}, {}, True)
@example("hello", {"exc_text": "Traceback"}, {}, False)
def test_the_short_way_makes_the_same_line(message, fields, bound, native):
    """Simple records take a short way to their line; where it leads is where the long one does."""
    with bound_context(**bound):
        record = (make_event if native else make_record)(message, **fields)
        line = JsonFormatter().encode(record)
        made = bare(message, **fields)
        if native and SURPRISING.isdisjoint(fields) and is_bare(message, fields, made[-1]):
            line = JsonFormatter().line_of(made)

        assert line == through_the_general_path(record)


@given(MESSAGES, st.dictionaries(st.sampled_from(["room", "n", "trace_id_", "user"]), VALUES))
def test_native_and_foreign_lines_are_the_same(message, fields):
    """There is one schema: nothing in a line tells which interface it came from."""
    foreign = make_record(message, **fields)
    ContextFilter().filter(foreign)

    native = make_event(message, **fields)

    assert JsonFormatter().encode(foreign) == JsonFormatter().encode(native)


@given(st.dictionaries(st.text(), VALUES))
def test_no_line_is_broken(fields):
    """One line of valid UTF-8 whose leading keys are the record's own, whatever the fields."""
    created, name, level, message, _, context = bare()
    line = JsonFormatter().encode(Event.of((created, name, level, message, fields, context)))

    read = json.loads(line.decode("utf-8"))
    assert line.endswith(b"\n")
    assert len(line.decode().splitlines()) == 1
    assert {key: read[key] for key in LEADING} == PLAIN


# Exceptions


def test_exceptions_are_structured():
    """An entry for the exception and each of its causes, for machines to read."""
    try:
        try:
            raise KeyError("k")
        except KeyError as error:
            raise ValueError("bad") from error
    except ValueError:
        record = make_record(exc_info=sys.exc_info())

    first, second = line_of(record)["exception"]

    assert (first["type"], first["message"]) == ("ValueError", "bad")
    assert (second["type"], second["message"], second["link"]) == ("KeyError", "'k'", "cause")


def test_exceptions_may_be_text():
    """exceptions="text" is the traceback as the interpreter writes it."""
    exception = line_of(make_record(exc_info=caught(ValueError("bad"))), exceptions="text")[
        "exception"
    ]

    assert exception.startswith("Traceback (most recent call last):\n")
    assert exception.endswith("ValueError: bad")


def test_no_exception_is_no_key():
    """Neither of the two ways shows a key without an exception."""
    assert beside(make_record(exc_info=(None, None, None)), exceptions="text") == {}
    assert beside(make_record(exc_info=(None, None, None))) == {}


def test_another_kind_of_exceptions_is_refused():
    """The message names the two that there are."""
    with pytest.raises(ValueError, match="exceptions: expected 'structured' or 'text', got 'list'"):
        JsonFormatter(exceptions="list")


# Our own options


def test_processors_run_on_native_and_foreign_events():
    """As they are, or as YAML names them."""

    def add_region(logger, method, event):
        return {**event, "region": "eu"}

    options = {"processors": [add_region, "structlog.dev.set_exc_info"]}

    assert beside(make_record(), **options) == beside(make_event(), **options) == {"region": "eu"}


def test_a_processor_may_change_scalars_to_anything():
    """What a processor adds is made plain, like all else."""
    formatter = JsonFormatter(processors=[lambda logger, method, event: {**event, "ids": {7}}])

    assert json.loads(formatter.encode(make_record()))["ids"] == [7]


@pytest.mark.parametrize("options", [{}, {"static_fields": {"region": "eu"}}])
def test_a_dropped_event_is_no_line(options):
    """structlog.DropEvent leaves nothing to write."""

    def drop(logger, method, event):
        raise structlog.DropEvent

    formatter = JsonFormatter(processors=[drop], **options)

    assert formatter.encode(make_record()) == b""
    assert formatter.format(make_record()) == ""


def test_an_unknown_processor_is_refused():
    """When the formatter is made, not when the first line is."""
    with pytest.raises(ConfigError, match=r"processors\[0\]: can't find 'nowhere.to_be_found'"):
        JsonFormatter(processors=["nowhere.to_be_found"])


@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_the_caller_is_shown_on_demand(make):
    """caller=True shows file, line and function."""
    caller = line_of(make(), caller=True)["caller"]

    assert caller == "/app/chat.py:7 handle" if make is make_record else "make_event" not in caller


def test_an_unknown_option_is_refused():
    """As by python-json-logger: a misspelt option isn't passed over."""
    with pytest.raises(TypeError, match="statik_fields"):
        JsonFormatter(statik_fields={})


# python-json-logger's options


@pytest.mark.parametrize(
    ("style", "fmt"),
    [
        pytest.param("%", "%(lineno)d %(funcName)-10s %(levelname)s", id="percent"),
        pytest.param("{", "{lineno} {funcName} {levelname}", id="braces"),
        pytest.param("$", "$lineno ${funcName} $$ $levelname", id="dollars"),
        pytest.param(",", "lineno,funcName,,levelname", id="commas"),
        pytest.param("%", ["lineno", "funcName", "levelname"], id="a list"),
    ],
)
@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_fmt_names_attributes_to_show_beside(make, style, fmt):
    """In every style; the five leading keys stay."""
    line = line_of(make(room="lobby"), fmt, style=style)

    assert {key: line[key] for key in LEADING} == PLAIN
    assert line.keys() - PLAIN.keys() == {"room", "lineno", "funcName", "levelname"}
    assert line["levelname"] == "INFO"
    assert isinstance(line["lineno"], int)


def test_fmt_may_name_what_is_not_there():
    """It is null then."""
    assert beside(make_record(), "%(nothing)s") == {"nothing": None}


def test_fmt_may_name_the_message():
    """A reader that expects python-json-logger's key gets it."""
    assert beside(make_record("hi %s", ("kim",)), "%(message)s") == {"message": "hi kim"}


@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_asctime_is_written_as_datefmt_says(make):
    """If fmt asks for it."""
    assert beside(make(), "%(asctime)s", "%Y", style="%") == {"asctime": "2023"}


@pytest.mark.parametrize(
    "options",
    [
        {"static_fields": {"n": 1}},
        {"defaults": {"n": 1}},
        {"rename_fields": {"m": "n"}},
        {"reserved_attrs": [*RESERVED_ATTRS, "m"]},
        {"timestamp": True},
        {"json_ensure_ascii": False},
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_option_adds_nothing_that_it_was_not_asked_for(options):
    """Whatever option is used, the line is ours: no `message` beside our `event`, say."""
    assert line_of(make_record(n=1), **options) == {**PLAIN, "n": 1}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        pytest.param({"room": "place"}, {**PLAIN, "place": "lobby"}, id="field"),
        pytest.param(
            {"event": "msg"},
            {**{k: v for k, v in PLAIN.items() if k != "event"}, "msg": "hello", "room": "lobby"},
            id="our name",
        ),
        pytest.param(
            {"message": "msg", "levelname": "severity"},
            {
                "timestamp": PLAIN["timestamp"],
                "severity": "info",
                "logger": "app.chat",
                "msg": "hello",
                "trace_id": None,
                "room": "lobby",
            },
            id="their names",
        ),
        pytest.param({"nothing": "x"}, {**PLAIN, "room": "lobby"}, id="missing"),
        pytest.param(
            {"event": "logger", "logger": "event"},
            {**PLAIN, "event": "app.chat", "logger": "hello", "room": "lobby"},
            id="swapped",
        ),
    ],
)
def test_rename_fields_renames_once_and_in_place(names, shown):
    """Keys may be named as we or as python-json-logger name them; their order stays."""
    assert line_of(make_record(room="lobby"), rename_fields=names) == shown


def test_renaming_keeps_the_order():
    """A renamed key stands where the key stood."""
    assert list(line_of(make_record(), rename_fields={"level": "severity"})) == [
        "timestamp",
        "severity",
        "logger",
        "event",
        "trace_id",
    ]


def test_renaming_loses_no_field():
    """A field that has the new name already isn't overwritten."""
    line = line_of(make_record(room="lobby", place="attic"), rename_fields={"room": "place"})

    assert {"lobby", "attic"} <= set(line.values())


def test_keep_missing_shows_renamed_keys_always():
    """They are null when there is nothing to rename."""
    options = {"rename_fields": {"room": "place"}, "rename_fields_keep_missing": True}

    assert beside(make_record(), **options) == {"place": None}
    assert beside(make_record(room="lobby"), **options) == {"place": "lobby"}


def test_static_fields_are_on_every_line():
    """Beside the record's own."""
    assert beside(make_record(n=1), static_fields={"region": "eu"}) == {"n": 1, "region": "eu"}


def test_a_field_of_the_records_own_wins_over_a_static_one():
    """As with python-json-logger: what was said at the call is nearer."""
    assert beside(make_record(region="us"), static_fields={"region": "eu"}) == {"region": "us"}


def test_defaults_give_way():
    """To fields, and to what was bound."""
    defaults = {"room": "none", "user": "nobody", "n": 0}

    with bound_context(user="kim"):
        assert beside(make_record(room="lobby"), defaults=defaults) == {
            "room": "lobby",
            "user": "kim",
            "n": 0,
        }


@pytest.mark.parametrize("option", ["defaults", "static_fields"])
@pytest.mark.parametrize("key", LEADING)
def test_no_option_shadows_a_leading_key(option, key):
    """The five keys of a line are the record's, whatever fields the configuration adds."""
    line = line_of(make_record(), **{option: {key: "mine"}})

    assert {name: line[name] for name in LEADING} == PLAIN


def test_attributes_that_are_not_reserved_are_shown():
    """reserved_attrs names what isn't a field; without a name in it, that attribute is one."""
    reserved = [name for name in RESERVED_ATTRS if name not in ("process", "lineno", "exc_text")]

    line = beside(make_record(), reserved_attrs=reserved)

    assert line == {"process": line["process"], "lineno": 7}


def test_attributes_that_are_reserved_are_hidden():
    """A name that is added to them hides a field of that name."""
    assert beside(make_record(a=1, b=2), reserved_attrs=[*RESERVED_ATTRS, "a"]) == {"b": 2}


def test_a_timestamp_may_have_another_name():
    """True is the one that is there anyway; a text is a key beside it."""
    assert beside(make_record(), timestamp=True) == {}
    assert beside(make_record(), timestamp="at") == {"at": "2023-11-14T22:13:20.250000Z"}


@pytest.mark.parametrize("options", [{}, {"static_fields": {"region": "eu"}}])
def test_prefix_is_before_every_line(options):
    """For readers that find their lines by it."""
    line = JsonFormatter(prefix="@cee: ", **options).encode(make_record())

    assert line.startswith(b"@cee: {")
    assert line.endswith(b"}\n")


def test_exceptions_may_be_a_list_of_lines():
    """exc_info_as_array: the traceback as text, line by line."""
    record = make_record(exc_info=caught(ValueError("bad")))

    exception = line_of(record, exc_info_as_array=True)["exception"]

    assert exception[0] == "Traceback (most recent call last):"
    assert exception[-1] == "ValueError: bad"
    assert "exception" not in line_of(make_record(), exc_info_as_array=True)


def test_stacks_may_be_a_list_of_lines():
    """stack_info_as_array: the stack, line by line."""
    record = make_record(stack_info="Stack:\n  here")

    assert line_of(record, stack_info_as_array=True)["stack"] == ["Stack:", "  here"]
    assert "stack" not in line_of(make_record(), stack_info_as_array=True)


def test_fmt_may_name_exception_and_stack():
    """Under python-json-logger's names, as our line shows them."""
    record = make_record(exc_info=caught(ValueError("bad")), stack_info="Stack: here")

    line = line_of(record, "%(exc_info)s %(stack_info)s")

    assert line["exc_info"][0]["type"] == "ValueError"
    assert line["stack_info"] == "Stack: here"


def test_an_exception_may_be_renamed():
    """By either of its names."""
    record = make_record(exc_info=caught(ValueError("bad")))

    ours = line_of(record, rename_fields={"exception": "error"})
    theirs = line_of(record, rename_fields={"exc_info": "error"})

    assert ours == theirs
    assert ours["error"][0]["message"] == "bad"
    assert "exception" not in ours


class Color(Enum):
    """Something that JSON doesn't know."""

    RED = "red"


def test_json_default_writes_what_json_does_not_know():
    """It is asked for those values only."""

    def default(value):
        return {"is": type(value).__name__}

    line = beside(make_record(a=1, b=1j, c=[1j]), json_default=default)

    assert line == {"a": 1, "b": {"is": "complex"}, "c": [{"is": "complex"}]}


def test_a_json_default_that_fails_loses_no_line():
    """The value is shown as text then."""

    def default(value):
        raise TypeError("not mine")

    assert beside(make_record(a=1, b=1j), json_default=default) == {"a": 1, "b": "1j"}


class Shouting(json.JSONEncoder):
    """Writes what JSON doesn't know in capitals."""

    def default(self, o):
        return str(o).upper()


def test_json_encoder_is_used():
    """A class, as `json.dumps` takes it."""
    assert beside(make_record(b=1j), json_encoder=Shouting) == {"b": "1J"}


def test_without_a_json_encoder_values_are_python_json_loggers():
    """Its encoder knows enums, bytes, dates and exceptions."""
    fields = {
        "e": Color.RED,
        "b": b"x",
        "d": datetime(2024, 5, 5, tzinfo=UTC),
        "x": ValueError("bad"),
    }

    line = beside(make_record(**fields), json_indent=1)

    assert line == json.loads(json.dumps(fields, cls=JsonEncoder))


def test_json_default_is_used_by_another_serializer():
    """All options of the caller's reach the caller's serializer."""
    given = {}

    def serialize(data, **options):
        given.update(options)
        return json.dumps(data, default=options["default"])

    line = beside(
        make_record(b=1j),
        json_serializer=serialize,
        json_default=str,
        json_indent=2,
        json_ensure_ascii=False,
    )

    assert line == {"b": "1j"}
    assert given.pop("default")("b") == "b"
    assert given == {"cls": None, "indent": 2, "ensure_ascii": False}


def test_json_indent_spreads_a_line():
    """For eyes: more than one line each."""
    assert JsonFormatter(json_indent=2).format(make_record()).splitlines()[:2] == [
        "{",
        '  "timestamp": "2023-11-14T22:13:20.250000Z",',
    ]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({}, '"event":"Grüße"', id="default"),
        pytest.param({"json_ensure_ascii": False}, '"event": "Grüße"', id="false"),
        pytest.param({"json_ensure_ascii": True}, '"event": "Gr\\u00fc\\u00dfe"', id="true"),
    ],
)
def test_json_ensure_ascii_escapes_or_not(options, text):
    """Unless it is asked for, text is UTF-8."""
    assert text in JsonFormatter(**options).format(make_record("Grüße"))


def test_an_option_that_fails_loses_no_line():
    """The line is written without it."""

    def serialize(data, **options):
        raise RuntimeError("not my day")

    assert line_of(make_record(n=1), json_serializer=serialize) == {**PLAIN, "n": 1}


# What subclasses override


def test_add_fields_may_be_overridden():
    """A subclass adds its own after ours, or before."""

    class Mine(JsonFormatter):
        def add_fields(self, log_data, record, message_dict):
            super().add_fields(log_data, record, message_dict)
            log_data["region"] = "eu"
            del log_data["logger"]

    line = json.loads(Mine().encode(make_record(n=1)))

    assert line == {**{k: v for k, v in PLAIN.items() if k != "logger"}, "n": 1, "region": "eu"}


@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_an_override_sees_a_whole_record(make):
    """Attributes of a native event are there when a subclass reads them first."""

    class Mine(JsonFormatter):
        def add_fields(self, log_data, record, message_dict):
            log_data["module"] = record.module
            super().add_fields(log_data, record, message_dict)

    assert "module" in json.loads(Mine().encode(make()))


@pytest.mark.parametrize("make", [make_record, make_event], ids=["foreign", "native"])
def test_a_format_that_is_not_ours_sees_a_whole_record(make):
    """It may write the line by itself, of what `logging` promises."""

    class Mine(JsonFormatter):
        def format(self, record):
            return f"{record.levelname} {record.getMessage()}"

    assert Mine().encode(make()) == b"INFO hello\n"


def test_message_dict_is_shown():
    """What a subclass passes on as the message's own fields is shown."""

    class Mine(JsonFormatter):
        def add_fields(self, log_data, record, message_dict):
            super().add_fields(log_data, record, {"n": 1})

    assert json.loads(Mine().encode(make_record()))["n"] == 1


def test_process_log_record_may_be_overridden():
    """It changes what is written."""

    class Mine(JsonFormatter):
        def process_log_record(self, log_data):
            return {"only": log_data["event"]}

    assert json.loads(Mine().encode(make_record())) == {"only": "hello"}


def test_jsonify_log_record_may_be_overridden():
    """It writes the line itself."""

    class Mine(JsonFormatter):
        def jsonify_log_record(self, log_data):
            return "|".join(map(str, log_data.values()))

    line = Mine().encode(make_record("Grüße \ud800"))

    assert line.decode() == "2023-11-14T22:13:20.250000Z|info|app.chat|Grüße \\ud800|None\n"


def test_format_exception_may_be_overridden():
    """Where exceptions are text."""

    class Mine(JsonFormatter):
        def formatException(self, ei):
            return f"{ei[0].__name__}!\n{ei[1]}!"

    record = make_record(exc_info=caught(ValueError("bad")))

    assert json.loads(Mine(exceptions="text").encode(record))["exception"] == "ValueError!\nbad!"
    assert json.loads(Mine(exc_info_as_array=True).encode(record))["exception"] == [
        "ValueError!",
        "bad!",
    ]
    assert "exception" not in json.loads(Mine(exceptions="text").encode(make_record()))


def test_format_time_may_be_overridden():
    """It writes `asctime`."""

    class Mine(JsonFormatter):
        def formatTime(self, record, datefmt=None):
            return "noon"

    assert json.loads(Mine("%(asctime)s").encode(make_record()))["asctime"] == "noon"


def test_format_may_be_overridden():
    """Our handlers write what `format` gives, as all handlers do."""

    class Mine(JsonFormatter):
        def format(self, record):
            return f"> {super().format(record)}"

    assert Mine().encode(make_record()) == f"> {LEADING_LINE}}}\n".encode()


def test_an_override_that_fails_loses_no_line():
    """The line is written as if it weren't there."""

    class Mine(JsonFormatter):
        def process_log_record(self, log_data):
            raise RuntimeError("not my day")

    assert json.loads(Mine().encode(make_record(n=1))) == {**PLAIN, "n": 1}


def test_a_dropped_event_stays_dropped_when_an_override_fails():
    """Nothing is written for an event that a processor dropped."""

    def drop(logger, method, event):
        raise structlog.DropEvent

    class Mine(JsonFormatter):
        def add_fields(self, log_data, record, message_dict):
            super().add_fields(log_data, record, message_dict)
            raise RuntimeError("not my day")

    assert Mine(processors=[drop]).encode(make_record()) == b""


def test_a_context_is_masked():
    """What was bound, by the names of all and by a formatter's own, on the short way as well."""
    own = JsonFormatter(secret_keys=["room"])
    with bound_context(token="abc", room="lobby", user_id="kim"):
        plain = json.loads(JsonFormatter().encode(make_event(size=1)))
        masked = json.loads(own.encode(make_event(size=1)))
    with bound_context(user_id="kim", room="lobby"):
        kept = JsonFormatter().line_of(bare(size=1))
        refused = own.line_of(bare(size=1))
    with bound_context(user_id="kim"):
        written, again = own.line_of(bare(size=1)), own.line_of(bare(room="x"))

    assert (plain["token"], plain["room"], plain["user_id"]) == ("[redacted]", "lobby", "kim")
    assert (masked["token"], masked["room"]) == ("[redacted]", "[redacted]")
    assert (again, refused) == (b"", b"")
    assert json.loads(kept)["room"] == "lobby"
    assert json.loads(written)["user_id"] == "kim"


@pytest.mark.parametrize("exceptions", ["structured", "text"])
def test_an_exception_is_masked(exceptions):
    """Its message, its notes, and what the stack says."""
    error = ValueError("postgresql://app:hunter2@db/x")
    error.add_note("token=hunter2")
    record = make_record(exc_info=caught(error), stack_info="Stack:\n  f(password='hunter2')")

    line = JsonFormatter(exceptions=exceptions).encode(record)

    assert b"hunter2" not in line
    assert line.count(b"[redacted]") == 3


def test_a_dict_as_message_and_arguments_are_masked():
    """However the standard library's loggers are called."""
    by_dict = line_of(make_record({"message": "sent Bearer hunter2hunter2", "password": "x1"}))
    by_args = line_of(make_record("logged in with password=%s", ("hunter2",)))

    assert by_dict == {**PLAIN, "event": "sent Bearer [redacted]", "password": "[redacted]"}
    assert by_args == {**PLAIN, "event": "logged in with password=[redacted]"}


class Account:
    """Something that only the application's encoder knows."""

    def as_data(self):
        return {"name": "kim", "password": "hunter2"}


class AccountEncoder(json.JSONEncoder):
    """An encoder of the application's."""

    def default(self, value):
        return value.as_data()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"json_default": Account.as_data}, id="default"),
        pytest.param({"json_default": Account.as_data, "json_indent": 1}, id="default, indented"),
        pytest.param({"json_encoder": AccountEncoder}, id="encoder"),
        pytest.param({"rename_fields": {"password": "pw"}, "json_default": vars}, id="renamed"),
    ],
)
def test_code_of_others_sees_no_secret_nor_writes_one(options):
    """Fields are masked before an encoder of the application's gets them, and after."""
    record = make_record(account=Account(), password="hunter2", nested=[{"token": "hunter2"}])

    line = JsonFormatter(**options).encode(record)

    assert b"hunter2" not in line
    assert line.count(b"[redacted]") >= 2


def test_an_encoder_that_is_no_class_gets_what_was_masked():
    """It is passed on as it is: nobody but the caller's serializer knows what it is."""
    given = []

    def serialize(data, **options):
        given.append(options["cls"])
        return json.dumps(data)

    line = line_of(make_record(token="x1"), json_encoder="mine", json_serializer=serialize)

    assert line["token"] == "[redacted]"
    assert given == ["mine"]
