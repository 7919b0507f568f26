"""Ids from the network: nothing unsound is taken over, nothing raises."""

from __future__ import annotations

from laboratory import Broken, Fault


TRACE = "0af7651916cd43dd8448eb211c80319c"
GOOD = f"00-{TRACE}-b7ad6b7169203331-01"
BAD_PARENTS = (
    *("", "hello", f"00-{TRACE[2:]}-b7ad6b7169203331-01", f"00-{TRACE}00-b7ad6b7169203331-01"),
    *(f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01", GOOD.upper()),
    *(f"00-{TRACE[:-1]}z-b7ad6b7169203331-01", f"ff{GOOD[2:]}", f"{GOOD}-more", f"{GOOD[:-2]}zz"),
    *(f"{GOOD}\nevil", f"{GOOD[:35]} {GOOD[35:]}", "00-" + "\u0660" * 31 + "1-b7ad6b7169203331-01"),
    *(f"00-{'a' * 1_000_000}-b7ad6b7169203331-01", "\x00", "\ud800"),
)
BAD_IDS = (
    *("abc\r\nSet-Cookie: x=1", "\x1b[2Jabc", "a" * 1_000_000, '"}{"event":"FORGED', "abc\x00"),
    *("<script>alert(1)</script>", "${jndi:ldap://evil}", "\u202eabc", "\ud800", "", " "),
)


class GoodTraceparent(Fault):
    """A valid traceparent is understood, one of a future version too."""

    promise = 7
    needs = ("extract_trace",)

    def act(self, child):
        for header in (GOOD, f"cc{GOOD[2:]}-what-the-future-holds", f"{GOOD[:-1]}0"):
            child.note("traces", child.stack.extract_trace({"traceparent": header}))

    def judge(self, seen):
        if set(seen.notes["traces"]) != {TRACE}:
            raise Broken("wrong", seen.notes["traces"])


class BadTraceparent(Fault):
    """An unsound traceparent is not taken over, and raises nothing."""

    promise = 5
    needs = ("extract_trace",)

    def act(self, child):
        for header in BAD_PARENTS:
            child.attempt(self.extract, child, {"traceparent": header})

    def extract(self, child, headers):
        child.note("trace", child.stack.extract_trace(headers))

    def judge(self, seen):
        if any(seen.notes["trace"]):
            raise Broken("forged", seen.notes["trace"])


class BadRequestId(Fault):
    """An unsound X-Request-ID is not taken over, and raises nothing."""

    promise = 5
    needs = ("extract_request_id",)

    def act(self, child):
        for header in BAD_IDS:
            child.attempt(self.extract, child, {"x-request-id": header})

    def extract(self, child, headers):
        child.note("id", child.stack.extract_request_id(headers))

    def judge(self, seen):
        if any(seen.notes["id"]):
            raise Broken("forged", [*filter(None, seen.notes["id"])][0][:80])
