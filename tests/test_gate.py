"""Levels that are lower for some flows."""

from __future__ import annotations

import logging

import pytest

import tracelog
from tracelog import gate
from tracelog.errors import ConfigError
from tracelog.gate import is_open, let, read_rules
from tracelog.logger import _Unregistered, get_logger


STOCK = logging.Logger.isEnabledFor
KIM = read_rules([{"user_id": "kim"}], where="rules")


@pytest.fixture(autouse=True)
def _no_rules():
    """Rules are the process's: none is left behind."""
    yield
    for owner in list(gate._owned):
        let(owner)
    assert logging.Logger.isEnabledFor is STOCK


@pytest.fixture
def seen(caplog):
    """Events of the loggers below "app", which are at INFO."""
    logging.getLogger("app").setLevel("INFO")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("make", [logging.getLogger, get_logger], ids=["logging", "tracelog"])
def test_a_rule_lowers_the_level_of_its_flow_only(make, seen):
    """Others' lines aren't made: their handlers, whoever's, are spared them."""
    log = make("app.chat")
    for user in ("kim", "lee"):
        with tracelog.bound_context(user_id=user):
            log.debug("before")
    let("me", KIM)

    for user in ("lee", "kim", "lee", "kim"):
        with tracelog.bound_context(user_id=user):
            log.debug(user)
            log.info(f"{user} at info")

    assert seen() == ["lee at info", "kim", "kim at info"] * 2


@pytest.mark.parametrize("make", [logging.getLogger, get_logger], ids=["logging", "tracelog"])
def test_a_rule_that_is_taken_back_leaves_nothing(make, seen):
    """Levels are what they were, and `logging`'s own method is in its place."""
    log = make("app.chat")
    tracelog.bind_context(user_id="kim")
    let("me", KIM)
    log.debug("while")

    let("me")
    log.debug("after")

    assert seen() == ["while"]
    assert logging.Logger.isEnabledFor is STOCK
    assert logging.getLogger("app").level == logging.INFO


def test_without_a_rule_nothing_is_there():
    """Whoever has none may say so."""
    let("me", ())

    assert logging.Logger.isEnabledFor is STOCK


def test_levels_that_are_set_meanwhile_stay(seen):
    """A rule changes no level: whoever sets one finds it set."""
    let("me", KIM)
    logging.getLogger("app").setLevel("ERROR")
    get_logger("app").warning("lee's")
    tracelog.bind_context(user_id="kim")
    get_logger("app").warning("kim's")

    let("me")
    get_logger("app").warning("nobody's")

    assert seen() == ["kim's"]
    assert logging.getLogger("app").level == logging.ERROR


def test_a_rule_goes_down_to_its_level():
    """INFO for a flow of a service that is at WARNING isn't DEBUG."""
    log = logging.getLogger("app")
    log.setLevel("WARNING")
    let("me", read_rules([{"user_id": "kim", "level": "info"}], where="rules"))
    tracelog.bind_context(user_id="kim")

    enabled = [log.isEnabledFor(level) for level in (logging.DEBUG, logging.INFO, logging.WARNING)]

    assert enabled == [False, True, True]


def test_owners_do_not_know_of_each_other():
    """The rules of all of them apply, until each takes back its own."""
    log = logging.getLogger("app")
    log.setLevel("INFO")
    let("me", KIM)
    let("you", read_rules([{"user_id": "lee"}], where="rules"))
    let("me")

    with tracelog.bound_context(user_id="kim"):
        assert not log.isEnabledFor(logging.DEBUG)
    with tracelog.bound_context(user_id="lee"):
        assert log.isEnabledFor(logging.DEBUG)


def test_what_is_disabled_stays_so(seen):
    """`logging.disable` and a logger that is disabled are stronger than any level."""
    let("me", KIM)
    tracelog.bind_context(user_id="kim")
    log = logging.getLogger("app")

    logging.disable(logging.DEBUG)
    log.debug("disabled for all")
    logging.disable(logging.NOTSET)
    log.disabled = True
    log.debug("disabled")

    assert seen() == []


def test_loggers_that_logging_does_not_know_follow():
    """Past the first hundreds, names have a logger that goes with its holder."""
    logging.getLogger("app").setLevel("INFO")
    log = _Unregistered("app.made.up")
    let("me", KIM)

    assert not log.isEnabledFor(logging.DEBUG)
    tracelog.bind_context(user_id="kim")
    assert log.isEnabledFor(logging.DEBUG)


def test_whoever_wraps_it_too_gives_it_back():
    """Ours below theirs asks nobody any more, and changes nothing."""
    let("me", KIM)
    ours = logging.Logger.isEnabledFor
    theirs = lambda self, level: ours(self, level)  # noqa: E731 -- a wrapper
    logging.Logger.isEnabledFor = theirs
    tracelog.bind_context(user_id="kim")
    log = logging.getLogger("app")
    log.setLevel("INFO")

    let("me")

    assert logging.Logger.isEnabledFor is theirs
    assert not log.isEnabledFor(logging.DEBUG)
    logging.Logger.isEnabledFor = STOCK


def test_a_value_that_cannot_be_compared_fits_no_rule():
    """Asking whether a level is on never raises."""

    class Strange:
        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None

    let("me", read_rules([{"user_id": 5}], where="rules"))
    tracelog.bind_context(user_id=Strange())

    assert not is_open(tracelog.context.current_context(), logging.DEBUG)


@pytest.mark.parametrize(
    ("drafts", "where"),
    [
        ({"user_id": "kim"}, "rules"),
        ("kim", "rules"),
        (5, "rules"),
        (["kim"], "rules[0]"),
        ([{"user_id": "kim"}, {"level": "DEBUG"}], "rules[1]"),
        ([{"user_id": "kim", "level": "LOUD"}], "rules[0].level"),
    ],
    ids=["a mapping", "a text", "a number", "no mapping", "for nobody", "no level"],
)
def test_rules_that_make_no_sense_are_refused(drafts, where):
    """The error says which, and shows what one looks like."""
    with pytest.raises(ConfigError) as error:
        read_rules(drafts, where=where.partition("[")[0])

    assert error.value.where == where


def test_an_empty_file_has_no_rules():
    """That is what YAML says of one: null."""
    assert read_rules(None, where="focus.yaml") == ()
