"""Configuration files, hostile or simply wrong."""

from __future__ import annotations

import time

from laboratory import Broken, Fault


GOOD = """\
version: 1
disable_existing_loggers: false
formatters:
  plain: {format: "%(message)s"}
handlers:
  out: {class: logging.FileHandler, filename: other.txt, formatter: plain}
root: {level: INFO, handlers: [out]}
"""


class _Configuration(Fault):
    promise = 6
    needs = ("load",)

    def load(self, child, text):
        """Load *text*, and give what is said about it."""
        path = child.folder / "logging.yaml"
        path.write_text(text)
        try:
            child.stack.load(str(path))
        except Exception as error:
            return f"{type(error).__name__}: {error} {error.__cause__}"
        return None


class TagsRunNothing(_Configuration):
    """A YAML tag (`!!python/object/apply`) runs nothing."""

    promise = 5

    def act(self, child):
        mark = child.folder / "ran"
        self.load(child, f"version: 1\nx: !!python/object/apply:os.system ['touch {mark}']\n")
        child.note("ran", mark.exists())

    def judge(self, seen):
        if seen.note("ran"):
            raise Broken("forged", "the tag was run")


class FactoriesRunNothing(_Configuration):
    """A `()` that names what isn't a logging package's, `os.system` say, runs nothing."""

    promise = 5

    def act(self, child):
        mark = child.folder / "made"
        hostile = f'  hostile: {{"()": os.system, command: "touch {mark}"}}\n'
        self.load(child, GOOD.replace("handlers:\n", f"handlers:\n{hostile}"))
        child.note("ran", mark.exists())

    def judge(self, seen):
        if seen.note("ran"):
            raise Broken("forged", "the factory was run")


class AliasBomb(_Configuration):
    """Nine levels of nine aliases are refused, or do no harm: five seconds at most."""

    promise = 3
    anew = True

    def act(self, child):
        bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        for i in range(1, 9):
            bomb.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]")
        text = GOOD.replace('"%(message)s"}', '"%(message)s", defaults: {x: *a8}}')
        begin = time.monotonic()
        self.load(child, "\n".join([*bomb, text]))
        child.note("seconds", time.monotonic() - begin)

    def judge(self, seen):
        if seen.note("seconds") > 5:
            raise Broken("grows", f"{seen.note('seconds'):.1f} s")


class MistakesNamed(_Configuration):
    """Every common mistake is refused, and what to repair is named."""

    mistakes = {
        "level": (("INFO", "INFOO"), "INFOO"),
        "class": (("FileHandler", "FielHandler"), "FielHandler"),
        "module": (("logging.FileHandler", "no.such.Handler"), "no.such"),
        "formatter": (("formatter: plain", "formatter: planar"), "planar"),
        "handler": (("[out]", "[uot]"), "uot"),
        "argument": (("other.txt", "other.txt, max_bytes: 5"), "max_bytes"),
        "section": (("handlers:\n", "handler:\n"), "handler"),
        "version": (("version: 1\n", ""), "version"),
        "empty": ((GOOD, ""), "empty"),
        "list": ((GOOD, "- version: 1"), "list"),
        "yaml": ((GOOD, "version: 1\n  handlers: ["), "line"),
        "folder": (("other.txt", "/no/such/other.txt"), "/no/such"),
    }

    def act(self, child):
        for name, (change, _) in self.mistakes.items():
            child.note(name, self.load(child, GOOD.replace(*change)))

    def judge(self, seen):
        accepted = [name for name in self.mistakes if seen.note(name) is None]
        opaque = [n for n, (_, word) in self.mistakes.items() if word not in (seen.note(n) or word)]
        if accepted or opaque:
            raise Broken("opaque", f"accepted: {accepted}, said without a name: {opaque}")


class RefusedChangesNothing(_Configuration):
    """A configuration that is refused leaves the old one working."""

    events = ("before", "after", "from a library")
    anew = True

    def act(self, child):
        import logging

        child.log.info("before")
        child.note("refused", self.load(child, GOOD.replace("[out]", "[uot]")))
        self.load(child, GOOD.replace("INFO", "INFOO"))
        self.load(child, GOOD.replace("logging.FileHandler", "logging.NoHandler"))
        child.log.info("after")
        logging.getLogger("library").warning("from a library")

    def judge(self, seen):
        if not seen.note("refused"):
            raise Broken("opaque", "it was accepted")
