"""YAML files, read safely: plain values only, and the line of every key."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog import yamlfile
from tracelog.errors import ConfigError
from tracelog.yamlfile import load, parse, read


TEXT = """\
# a comment
version: 1
common: &common
  level: INFO
  handlers: [out]
loggers:
  app.chat:
    <<: *common
    level: DEBUG
root:
  handlers:
    - out
    - err
"""


def refused(text):
    with pytest.raises(ConfigError) as caught:
        parse(text, source="logging.yaml")
    return caught.value


def test_values_and_lines():
    """Every key and item has the line where it was written, in an anchor if need be."""
    document = parse(TEXT, source="logging.yaml")

    assert document.source == "logging.yaml"
    assert document.data == yaml.safe_load(TEXT)
    assert document.lines == {
        "": 2,
        "version": 2,
        "common": 3,
        "common.level": 4,
        "common.handlers": 5,
        "common.handlers[0]": 5,
        "loggers": 6,
        "loggers.app.chat": 7,
        "loggers.app.chat.level": 9,
        "loggers.app.chat.handlers": 5,
        "loggers.app.chat.handlers[0]": 5,
        "root": 10,
        "root.handlers": 11,
        "root.handlers[0]": 12,
        "root.handlers[1]": 13,
    }


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n"])
def test_an_empty_file_holds_nothing(text):
    """Nothing is a value, too: whoever reads the document says what is wrong with it."""
    assert parse(text).data is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("[1, two, ~, true, 1.5]", [1, "two", None, True, 1.5]),
        ("2026-11-22", datetime.date(2026, 11, 22)),
        ("!!binary aGk=", b"hi"),
        ("=", "="),
        ("a: <<", {"a": "<<"}),
        ("!!str 5", "5"),
        ("{1: a, ~: b}", {1: "a", None: "b"}),
        ("a: &a [1]\nb: *a", {"a": [1], "b": [1]}),
        ("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b]}", None),
        ("a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc: {<<: *a, <<: *b, x: 3}", None),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_plain_values(text, value):
    """What safe_load reads as a plain value is read alike."""
    assert parse(text).data == (yaml.safe_load(text) if value is None else value)


SYNTAX = {
    "a key after a value": ("version: 1\n  handlers: [", 2, "line 2, column 11", "alike"),
    "a tab": ("a:\n\t- b", 2, "'\\t'", "spaces"),
    "a bare percent sign": ("f: %(message)s", 1, "'%'", "quote it"),
    "an undefined alias": ("a: *b", 1, "undefined alias 'b'", "define it"),
    "two documents": ("a: 1\n---\nb: 2", 2, "another document", "---"),
    "an open bracket": ("a: [1,\nb: 2", 2, "expected ',' or ']'", "close the bracket"),
    "open quotes": ("a: 'x", 1, "quoted scalar", "close the quotes"),
    "no space": ("a: 1\nb:2", 2, "expected ':'", "space"),
    "a control character": ("a: 1\nb: \0", 2, "line 2, column 4", "compare"),
    "an INI file": ("# old\n[loggers]\nkeys = root\n", 3, "invalid YAML", "an INI file"),
    "a stray bracket": ("a: 1\n]", 2, "line 2, column 1", "compare"),
}


@pytest.mark.parametrize(("text", "line", "said", "hint"), SYNTAX.values(), ids=SYNTAX)
def test_invalid_yaml_has_a_line_and_a_way_out(text, line, said, hint):
    """What PyYAML says is repeated in one sentence, with what to do."""
    error = refused(text)

    assert error.where == f"logging.yaml:{line}"
    problem, way_out = str(error).split("\n  Try: ")
    assert "invalid YAML" in problem
    assert said in problem
    assert hint in way_out
    assert isinstance(error.__cause__, yaml.YAMLError)


UNWANTED = {
    "a key that is there twice": (
        "a:\n  b: 1\n  c: 2\n  b: 3",
        4,
        "'b' is there twice, in lines 2 and 4",
    ),
    "an object": (
        "a: 1\nb: !!python/object/apply:os.system ['x']",
        2,
        "!!python/object/apply:os.system",
    ),
    "a name": ("!!python/name:os.system", 1, "!!python/name:os.system"),
    "a module": ("a: !!python/module:os x", 1, "!!python/module:os"),
    "a tag of one's own": ("a: !env LEVEL", 1, "tag !env"),
    "a mapping with a tag": ("a: !thing {}", 1, "tag !thing"),
    "a set": ("a: !!set {x}", 1, "!!set"),
    "a key with a tag": ("!env x: 1", 1, "tag !env"),
    "a value that holds itself": ("a: &a [*a]", 1, "leads back"),
    "a merge that holds itself": ("a: &a\n  <<: *a", 1, "leads back"),
    "a merge of a text": ("a: {<<: b}", 1, "merges mappings"),
    "a merge of texts": ("a: {<<: [b]}", 1, "merges mappings"),
    "a list for a key": ("[1]: 2", 1, "a key is a text"),
    "a mapping for a key": ("{a: 1}: 2", 1, "a key is a text"),
    "no such day": ("a: 2026-99-99", 1, "'2026-99-99'"),
    "no such number": ("a: !!int x", 1, "'x'"),
    "no such truth": ("a: !!bool maybe", 1, "'maybe'"),
    "a number without end": ("a: 1" + "0" * 5000, 1, "5001 characters"),
    "sixties without end": ("a: 1" + ":1" * 5000, 1, "10001 characters"),
}


@pytest.mark.parametrize(("text", "line", "said"), UNWANTED.values(), ids=UNWANTED)
def test_more_than_plain_values_is_refused(text, line, said):
    """Whatever safe_load would run, drop, or choke on is an error with a line."""
    error = refused(text)

    assert error.where == f"logging.yaml:{line}"
    assert said in str(error)


def test_nothing_runs(tmp_path):
    """A tag is only text."""
    refused(f"x: !!python/object/apply:os.system ['touch {tmp_path}/pwned']")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_depth_is_refused(text):
    """Nesting without end is an error, not a crash."""
    assert "nested far too deeply" in str(refused(text))


def bomb(form):
    aliases = [f"[{', '.join([f'*a{n}'] * 9)}]" for n in range(30)]
    lines = [f"a{n + 1}: &a{n + 1} {form % each}" for n, each in enumerate(aliases)]
    return "\n".join(["a0: &a0 {k: 1}", *lines])


def test_a_bomb_of_merged_keys_costs_nothing():
    """They are counted once."""
    document = parse(bomb("{<<: %s}"))

    assert len(document.lines) <= 30_000
    assert document.data["a30"] == {"k": 1}


def test_a_bomb_of_aliases_is_refused():
    """A small text may stand for more than any memory holds: nobody gets to look at it."""
    assert "with its aliases followed, this is larger" in str(refused(bomb("%s")))


def test_control_characters_are_escaped():
    """Messages quote a file without passing on what a terminal would act upon."""
    error = refused("a: !\u202ex y\n")

    assert "\u202e" not in str(error)


class TestFiles:
    """Files that aren't what they should be."""

    def test_a_file(self, tmp_path):
        """A path is what messages call the file."""
        path = tmp_path / "logging.yaml"
        path.write_bytes("\ufeffversion: 1\nname: é\n".encode())

        document = load(path)

        assert document.data == {"version": 1, "name": "é"}
        assert document.source == str(path)

    def test_none(self, tmp_path):
        """A missing file can be written."""
        with pytest.raises(ConfigError, match="can't be read: No such file") as caught:
            load(tmp_path / "logging.yaml")

        assert caught.value.where == str(tmp_path / "logging.yaml")
        assert "`tracelog init`" in str(caught.value)

    def test_none_in_no_directory(self, tmp_path):
        """Neither the file nor its directory is there."""
        with pytest.raises(ConfigError, match="`tracelog init`"):
            load(tmp_path / "no" / "logging.yaml")

    def test_another_ending(self, tmp_path):
        """A file beside it that is called nearly the same is suggested."""
        (tmp_path / "logging.yml").touch()

        with pytest.raises(ConfigError, match=r"did you mean .*logging\.yml\?"):
            load(str(tmp_path / "logging.yaml"))

    def test_a_directory(self, tmp_path):
        """A directory isn't a file, but may have one."""
        with pytest.raises(ConfigError, match=r"Is a directory\n.*logging\.yaml"):
            load(tmp_path)

    def test_no_path(self):
        """A path that can't be one is an error like the others."""
        with pytest.raises(ConfigError, match="can't be read: embedded null"):
            load("a\0b")

    def test_another_encoding(self, tmp_path):
        """A file in Latin-1 has a line that tells."""
        path = tmp_path / "logging.yaml"
        path.write_bytes(b"a: 1\nb: caf\xe9\n")

        with pytest.raises(ConfigError, match="byte 0xe9 in line 2") as caught:
            load(path)

        assert caught.value.where == f"{path}:2"

    @pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no endless file here")
    def test_an_endless_file(self):
        """A file is read as far as a configuration can be long."""
        with pytest.raises(ConfigError, match="larger than 128 KiB"):
            read("/dev/zero")


def test_yaml_is_loaded_when_it_is_used():
    """A program without a file doesn't pay for PyYAML."""
    code = "import tracelog.yamlfile, tracelog.check, sys; sys.exit('yaml' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=20,
)


@settings(deadline=None)
@given(trees)
def test_what_yaml_writes_is_read_back(tree):
    """Plain values survive, whatever they are."""
    assert parse(yaml.safe_dump(tree)).data == tree


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}&*<!|>'\"%\t\n ,?#1~", max_size=40))
def test_any_text_is_a_document_or_an_error(text):
    """No text makes it raise anything but a ConfigError; what it reads, safe_load reads, too."""
    try:
        document = parse(text)
    except ConfigError:
        return

    assert "<<" in text or document.data == yaml.safe_load(text)
