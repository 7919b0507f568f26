"""Completion scripts."""

from __future__ import annotations

import os
import pty
import re
import shutil
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
                        '--sort=[by]:sort:(total loop)' \\
                        '--user=[this user'\\''s]:ID:' \\
                        '-o[where]:PATH:_files' \\
                        '--output=[where]:PATH:_files' \\
                        '*:FILE:_files'
                    ;;
                shell)
                    _arguments ':S:(x y)'
                    ;;
"""
FISH = """\
complete -c tracelog -n __fish_use_subcommand -s h -l help -d 'show a help message'
complete -c tracelog -n __fish_use_subcommand -l version -d 'show the version'
complete -c tracelog -n __fish_use_subcommand -a late -d 'who was late: it\\'s asked'
complete -c tracelog -n '__fish_seen_subcommand_from late' -s h -l help -d 'show [help]'
complete -c tracelog -n '__fish_seen_subcommand_from late' -l sort -x -a 'total loop' -d 'by'
complete -c tracelog -n '__fish_seen_subcommand_from late' -l user -x -d 'this user\\'s'
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


# What zsh finds for what is typed in front of a ^T, as a line to the pipe `$1`.
ZSH_PROBE = r"""
PROMPT= RPROMPT=; autoload -Uz compinit; compinit -u -D
compadd() {
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a hits; builtin compadd -A hits "$@"; found+=("${hits[@]}")
    fi
    builtin compadd "$@"
}
probe() {
    found=(); _main_complete; compstate[insert]= compstate[list]=
    print -ru PIPE -- ${(pj:\t:)found}
}
zle -C probe complete-word probe; bindkey '^T' probe
"""


def complete_in_zsh(script, folder, lines):
    """Let a real zsh, which has to have a terminal, complete the last word of each line."""
    keyboard, terminal = pty.openpty()
    answers, pipe = os.pipe()
    setup = folder / "setup.zsh"
    setup.write_text(f"{ZSH_PROBE.replace('PIPE', str(pipe))}\n{script}")
    environment = {**os.environ, "TERM": "dumb", "HOME": str(folder), "ZDOTDIR": str(folder)}
    with subprocess.Popen(
        *(["zsh", "-f", "-i"], -1, None, *[terminal] * 3),
        **{"cwd": folder, "pass_fds": [pipe], "env": environment, "start_new_session": True},
    ) as process:
        os.close(terminal)
        os.close(pipe)
        os.write(keyboard, f"source {setup}\n".encode())
        found = []
        with open(answers) as file:
            for line in lines:  # one by one: it completes nothing while more is typed
                os.write(keyboard, f"\x15{line}\x14".encode())
                found.append(sorted(file.readline().rstrip("\n").split("\t")))
        process.kill()
    os.close(keyboard)
    return found


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_completes(tmp_path):
    """The same as bash, where it is installed."""
    for name in ("a.log", "a log.jsonl", "b.log"):
        (tmp_path / name).touch()
    logs = ["a.log", r"a\ log.jsonl"]
    expected = {
        "tracelog la": ["late"],
        "tracelog --v": ["--version"],
        "tracelog late --so": ["--sort"],
        "tracelog late --sort l": ["loop"],
        "tracelog late --sort=l": ["loop"],
        "tracelog late --user a": [""],
        "tracelog late --output a": logs,
        "tracelog late b.log a": logs,
        "tracelog shell ": ["x", "y"],
        "tracelog nothing a": [""],
    }

    found = complete_in_zsh(zsh([LATE, SHELL, INIT]), tmp_path, expected)

    assert found == [sorted(each) for each in expected.values()]


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_completes(tmp_path):
    """The same, where it is installed."""
    for name in ("a.log", "a log.jsonl", "b.log"):
        (tmp_path / name).touch()
    logs = ["a log.jsonl", "a.log"]
    expected = {
        "tracelog la": ["late"],
        "tracelog --v": ["--version"],
        "tracelog late --so": ["--sort"],
        "tracelog late --sort l": ["loop"],
        "tracelog late --sort=l": ["--sort=loop"],
        "tracelog late --user a": [],
        "tracelog late --output a": logs,
        "tracelog late b.log a": logs,
        "tracelog shell ": ["x", "y"],
        "tracelog nothing a": [],
    }
    asked = "\n".join(f"complete -C'{line}'; echo ." for line in expected)
    command = ["fish", "--no-config", "-c", f"{fish([LATE, SHELL, INIT])}\n{asked}"]
    environment = {**os.environ, "HOME": str(tmp_path)}

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )

    assert done.stderr == ""
    found = re.sub(r"\t.*", "", done.stdout).split(".\n")[:-1]
    assert [each.splitlines() for each in found] == [*expected.values()]


def test_there_are_three():
    """By their names."""
    assert dict(SHELLS) == {"bash": bash, "zsh": zsh, "fish": fish}
