"""Completion in shells: their scripts, and the words that they ask for."""

from __future__ import annotations

import os
import re
import shlex
import warnings
from typing import TYPE_CHECKING, Any

from xpframe.errors import XpFrameError
from xpframe.frames import xp_table
from xpframe.locate import expanded, find_workspace
from xpframe.request import plan_scan, table_request
from xpframe.resolve import resolve_runs
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    import argparse

__all__ = ["SHELLS", "complete_command", "completion_command"]

# the line up to the cursor; bash splits it at @, = and : too, and completes only the last part
_BASH = r"""_xpframe() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(command xpframe __complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -F _xpframe xpframe
"""
_ZSH = r"""#compdef xpframe
_xpframe() {
    local -a candidates
    candidates=(${(f)"$(command xpframe __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)"})
    if [[ ${#candidates} -eq 1 && $candidates[1] == */ ]]; then
        compadd -S '' -- $candidates
    else
        compadd -- $candidates
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _xpframe "$@"
else
    compdef _xpframe xpframe
fi
"""
_FISH = r"""function __xpframe
    command xpframe __complete fish (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c xpframe -f -a '(__xpframe)'
"""
SHELLS = ("bash", "zsh", "fish")
_SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


def completion_command(options: argparse.Namespace) -> None:
    """Prints a script: ``source <(xpframe completion bash)``."""
    print(_SCRIPTS[options.shell], end="")


def complete_command(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Prints the words that may stand at the cursor, a line each.

    The words are the shell and what was typed: for bash the whole line, for others word by word.
    """
    shell, *words = options.words or [""]
    start = ""
    if shell == "bash":
        words, start = _split(words[0] if words else "")
        words = words[1:]
    *before, prefix = words or [""]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody wants a warning at each Tab
        try:
            names = candidates(before, prefix, parser)
        except (XpFrameError, OSError):
            return
    for name in names:
        if name.startswith(prefix) and name.isprintable():
            print(_for_bash(name, start) if shell == "bash" else name)


def _split(line: str) -> tuple[list[str], str]:
    """The words of a line, the last of them without its quotes, and the last as it was typed."""
    start = re.search(r"""(?:[^\s\\'"]|\\.|'[^']*'?|"(?:[^"\\]|\\.)*"?)*$""", line)
    typed = start[0] if start else ""
    words = shlex.split(line[: len(line) - len(typed)])
    for quote in ("", "'", '"'):
        try:
            return [*words, "".join(shlex.split(typed + quote))], typed
        except ValueError:
            continue
    return [*words, typed], typed


def _for_bash(name: str, typed: str) -> str:
    """The part of a name that bash replaces: what is after its last ``@``, ``=`` or ``:``, in quotes."""
    quoted = name if typed[:1] in ("'", '"') else re.sub(r"([\s\\'\"*?\[\]();&|<>$`!#])", r"\\\1", name)
    split = max(typed.rfind(mark) for mark in "@=:") + 1
    return quoted[split:]


def candidates(before: list[str], prefix: str, parser: argparse.ArgumentParser) -> list[str]:
    """The words that may follow these words."""
    commands: dict[str, Any] = {
        name: sub
        for action in parser._actions  # noqa: SLF001 - argparse has no other list
        if isinstance(action.choices, dict)
        for name, sub in action.choices.items()
        if not name.startswith("_")
    }
    command = next((word for word in before if word in commands), None)
    options = _options(commands, command)
    last = options.get(before[-1]) if before else None
    if last is not None and last.nargs != 0:
        return _values(last.dest, last.choices, before, prefix, command, commands)
    if prefix.startswith("-"):
        return sorted(name for name in options if name not in before)
    if command is None:
        return list(commands)
    given = _positionals(before[before.index(command) + 1 :], options)
    places = [action for action in commands[command]._actions if not action.option_strings]  # noqa: SLF001 - as above
    if len(given) < len(places):
        place = places[len(given)]
        return _values(place.dest, place.choices, before, prefix, command, commands)
    if "--columns" in before or "-c" in before:
        return _values("columns", None, before, prefix, command, commands)
    return sorted(name for name in options if name not in before)


def _options(commands: dict[str, Any], command: str | None) -> dict[str, Any]:
    subs = [commands[command]] if command else list(commands.values())
    return {name: action for sub in subs for action in sub._actions for name in action.option_strings}  # noqa: SLF001 - argparse has no other list


def _positionals(words: list[str], options: dict[str, Any]) -> list[str]:
    given, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in options and options[word].nargs != 0
        else:
            given.append(word)
    return given


def _values(
    dest: str,
    choices: Any,
    before: list[str],
    prefix: str,
    command: str | None,
    commands: dict[str, Any],
) -> list[str]:
    """The values of an option, or of what stands at a place."""
    if choices:
        return list(choices)
    if dest in ("workspace", "root"):
        return _paths(prefix, only_directories=True)
    if dest == "output":
        return _paths(prefix)
    workspace = next(
        (before[at + 1] for at, word in enumerate(before[:-1]) if word in ("-w", "--workspace")), None
    )
    if dest == "experiment":
        return Workspace(workspace).experiments()
    if dest in ("job", "a", "b"):
        return _jobs(workspace) if prefix else []
    given = _positionals(before[before.index(command) + 1 :], _options(commands, command)) if command else []
    name = given[0] if given else None
    if name is None:
        return ["latest", "all", "distinct"] if dest == "run" else []
    if dest == "run":
        return ["latest", "all", "distinct", *Workspace(workspace).runs(name)]
    if dest == "task":
        table = xp_table(name, workspace=workspace, columns=["task"], quiet=True)
        return list(dict.fromkeys(table.column_values("task")))
    if dest in ("columns", "by"):
        done, comma, _ = prefix.rpartition(",")
        runs, several = resolve_runs(name, workspace, "latest")
        # decides the columns and builds none
        plan = plan_scan(runs, table_request(), several_runs=several, keep_bytes=0, quiet=True)
        return [f"{done}{comma}{column}" for column in plan.column_names]
    return []


def _jobs(workspace: str | None) -> list[str]:
    """The jobs of the latest run of each experiment: those of all runs take too long for a Tab."""
    home = find_workspace(workspace)
    runs = [run for name in home.experiments() for run in home.readable_runs(name, "latest")]
    return list(dict.fromkeys(job_id for run in runs for job_id, _ in run.rows()))


def _paths(prefix: str, *, only_directories: bool = False) -> list[str]:
    """The files and directories whose path begins with this text."""
    parent, slash, start = prefix.rpartition("/")
    try:
        with os.scandir(expanded(f"{parent}{slash}" or ".")) as entries:
            names = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in entries
                if (entry.name[0] != "." or start.startswith("."))
                and (entry.is_dir() or not only_directories)
            ]
    except (OSError, ValueError):
        return []
    return [f"{parent}{slash}{name}" for name in sorted(names)]
