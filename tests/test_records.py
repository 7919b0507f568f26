"""Log records: what they carry, and how they are read, native and foreign alike."""

from __future__ import annotations

import logging
import sys
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog import outside_tasks, records
from tracelog.context import (
    bind_context,
    bound_context,
    clear_context,
    current_context,
    new_trace,
)
from tracelog.fields import LEADING
from tracelog.logger import get_logger
from tracelog.records import (
    ContextFilter,
    Event,
    caller_of,
    context_of,
    exception_of,
    fields_of,
    message_of,
    name_of_level,
    stack_of,
    without_leading,
    is_bare,
)


class Kept(logging.Handler):
    """Keeps the records that it is given, in the thread that made them."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


class Broken:
    """Raises from whatever is done to it."""

    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class WebSocket:
    """Has an id, as a connection of the websockets library has."""

    def __init__(self, id):
        self.id = id


@pytest.fixture
def kept():
    handler = Kept()
    logger = logging.getLogger("records")
    logger.setLevel(1)
    logger.propagate = False
    logger.addHandler(handler)
    yield handler.records
    logger.removeHandler(handler)


def make_record(
    msg="hello", args=(), *, name="records", level=logging.INFO, exc_info=None, **extra
):
    record = logging.LogRecord(name, level, "app.py", 7, msg, args, exc_info, "handle")
    record.__dict__.update(extra)
    return record


def make_event(**fields):
    context = context_of(make_record())
    return Event.of((1_700_000_000.123456, "records", logging.INFO, "hello", fields, context))


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def fields_now(record):
    return fields_of(record, context_of(record))


# Events


def test_a_native_event_is_an_ordinary_record_to_other_handlers(kept):
    """Whoever isn't ours gets a record with every attribute, its fields and context as extra."""
    bind_context(user="kim")

    get_logger("records").warning("hello %s", "lobby", room=1)

    [record] = kept
    ordinary = logging.LogRecord("", 0, "", 0, "", (), None)
    assert vars(ordinary).keys() <= vars(record).keys()
    assert record.getMessage() == "hello lobby"
    assert (record.levelname, record.name, record.args) == ("WARNING", "records", ("lobby",))
    assert (record.pathname, record.filename) == (__file__, "test_records.py")
    assert record.funcName == "test_a_native_event_is_an_ordinary_record_to_other_handlers"
    assert (record.room, record.user, record.trace_id) == (1, "kim", None)


def test_the_costly_half_of_an_event_comes_with_completion():
    """Caller, thread and process are found for those who ask for a whole record only."""
    event = make_event()
    before = set(vars(event))

    event.complete()

    assert before.isdisjoint({"pathname", "threadName", "process", "levelname"})
    assert (event.threadName, event.module, event.msecs) == ("MainThread", "test_records", 123.0)


def test_completing_twice_changes_nothing():
    """The second handler finds what the first one found."""
    event = make_event(room="lobby")
    event.complete()
    before = dict(vars(event))

    event.complete()

    assert vars(event) == before


def test_times_of_a_completed_event_are_those_of_the_call():
    """`created` isn't changed, and `relativeCreated` agrees with it to the microsecond."""
    event = make_event()
    ordinary = make_record()

    event.complete()

    start = ordinary.created - ordinary.relativeCreated / 1000
    assert event.created == 1_700_000_000.123456
    assert event.created - event.relativeCreated / 1000 == pytest.approx(start, abs=1e-5)


def test_fields_never_replace_attributes_of_a_record():
    """A field that is called like an attribute stays a field, and the record's own stays as it is."""
    event = make_event(args="mine", message="mine", name="mine", lineno="mine")

    event.complete()

    assert (event.args, event.name) == ((), "records")
    assert isinstance(event.lineno, int)
    assert fields_now(event)["lineno"] == "mine"


def test_fields_never_replace_methods_of_a_record(kept):
    """Other handlers call them."""
    get_logger("records").info("hello %s", "kim", getMessage="mine", complete=True)

    [record] = kept
    assert record.getMessage() == "hello kim"
    assert fields_now(record) == {"getMessage": "mine", "complete": True}


def test_a_stacklevel_is_no_field(kept):
    """Formatters of others show every attribute that ordinary records haven't."""
    get_logger("records").info("hello", stacklevel=1)

    assert "depth" not in vars(kept[0])


def test_attributes_of_a_record_factory_are_fields(kept):
    """What an application's own record factory adds is shown, unless the event says otherwise."""
    factory = logging.getLogRecordFactory()

    def make(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.region = "eu"
        record.room = "from the factory"
        return record

    logging.setLogRecordFactory(make)
    try:
        get_logger("records").info("hello", room="lobby")
    finally:
        logging.setLogRecordFactory(factory)

    [record] = kept
    assert (record.region, record.room) == ("eu", "lobby")
    assert record.fields == {"region": "eu", "room": "lobby"}


# The context filter


def test_the_filter_gives_foreign_records_their_context():
    """Any formatter can use %(trace_id)s afterwards; a value that is there already stays."""
    trace = new_trace()
    bind_context(room="lobby", user="kim")
    record = make_record(user="lee")

    passed = ContextFilter().filter(record)

    assert passed is True
    assert (record.trace_id, record.span_id) == (trace.trace_id, trace.span_id)
    assert (record.room, record.user) == ("lobby", "lee")


def test_the_first_filter_decides():
    """A record keeps the context that it was made in when it passes another filter later."""
    record = make_record()
    with bound_context(user="kim"):
        ContextFilter().filter(record)

    with bound_context(user="lee"):
        ContextFilter().filter(record)

    assert record.user == "kim"
    assert context_of(record).fields["user"] == "kim"


def test_the_filter_leaves_native_events_alone():
    """They hold their context already."""
    event = make_event()
    before = dict(vars(event))

    assert ContextFilter().filter(event) is True

    assert vars(event) == before


def test_what_the_filter_added_is_no_field():
    """Context isn't shown twice: fields of a record are those that its maker gave."""
    bind_context(user="kim")
    record = make_record(room="lobby")

    ContextFilter().filter(record)

    assert fields_now(record) == {"room": "lobby"}


def test_a_connection_is_replaced_by_its_id_before_it_dies():
    """websockets' loggers pass a weak proxy, dead by the time another thread looks."""
    connection = WebSocket("c-1")
    record = make_record(websocket=weakref.proxy(connection))

    ContextFilter().filter(record)
    del connection

    assert fields_now(record) == {"websocket": "c-1"}


def test_a_dead_connection_is_text():
    """Without the filter the connection may be gone; that is no error."""
    connection = WebSocket("c-1")
    record = make_record(websocket=weakref.proxy(connection))
    del connection

    assert fields_now(record) == {"websocket": "<unprintable ProxyType object>"}


def test_the_filter_keeps_what_a_queue_handler_mixes_up():
    """A QueueHandler makes one text of message, traceback and stack; ours stay apart."""
    record = make_record("hello %s", ("kim",), exc_info=caught(ValueError("bad")))
    record.stack_info = "Stack:\n  here"

    ContextFilter().filter(record)
    record.msg = record.message = "hello kim\nTraceback …\nStack:\n  here"
    record.args = record.exc_info = record.exc_text = record.stack_info = None

    assert message_of(record) == "hello kim"
    assert [entry["type"] for entry in exception_of(record)] == ["ValueError"]
    assert exception_of(record, as_text=True) == "ValueError: bad"
    assert stack_of(record) == "Stack:\n  here"


def test_what_a_queue_handler_mixes_up_is_kept_of_native_events(kept):
    """They need no filter for it: whoever isn't ours gets them complete."""
    get_logger("records").error("hello", exc_info=ValueError("bad"), stack_info=True)

    [event] = kept
    event.msg = event.message = "hello\nTraceback …\nStack:\n  here"
    event.exc_info = event.exc_text = event.stack_info = None

    assert message_of(event) == "hello"
    assert exception_of(event, as_text=True) == "ValueError: bad"
    assert stack_of(event).startswith("Stack (most recent call last):\n")


def test_a_kept_record_with_a_stack_only_has_no_exception():
    """What wasn't there when the record was made isn't there behind the queue."""
    record = make_record()
    record.stack_info = "Stack:\n  here"

    ContextFilter().filter(record)
    record.stack_info = None

    assert exception_of(record) is None
    assert exception_of(record, as_text=True) is None
    assert stack_of(record) == "Stack:\n  here"


def test_an_exception_that_is_text_already_stays_text():
    """A record from another process has its traceback as text; the filter keeps it so."""
    record = make_record(exc_text="ValueError: bad")
    record.stack_info = "Stack:\n  here"

    ContextFilter().filter(record)

    assert exception_of(record) == "ValueError: bad"
    assert exception_of(record, as_text=True) == "ValueError: bad"


def test_the_filter_may_follow_lines_outside_of_tasks():
    """It wraps methods of others for that, hence only when it is asked to."""
    outside_tasks.release()
    ContextFilter()
    before = outside_tasks.is_followed()
    ContextFilter(outside_tasks=True)
    followed = outside_tasks.is_followed()
    outside_tasks.release()

    assert (before, followed) == (False, True)


# Reading


def test_a_record_that_was_not_told_has_the_current_context():
    """Without a filter the reader's own context is the best guess."""
    clear_context()

    with bound_context(user="kim"):
        assert context_of(make_record()).fields["user"] == "kim"

    assert "user" not in context_of(make_record()).fields


def test_extra_is_fields_and_nothing_else_is():
    """Attributes that every record has, or that formatters leave behind, are no fields."""
    record = make_record(room="lobby", color_message="\x1b[1mhello", taskName="Task-1")
    logging.Formatter("%(asctime)s %(message)s").format(record)

    assert fields_now(record) == {"room": "lobby"}


@pytest.mark.parametrize(
    ("message", "event", "fields"),
    [
        pytest.param({"event": "hello", "n": 1}, "hello", {"n": 1}, id="event"),
        pytest.param({"message": "hello"}, "hello", {}, id="message"),
        pytest.param({"n": 1, 5: "five"}, "", {"n": 1, "5": "five"}, id="neither"),
    ],
)
def test_a_dict_as_message_is_fields(message, event, fields):
    """`log.info({...})` gives the message that the dict names, and its other keys as fields."""
    record = make_record(message)

    assert message_of(record) == event
    assert fields_now(record) == fields


def test_extra_wins_over_a_dict_as_message():
    """What was said last, and outside the message, counts."""
    record = make_record({"room": "lobby", "n": 1}, room="attic")

    assert fields_now(record) == {"room": "attic", "n": 1}


@given(st.dictionaries(st.sampled_from([*LEADING, "room", "trace_id_"]), st.integers()))
def test_fields_never_shadow_the_leading_keys(fields):
    """Whatever a user's field is called, the five keys of every line stay the record's own."""
    kept = without_leading(fields)

    assert kept.keys().isdisjoint(LEADING)
    assert list(kept.values()) == list(fields.values())
    assert all(name.rstrip("_") == key.rstrip("_") for name, key in zip(kept, fields, strict=True))


def test_a_field_that_is_named_so_already_stays():
    """What is moved aside replaces nothing."""
    assert without_leading({"level": 1, "level_": 2}) == {"level__": 1, "level_": 2}


def test_a_leading_key_in_extra_is_kept_beside():
    """`extra={"level": …}` is a field of another name, and nothing is lost."""
    record = make_record(room="lobby")
    record.level = 3

    assert fields_now(record) == {"level_": 3, "room": "lobby"}


def test_access_arguments_of_uvicorn_are_fields():
    """The five arguments of uvicorn.access have names; anything else it logs is a message."""
    args = ("127.0.0.1:1", "GET", "/", "1.1", 200)
    line = '%s - "%s %s HTTP/%s" %d'

    five = make_record(line, args, name="uvicorn.access")
    other = make_record("%s", ("x",), name="uvicorn.access")
    mapping = make_record("%(a)s", ({"a": 1},), name="uvicorn.access")

    assert fields_now(five) == {
        "client": "127.0.0.1:1",
        "method": "GET",
        "path": "/",
        "http_version": "1.1",
        "status": 200,
    }
    assert fields_now(other) == fields_now(mapping) == {}


@pytest.mark.parametrize(
    ("message", "args", "text"),
    [
        pytest.param("hello", (), "hello", id="text"),
        pytest.param("100 %", (), "100 %", id="percent without arguments"),
        pytest.param("hello %s", ("kim",), "hello kim", id="arguments"),
        pytest.param("%(a)s", ({"a": 1},), "1", id="mapping"),
        pytest.param(42, (), "42", id="number"),
        pytest.param("no place", ("kim",), "no place ('kim',)", id="too many arguments"),
        pytest.param("%d", ("kim",), "%d ('kim',)", id="wrong kind"),
        pytest.param("\ud800", (), "\\ud800", id="lone surrogate"),
        pytest.param(Broken(), (), "<unprintable Broken object>", id="broken message"),
        pytest.param("%s", (Broken(),), "%s <unprintable tuple object>", id="broken argument"),
    ],
)
def test_a_message_is_always_text(message, args, text):
    """Arguments that don't fit, or whose own code raises, never lose the message."""
    assert message_of(make_record(message, args)) == text


def test_an_exception_is_data_or_text():
    """The same exception can be read by machines, or as the interpreter would write it."""
    record = make_record(exc_info=caught(ValueError("bad")))

    [entry] = exception_of(record)
    text = exception_of(record, as_text=True)

    assert (entry["type"], entry["message"]) == ("ValueError", "bad")
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("\nValueError: bad")


@pytest.mark.parametrize("exc_info", [None, (None, None, None), False])
def test_no_exception_is_none(exc_info):
    """A record that was made outside an except block has none, whatever `exc_info` says."""
    assert exception_of(make_record(exc_info=exc_info)) is None


def test_the_place_of_a_record_is_one_text():
    """File, line and function, as an editor jumps to it."""
    assert caller_of(make_record()) == "app.py:7 handle"
    assert caller_of(make_event()).endswith(" test_the_place_of_a_record_is_one_text")


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (5, "trace"),
        (logging.DEBUG, "debug"),
        (logging.WARN, "warning"),
        (logging.FATAL, "critical"),
        (33, "level 33"),
    ],
)
def test_levels_are_lower_case(level, name):
    """One spelling a level, aliases or not; a number without a name is told as `logging` does."""
    assert name_of_level(make_record(level=level)) == name


def test_a_record_factory_that_raises_is_done_without():
    """Completing an event never fails for it: the standard library's record serves as well."""

    def fail(*_args):
        raise ValueError

    before = logging.getLogRecordFactory()
    event = make_event(room="lobby")
    logging.setLogRecordFactory(fail)
    try:
        event.complete()
    finally:
        logging.setLogRecordFactory(before)

    assert (event.getMessage(), event.room) == ("hello", "lobby")


def test_the_line_of_code_is_told_of_any_record():
    """Of a half, it is the line that is logging; of a whole one, what it says, anywhere."""
    whole = logging.LogRecord("app", logging.INFO, "app.py", 7, "hello", (), None)
    half = records.Event.of((1.0, "app", logging.INFO, "hello", {}, records.context_of(whole)))

    path, line = records.site_of(half)

    assert records.site_of(whole) == ("app.py", 7)
    assert path == __file__
    assert line > 0


def test_a_record_may_be_marked_later():
    """For our formatters and for others; an event's own fields stay as they were given."""
    own = {"room": "lobby"}
    foreign = logging.makeLogRecord({"name": "app"})
    native = records.Event.of((1.0, "app", 20, "hello", own, records.context_of(foreign)))

    for record in (foreign, native):
        records.mark(record, {"replayed": True})

    assert foreign.replayed
    assert native.replayed
    assert native.fields == {"room": "lobby", "replayed": True}
    assert own == {"room": "lobby"}


def test_what_is_bare_has_no_secret_anywhere():
    """Neither its text, nor its fields, nor what it is about; else it needs a record."""
    plain = current_context()
    with bound_context(token="hunter2"):
        secret = current_context()

    assert is_bare("hello", {"room": "lobby"}, plain)
    assert not is_bare("token=hunter2", {}, plain)
    assert not is_bare("hello", {"token": "hunter2"}, plain)
    assert not is_bare("hello", {"rooms": ["lobby"]}, plain)
    assert not is_bare("hello", {}, secret)
