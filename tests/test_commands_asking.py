"""What the commands that ask a log open, and how they answer."""

from __future__ import annotations

import argparse
import io

import pytest

from tracelog.answers.cache import Cache
from tracelog.answers.filters import Filters
from tracelog.answers.slowest import slowest
from tracelog.answers.sources import Source
from tracelog.answers.question import Tally
from tracelog.answers.times import Moment
from tracelog.commands import asking
from tracelog.commands.arguments import add_arguments
from tracelog.errors import InputError


def parse(*arguments, over=False):
    parser = argparse.ArgumentParser()
    add_arguments(parser, over=over)
    return parser.parse_args(arguments)


def test_filters_are_the_same_for_all():
    """Only utterances have a duration to go by."""
    plain = parse("a.log")
    full = parse(
        *("--over", "250ms", "--user", "kim", "--since", "10m", "--until", "14:05"),
        *("--where", "room=lobby", "--where", "a=b=c", "--top", "7", "a.log"),
        over=True,
    )

    assert asking.filters_of(plain) == Filters()
    assert asking.filters_of(full) == Filters(
        over=250.0,
        user="kim",
        since=Moment.parse("10m"),
        until=Moment.parse("14:05"),
        where=(("room", "lobby"), ("a", "b=c")),
    )
    assert (plain.top, full.top, plain.json) == (20, 7, False)


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_an_empty_time_is_no_time(option):
    """A shell's unset variable doesn't quietly ask for everything."""
    with pytest.raises(InputError, match="'' is no time"):
        asking.filters_of(parse("a.log", option, ""))


def test_what_is_opened_can_be_asked(tmp_path, monkeypatch):
    """A file, and what comes through a pipe; names are the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text('{}\noops\n{"timestamp":"2026-11-22T10:00:00Z"}\n')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}\n")))

    with asking.opened(parse("a.log", "-")) as asked:
        read = asked.read(Tally(lines=4, broken=1, rows=1), Filters(user="kim"))

    assert asked.is_ours
    assert read.names == ("a.log", "stdin")
    assert read.broken_at == ("a.log:2",)
    assert read.instead == ("No user_id is 'kim'; there is none at all.",)


def test_of_a_sound_log_no_broken_line_is_looked_for():
    """It would be read again for nothing."""
    asked = asking.Asked(engine=None, names=("a.log",))

    assert asked.read(Tally(lines=4, rows=4, matched=4), Filters()).broken_at == ()


def test_a_missing_file_is_an_input_error():
    """The command line turns it into a sentence."""
    with (
        pytest.raises(InputError, match="'missing.log' doesn't exist"),
        asking.opened(parse("missing.log")),
    ):
        pass


def test_what_was_asked_is_kept_for_the_next_question(tmp_path, monkeypatch):
    """Once the answer is there; unless it isn't worth it, or the user doesn't want it."""
    started = []
    monkeypatch.setattr(asking.keeping, "start", lambda *task: started.append(task))
    (tmp_path / "a.log").write_text("{}\n")

    for worth, arguments in ((1, []), (1, ["--no-cache"]), (1_000, [])):
        cache = Cache(tmp_path / "cache", worth=worth, now=lambda: 9e9)
        monkeypatch.setattr(asking.Cache, "of_user", lambda cache=cache: cache)
        with asking.opened(parse("a.log", "--map", "user_id=usr", *arguments)) as asked:
            slowest(asked.engine, Filters())
            before = [*started]

    assert before == started == [(["a.log"], [("user_id", "usr")], ("utterances",))]


def test_a_log_is_never_written_over(tmp_path):
    """Whatever it is called."""
    (tmp_path / "a.log").touch()
    (tmp_path / "link").symlink_to("a.log")
    sources = [Source("a.log", str(tmp_path / "a.log"))]

    asking.refuse_overwriting(tmp_path / "b.log", sources)
    with pytest.raises(InputError, match="is one of the logs to read"):
        asking.refuse_overwriting(tmp_path / "link", sources)


def test_a_shape_that_is_not_ours_is_said(tmp_path, capsys):
    """On stderr, once for each: stdout is the answer's."""
    for name in ("a.log", "b.log", "c\x1b.log"):
        (tmp_path / name).write_text('{"message":"m","severity":"INFO"}\n')
    (tmp_path / "d.log").write_text('{"message":"m","@timestamp":"t","usr":5}\n')

    with asking.opened(parse(str(tmp_path), "--map", "user_id=usr")) as asked:
        assert not asked.is_ours

    assert capsys.readouterr() == (
        "",
        f"{tmp_path}/a.log and 2 more are read as Google Cloud's JSON.\n"
        f"{tmp_path}/d.log is read as ECS.\n",
    )


def test_a_table_is_opened_in_place_of_files(make_table):
    """The answers are the same; a line has no number there."""
    text = make_table('{}\noops\n{"timestamp":"2026-11-22T10:00:00Z"}\n')

    with asking.opened(parse("--from", text)) as asked:
        read = asked.read(Tally(lines=3, broken=1, rows=1), Filters(user="kim"))

    assert read.names == (text.removeprefix("clickhouse://"),)
    assert read.instead == ("No user_id is 'kim'; there is none at all.",)
    assert read.broken_at == (f"in {text.rpartition('/')[2]}",)


@pytest.mark.parametrize("arguments", [[], ["a.log", "--from", "clickhouse://db/lines"]])
def test_either_files_or_a_table_are_asked(arguments):
    """Nothing is left out in silence."""
    with (
        pytest.raises(InputError, match="either files or '--from' a table has to be named"),
        asking.opened(parse(*arguments)),
    ):
        pass


def test_a_table_has_no_other_keys():
    """Nor is that left out in silence."""
    with (
        pytest.raises(InputError, match="'--map' is for files"),
        asking.opened(parse("--from", "clickhouse://db/lines", "--map", "event=msg")),
    ):
        pass


def test_an_answer_is_drawn_for_a_person(capsys):
    """With what there is to say about it below."""
    asking.show(lambda *_: ["a table"], [{"ms": 1}], ["2 lines."], as_json=False, is_sound=True)

    assert capsys.readouterr() == ("a table\n2 lines.\n", "")


@pytest.mark.parametrize(("is_sound", "told"), [(True, ""), (False, "1 line left out.\n")])
def test_an_answer_is_written_for_programs(capsys, is_sound, told):
    """Only what is wrong with it is told beside them."""
    asking.show(
        lambda *_: ["a table"], [{"ms": 1}], ["1 line left out."], as_json=True, is_sound=is_sound
    )

    assert capsys.readouterr() == ('{"ms": 1}\n', told)
