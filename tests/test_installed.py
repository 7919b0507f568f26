"""The configuration in use, and how a new one takes its place."""

from __future__ import annotations

import io
import logging

import pytest

import tracelog
from tracelog import installed, outside_tasks
from tracelog.handlers import StreamHandler
from tracelog.records import ContextFilter
from tracelog.installed import LoggerPlan, Plan, install, release_unless_wanted


@pytest.fixture(autouse=True)
def _nothing_installed():
    yield
    outside_tasks.release()
    installed.made.clear()
    installed._configured.clear()


def logger_plan(level=None, handlers=None, filters=None, propagate=None):
    return LoggerPlan(level, handlers, filters, propagate)


def plan(loggers=None, handlers=None, *, disable=False, **options):
    return Plan(loggers or {}, handlers or {}, {}, disable, incremental=False, **options)


def logger(name="app"):
    return logging.getLogger(name)


class Kept(logging.Handler):
    closed = False

    def close(self):
        self.closed = True


def test_what_was_configured_is_taken_back():
    """Levels, handlers, filters and propagation are as if it had never been."""
    first, mine = Kept(), logging.Filter("mine")
    theirs = logging.Filter("theirs")
    logger().addFilter(theirs)
    app = logger_plan(logging.DEBUG, [first], [mine], propagate=False)
    install(plan({"app": app, "": logger_plan(logging.ERROR)}, {"out": first}))
    during = (logger().level, logger().handlers, logger().filters, logger().propagate, first.name)

    install(plan())

    assert during == (logging.DEBUG, [first], [mine, theirs], False, "out")
    assert (logger().level, logger().handlers, logger().propagate) == (logging.NOTSET, [], True)
    assert (logger().filters, first.closed) == ([theirs], True)
    assert logging.root.level == logging.WARNING


@pytest.mark.parametrize("name", ["stdout", None])
def test_handlers_of_ours_make_way_if_a_dict_config_named_them(name):
    """One without a name is what the application has attached by itself."""
    ours = StreamHandler(io.StringIO())
    ours.name = name
    logger("app").handlers = [ours]

    install(plan({"app": logger_plan(handlers=[])}))

    assert logger("app").handlers == ([] if name else [ours])


def test_stock_handlers_make_way_where_handlers_are_configured():
    """Those that a tool attached stay; and where only a level is, all do."""
    stock, other, tool, new = logging.StreamHandler(), logging.StreamHandler(), Kept(), Kept()
    logger("app").handlers = [stock, tool]
    logger("db").handlers = [other, tool]

    install(plan({"app": logger_plan(handlers=[new]), "db": logger_plan(logging.INFO)}))

    assert logger("app").handlers == [new, tool]
    assert logger("db").handlers == [other, tool]


def test_existing_loggers_may_be_disabled_and_come_back():
    """But for those that are configured, and those below them."""
    names = ("app", "app.db", "other")
    for name in names:
        logger(name)

    install(plan({"app": logger_plan()}, disable=True))
    disabled = [logger(name).disabled for name in names]
    install(plan())

    assert disabled == [False, False, True]
    assert not any(logger(name).disabled for name in names)


def test_an_increment_sets_levels():
    """And takes nothing back."""
    handler = Kept()
    install(plan({"app": logger_plan(logging.INFO, [handler])}, {"out": handler}))

    install(
        Plan(
            *({"app": logger_plan(logging.DEBUG)}, {}, {handler: logging.ERROR}),
            disable_existing=False,
            incremental=True,
        )
    )

    assert (logger().level, logger().handlers) == (logging.DEBUG, [handler])
    assert (handler.level, handler.closed) == (logging.ERROR, False)


def test_a_handler_that_cannot_be_closed_is_let_go_of(caplog):
    """The new configuration is in place; the old one's rules for single users are over."""

    class Clinging(logging.Handler):
        def close(self):
            raise OSError("no")

    handler = Clinging()
    handler.addFilter(logging.Filter("app"))
    handler.addFilter(tracelog.Focus(rules=[{"user_id": "kim"}]))
    tracelog.bind_context(user_id="kim")
    install(plan({}, {"out": handler}))

    install(plan())

    assert "couldn't be closed" in caplog.text
    assert not logger().isEnabledFor(logging.DEBUG)


def test_lines_outside_of_tasks_are_followed_while_that_is_wanted():
    """By a filter of what is in use."""
    install(plan(outside_tasks=True))
    followed = outside_tasks.is_followed()
    install(plan())

    assert followed
    assert not outside_tasks.is_followed()


@pytest.mark.parametrize("wanted", [True, False])
def test_they_are_released_unless_that_is_wanted(wanted):
    """A configuration was refused, but another thread's may be in place by now."""
    handler = Kept()
    if wanted:
        handler.addFilter(ContextFilter(outside_tasks=True))
    installed.made.add(handler)
    outside_tasks.follow()

    release_unless_wanted()

    assert outside_tasks.is_followed() == wanted
