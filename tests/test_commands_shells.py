"""Completion scripts."""

from __future__ import annotations

import subprocess

import pytest

from tracelog.commands.shells import SHELLS, Command, Word, bash, fish, zsh


LATE = Command(
    "late",
    "who was late: it's asked",
    (
        Word(flags=("-h", "--help"), about="show [help]"),
        Word(flags=("--sort",), about="by", value="sort", choices=("total", "loop")),
        Word(flags=("--user",), about="this user's", value="ID"),
        Word(flags=("-o", "--output"), about="where", value="PATH", is_path=True),
        Word(flags=(), about="a log", value="FILE", is_path=True, is_repeated=True),
    ),
)
SHELL = Command("shell", "a shell", (Word(flags=(), about="", value="S", choices=("x", "y")),))
INIT = Command("init", "begin", ())

ZSH = """\
                late)
                    _arguments '-h[show \\[help\\]]' \\
                        '--help[show \\[help\\]]' \\
                        '--sort[by]:sort:(total loop)' \\
                        '--user[this user'\\''s]:ID:' \\
                        '-o[where]:PATH:_files' \\
                        '--output[where]:PATH:_files' \\
                        '*:FILE:_files'
                    ;;
                shell)
                    _arguments ':S:(x y)'
                    ;;
"""
FISH = """\
complete -c tracelog -n __fish_use_subcommand -a late -d 'who was late: it\\'s asked'
complete -c tracelog -n '__fish_seen_subcommand_from late' -s h -l help -d 'show [help]'
complete -c tracelog -n '__fish_seen_subcommand_from late' -l sort -r -a 'total loop' -d 'by'
complete -c tracelog -n '__fish_seen_subcommand_from late' -l user -r -d 'this user\\'s'
complete -c tracelog -n '__fish_seen_subcommand_from late' -s o -l output -r -F -d 'where'
complete -c tracelog -n '__fish_seen_subcommand_from late' -F
complete -c tracelog -n __fish_use_subcommand -a shell -d 'a shell'
complete -c tracelog -n '__fish_seen_subcommand_from shell' -a 'x y'
"""


def complete(script, folder, *words):
    """Let a real bash complete the last word."""
    code = f'{script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tracelog; '
    code += 'printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "-c", code, "bash", "tracelog", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["la"], ["late"]),
        (["--v"], ["--version"]),
        (["late", "--s"], ["--sort"]),
        (["late", "--sort", "l"], ["loop"]),
        (["late", "--sort", "="], ["total", "loop"]),
        (["late", "--sort", "=", "l"], ["loop"]),
        (["late", "--user", "a"], [""]),
        (["late", "--output", "a"], ["a log.jsonl", "a.log"]),
        (["late", "--sort", "loop", "a"], ["a log.jsonl", "a.log"]),
        (["shell", ""], ["x", "y"]),
        (["init", "a"], [""]),
        (["nothing", "a"], [""]),
    ],
)
def test_bash_completes(tmp_path, words, expected):
    """Commands, options, values that are known, and files, whatever they are called."""
    for name in ("a.log", "a log.jsonl", "b.log"):
        (tmp_path / name).touch()

    assert sorted(complete(bash([LATE, SHELL, INIT]), tmp_path, *words)) == sorted(expected)


def test_zsh_is_told_the_same():
    """With what ends a word, or a text, escaped."""
    script = zsh([LATE, SHELL])

    assert ZSH in script
    assert "'late:who was late\\: it'\\''s asked'" in script


def test_fish_is_told_the_same():
    """A line for each word."""
    assert fish([LATE, SHELL]).endswith(FISH)


def test_there_are_three():
    """By their names."""
    assert dict(SHELLS) == {"bash": bash, "zsh": zsh, "fish": fish}
