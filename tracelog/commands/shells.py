"""Completion scripts for bash, zsh and fish, written from what the commands declare.

The scripts know everything by themselves: pressing a key starts no Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final


__all__ = ["SHELLS", "Command", "Word", "bash", "fish", "zsh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An option, or an argument.

    Attributes:
        flags: How an option is written; an argument has none.
        about: What it means.
        value: What its value is called; nothing if it takes none.
        choices: What the value may be, if that is known.
        is_path: The value names a file.
        is_repeated: It may be there more than once.
    """

    flags: tuple[str, ...]
    about: str
    value: str = ""
    choices: tuple[str, ...] = ()
    is_path: bool = False
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command and what may follow it."""

    name: str
    about: str
    words: tuple[Word, ...]

    @property
    def options(self) -> tuple[Word, ...]:
        """Those with flags."""
        return tuple(word for word in self.words if word.flags)

    @property
    def arguments(self) -> tuple[Word, ...]:
        """Those without."""
        return tuple(word for word in self.words if not word.flags)


_BASH: Final = """\
# Lets bash complete tracelog's commands: eval "$(tracelog completion bash)"
_tracelog_words() {{
    COMPREPLY=()
    local found
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$@" -- "$word")
}}

_tracelog() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    # Of --sort=loop, bash makes three words.
    if [[ $word == "=" ]]; then word=""; fi
    if [[ $before == "=" ]]; then before=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _tracelog_words -W "{commands} --help --version"
        return
    fi
    case "${{COMP_WORDS[1]}} $before" in
{values}
    esac
    case "${{COMP_WORDS[1]}} $word" in
{options}
{arguments}
    esac
}}

complete -o filenames -F _tracelog tracelog
"""


def bash(commands: Iterable[Command]) -> str:
    """Write bash's."""
    known = tuple(commands)
    return _BASH.format(
        commands=" ".join(command.name for command in known),
        values="\n".join(line for command in known for line in _bash_values(command)),
        options="\n".join(_bash_options(command) for command in known),
        arguments="\n".join(line for command in known for line in _bash_arguments(command)),
    )


def _bash_values(command: Command) -> Iterator[str]:
    """Complete the value of each option; of those that may be anything, nothing."""
    for option in command.options:
        if option.value:
            patterns = " | ".join(f'"{command.name} {flag}"' for flag in option.flags)
            yield f"        {patterns}) {_bash_value(option)}; return ;;"


def _bash_value(word: Word) -> str:
    if word.choices:
        return f'_tracelog_words -W "{" ".join(word.choices)}"'

    return "_tracelog_words -f" if word.is_path else ":"


def _bash_options(command: Command) -> str:
    flags = " ".join(flag for option in command.options for flag in option.flags)
    return f'        "{command.name} -"*) _tracelog_words -W "{flags}" ;;'


def _bash_arguments(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        yield f'        "{command.name} "*) {_bash_value(argument)} ;;'


_ZSH: Final = """\
#compdef tracelog
# Lets zsh complete tracelog's commands: eval "$(tracelog completion zsh)"
_tracelog() {{
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C '(-h --help)'{{-h,--help}}'[show a help message]' \\
        '--version[show the version]' '1:command:->command' '*::argument:->argument'
    case $state in
        command)
            local -a commands
            commands=(
{commands}
            )
            _describe command commands
            ;;
        argument)
            case $words[1] in
{arguments}
            esac
            ;;
    esac
}}

if [[ $funcstack[1] == _tracelog ]]; then _tracelog "$@"; else compdef _tracelog tracelog; fi
"""
_INDENT: Final = " " * 16


def zsh(commands: Iterable[Command]) -> str:
    """Write zsh's."""
    known = tuple(commands)
    return _ZSH.format(
        commands="\n".join(
            _INDENT + _quoted(f"{command.name}:{_colons(command.about)}") for command in known
        ),
        arguments="\n".join(map(_zsh_command, known)),
    )


def _zsh_command(command: Command) -> str:
    specs = [spec for word in command.words for spec in _zsh_word(word)]
    lines = f" \\\n{_INDENT}        ".join(specs)
    return f"{_INDENT}{command.name})\n{_INDENT}    _arguments {lines}\n{_INDENT}    ;;"


def _zsh_word(word: Word) -> Iterator[str]:
    """Write what `_arguments` is told of a word."""
    values = f"({' '.join(word.choices)})" if word.choices else "_files" if word.is_path else ""
    value = f":{_colons(word.value)}:{values}" if word.value else ""
    repeated = "*" if word.is_repeated else ""
    about = _colons(word.about).replace("[", r"\[").replace("]", r"\]")
    for flag in word.flags:
        joint = "=" if value and flag.startswith("--") else ""  # both `--sort loop`, `--sort=loop`
        yield _quoted(f"{repeated}{flag}{joint}[{about}]{value}")
    if not word.flags:
        yield _quoted(f"{repeated}{value}")


def _colons(text: str) -> str:
    return text.replace(":", r"\:")


def _quoted(text: str) -> str:
    """Quote for a shell of Bourne's kind."""
    return "'" + text.replace("'", "'\\''") + "'"


def fish(commands: Iterable[Command]) -> str:
    """Write fish's."""
    return "".join(f"{line}\n" for line in _fish(tuple(commands)))


def _fish(commands: Iterable[Command]) -> Iterator[str]:
    yield "# Lets fish complete tracelog's commands: ~/.config/fish/completions/tracelog.fish"
    yield "complete -c tracelog -f"
    yield "complete -c tracelog -n __fish_use_subcommand -s h -l help -d 'show a help message'"
    yield "complete -c tracelog -n __fish_use_subcommand -l version -d 'show the version'"
    for command in commands:
        about = _fish_quoted(command.about)
        yield f"complete -c tracelog -n __fish_use_subcommand -a {command.name} -d {about}"
        for word in command.words:
            yield (
                f"complete -c tracelog -n '__fish_seen_subcommand_from {command.name}'"
                f"{_fish_word(word)}"
            )


def _fish_word(word: Word) -> str:
    """Write what `complete` is told of a word."""
    kinds = ("l" if flag.startswith("--") else "s" for flag in word.flags)
    parts = [f"-{kind} {flag.lstrip('-')}" for kind, flag in zip(kinds, word.flags, strict=True)]
    if word.is_path:
        parts.append("-r -F" if word.flags else "-F")
    elif word.value and word.flags:
        parts.append("-x")  # fish takes what needs a value for a file otherwise
    if word.choices:
        parts.append(f"-a {_fish_quoted(' '.join(word.choices))}")
    if word.flags:
        parts.append(f"-d {_fish_quoted(word.about)}")
    return "".join(f" {part}" for part in parts)


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: Final[Mapping[str, Callable[[Iterable[Command]], str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}
