"""Secrets: what comes out although nobody wanted it (CWE-532)."""

from __future__ import annotations

from laboratory import Broken, Fault


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIiwibmFtZSI6ImtpbSJ9.c2lnbmF0dXJlLW9mLW91cnMtNDcxMQ"
FIELDS = {
    "password": "field-one",
    "Authorization": "Bearer field-two",
    "api_key": "field-three",
    "cookie": "session=field-four",
    "headers": {"authorization": "Basic field-five", "x-api-key": "field-six"},
    "deep": [{"user": {"secret": "field-seven"}}],
}
TEXTS = {
    "connect to postgresql://app:dsn-word@db:5432/x": "dsn-word",
    f"sent Authorization: Bearer {JWT}": JWT,
    "paid with 4111 1111 1111 1111": "4111 1111 1111 1111",
    "GET /back?code=a&access_token=tok-4711471147 HTTP/1.1": "tok-4711471147",
    "key AKIAIOSFODNN7EXAMPLE": "AKIAIOSFODNN7EXAMPLE",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANB\n-----END PRIVATE KEY-----": "MIIEvQIBADANB",
}
HARMLESS = (
    *("thread 140213377718976", "at 1767322445123456789", "version 1.2.3", "0049 30 1234567"),
    *("trace 0af7651916cd43dd8448eb211c80319c", "order 4111111111111112", "http://host:80/a@b"),
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)


class _Masking(Fault):
    promise = 5
    secrets = ()

    def judge(self, seen):
        if out := [secret for secret in self.secrets if secret in seen.text]:
            raise Broken("leaks", f"{len(out)} of {len(self.secrets)}, {out[:3]}")


class SecretFields(_Masking):
    """A value whose key is a secret's is masked, at any depth, in any case."""

    needs = ("bind",)
    events = ("login", "bound")
    secrets = [f"field-{n}" for n in "one two three four five six seven".split()]

    def act(self, child):
        child.log.info("login", **FIELDS)
        child.attempt(child.stack.bind, **FIELDS)
        child.log.info("bound")


class SecretTexts(_Masking):
    """A secret in a text is masked: of a URL, a header, a token, a key, a card."""

    secrets = [*TEXTS.values()]

    def act(self, child):
        for text in TEXTS:
            child.log.info(text)
            child.log.info("value", text=text, deep=[{"text": text}])
            try:
                raise ValueError(text)
            except ValueError:
                child.log.exception("raised")


class SecretTextsConsole(SecretTexts):
    """A secret in a text is masked on the console, too."""

    console = True


class HarmlessSpared(Fault):
    """Masking eats no ids, digests, nanoseconds, versions, and no `token_count`."""

    promise = 5
    events = HARMLESS

    def act(self, child):
        for text in HARMLESS:
            child.log.info(text)
        harmless = {"token_count": 4711, "author": "bacon", "passenger": "alice"}
        child.log.info("fields", keyboard="qwerty", **harmless)

    def judge(self, seen):
        if gone := [text for text in ("4711", "bacon", "alice", "qwerty") if text not in seen.text]:
            raise Broken("wrong", f"masked: {gone}")


class NoLocals(_Masking):
    """A traceback shows no local variables."""

    secrets = ("local-token", "local-argument")

    def act(self, child):
        def connect(secret):
            token = "local-" + "token"
            raise ValueError(f"no database {len(token + secret)}")

        try:
            connect("local-" + "argument")
        except ValueError:
            child.log.exception("failed")


class NoLocalsConsole(NoLocals):
    """A traceback on the console shows no local variables."""

    console = True


class ReportSpills(Fault):
    """What is said about a line that couldn't be written doesn't say what was in it."""

    promise = 5
    anew = True
    sink = "/dev/full"

    def act(self, child):
        child.attempt(child.log.info, "login", password="local-secret")
        child.attempt(child.log.info, "user local-secret has come")

    def judge(self, seen):
        if "local-secret" in seen.errors:
            raise Broken("leaks", "stderr shows it")
