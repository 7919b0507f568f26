"""The command line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import tracelog
from tracelog import cli
from tracelog.errors import InputError


HELP = """\
usage: tracelog [-h] [--version] COMMAND ...

Which user's utterance was handled late, and why? Answered from the logs.

positional arguments:
  COMMAND
    late      show the slowest utterances of a log: whose, when, and where the
              time went
    show      show one utterance whole: where its time went, who held it up,
              and its lines
    blame     show the lines of code that made others late: what to fix on
              Monday
    stats     show how much there is in a log, how it went over time, and what
              fills the disk
    tail      show the lines of a log as they come, so that what is late
              stands out
    report    write a page to look at: who was late and when, what held the
              loop, each one's why
    query     ask a log a question of your own, in SQL
    export    write a log as Parquet, as a trace for Perfetto, or as
              OpenTelemetry's spans
    schema    print the table of ClickHouse that logs are shipped to
    check     check a logging configuration: every mistake, with its file,
              line and way out
    init      write a logging.yaml to start from
    completion
              print a script that lets bash, zsh or fish complete what you
              type
    demo      run a small chat service with one costly user, and tell who was
              handled late

options:
  -h, --help  show this help message and exit
  --version   show the version and exit

examples:
  tracelog late app.log
  tracelog show --last-late app.log
  tracelog tail app.log
  tracelog COMMAND --help
"""


@pytest.fixture
def command(monkeypatch):
    """Put a command of the test's own in the place of `demo`."""

    def install(run):
        module = SimpleNamespace(configure=lambda parser: parser.add_argument("--fast"), run=run)
        monkeypatch.setitem(sys.modules, "tracelog.commands.demo", module)

    return install


def raising(error):
    def run(_args):
        raise error

    return run


def test_help_names_the_commands(capsys, monkeypatch):
    """A newcomer sees what there is, and what to type next."""
    monkeypatch.setenv("COLUMNS", "80")

    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])

    assert exit_.value.code == 0
    # Where columns begin depends on the Python, and so does where lines end.
    assert capsys.readouterr().out.split() == HELP.split()


def test_version_is_the_packages(capsys):
    """One home for the version."""
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])

    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"tracelog {tracelog.__version__}\n"


def test_a_command_gets_its_arguments_and_gives_the_exit_code(command):
    """The command line itself knows nothing of them."""
    command(lambda args: int(args.fast))

    assert cli.main(["demo", "--fast", "7"]) == 7


def test_options_may_stand_between_what_else_there_is(monkeypatch):
    """`show TRACE --json FILE` is typed as often as `show --json TRACE FILE`."""

    def configure(parser):
        parser.add_argument("words", nargs="+")
        parser.add_argument("--fast", action="store_true")

    got = []
    module = SimpleNamespace(configure=configure, run=lambda args: got.append(args) or 0)
    monkeypatch.setitem(sys.modules, "tracelog.commands.demo", module)

    assert cli.main(["demo", "a", "--fast", "b"]) == 0
    assert [(args.words, args.fast) for args in got] == [(["a", "b"], True)]


def test_arguments_are_the_processs_if_none_are_given(command, monkeypatch):
    """That is how the installed script starts it."""
    command(lambda _args: 0)
    monkeypatch.setattr("sys.argv", ["tracelog", "demo"])

    assert cli.main() == 0


def test_alone_it_lists_its_commands(capsys):
    """Who types `tracelog` wants to know what there is."""
    with pytest.raises(SystemExit) as exit_:
        cli.main([])

    assert exit_.value.code == 0
    assert "check a logging configuration" in capsys.readouterr().out


def test_a_mistyped_option_is_told_with_those_that_there_are(capsys, command):
    """Those of the command, not those of `tracelog` alone."""
    command(lambda _args: 0)

    with pytest.raises(SystemExit) as exit_:
        cli.main(["demo", "--fats", "7"])

    assert exit_.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: tracelog demo [-h] [--fast FAST]\n")
    assert said.endswith("tracelog demo: error: unrecognized arguments: --fats 7\n")


@pytest.mark.parametrize("arguments", [["--", "nonsense"], ["nonsense"]], ids=str)
def test_without_a_command_the_usage_is_shown(capsys, arguments):
    """The exit code is that of any unusable input."""
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)

    assert exit_.value.code == 2
    assert "usage: tracelog" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [InputError("'a' is wrong", hint="b"), ImportError("'a' is wrong\n  Try: b")],
    ids=["ours", "extra"],
)
def test_an_error_of_ours_is_a_sentence(command, capsys, error):
    """No traceback: the message says what, and the way out."""
    command(raising(error))

    assert cli.main(["demo"]) == 2
    assert capsys.readouterr() == ("", "tracelog: 'a' is wrong\n  Try: b\n")


def test_an_error_cannot_drive_the_terminal(command, capsys):
    """Its way out names a file, and somebody else may have named that."""
    command(raising(InputError("'a' is wrong", hint="ls -l 'a\x1b[2J'")))

    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "tracelog: 'a' is wrong\n  Try: ls -l 'a\\x1b[2J'\n"


def test_an_error_of_a_bug_is_a_traceback(command):
    """What we didn't foresee isn't hidden."""
    command(raising(ZeroDivisionError()))

    with pytest.raises(ZeroDivisionError):
        cli.main(["demo"])


def test_ctrl_c_ends_quietly(command, capsys):
    """With the exit code a shell gives it."""
    command(raising(KeyboardInterrupt()))

    assert cli.main(["demo"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_left_ends_it_quietly(command, monkeypatch):
    """`tracelog late app.log | head` is no error to speak of, not even at exit."""
    reader, writer = os.pipe()
    os.close(reader)
    command(lambda _args: print("x" * 99) or 0)
    with os.fdopen(writer, "w") as out:
        monkeypatch.setattr("sys.stdout", out)

        assert cli.main(["demo"]) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's")
def test_a_full_disk_is_told_in_a_sentence(command, monkeypatch, capsys):
    """`tracelog late app.log > late.txt` where that has no room; nothing is left to say at exit."""
    command(lambda _args: print("x" * 99) or 0)
    with open("/dev/full", "w") as out:
        monkeypatch.setattr("sys.stdout", out)

        assert cli.main(["demo"]) == 2

    assert capsys.readouterr().err == "tracelog: No space left on device\n  Try: df -h\n"


def test_another_trouble_of_the_systems_is_a_traceback(command):
    """Nobody has foreseen it."""
    command(raising(PermissionError(1, "no")))

    with pytest.raises(PermissionError):
        cli.main(["demo"])


def test_a_character_that_cannot_be_written_is_escaped(command, monkeypatch):
    """A terminal of another age shows what it can."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    command(lambda _args: print("Zoë") or 0)

    assert cli.main(["demo"]) == 0
    assert out.buffer.getvalue() == b"Zo\\xeb\n"


def test_a_stream_of_another_kind_will_do(command, monkeypatch):
    """Standard output may have been replaced by anything that can be written to."""
    monkeypatch.setattr("sys.stdout", io.StringIO())
    command(lambda _args: print("Zoë") or 0)

    assert cli.main(["demo"]) == 0


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_the_table_says_what_the_modules_say(name):
    """The summary is there twice, to keep `--help` fast: it is the same."""
    assert cli._COMMANDS[name] == import_module(f"tracelog.commands.{name}").HELP


def test_help_loads_no_command():
    """`--help` answers at once: neither DuckDB nor rich nor structlog is imported."""
    script = (
        "import sys\nfrom tracelog.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*{'_duckdb', 'rich', 'structlog', 'yaml'} & {*sys.modules}, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])},
    )

    assert done.stderr == "\n"
