"""The arguments of each command. Options may stand before the command and after it."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from xpframe import _core
from xpframe.cli import commands
from xpframe.cli.completion import SHELLS, complete_command, completion_command
from xpframe.command_words import SEVERAL_RESULTS, with_guess
from xpframe.html_report.command import REPORT_HELP, add_report_arguments, report_command
from xpframe.options import COLUMN_DEFAULTS
from xpframe.remote.command import PULL_HELP, add_pull_arguments, pull_command

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parsed", "top_parser"]


class Parser(argparse.ArgumentParser):
    """A parser that reports what it does not know with the usage of its own command."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = f" ({SEVERAL_RESULTS})" if "--results" in (args or ()) else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"xpframe: {with_guess(message)}\n")


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """The options of a command line. What is wrong exits with 2 and the usage of the command."""
    parser = top_parser()
    return parser.parse_args(_in_order(list(words), _options_with_value(parser)))


def top_parser() -> argparse.ArgumentParser:
    """The parser of ``xpframe``."""
    parser = Parser(
        prog="xpframe",
        description="Read experimaestro workspaces.",
        epilog="Into a pipe or a file, each command writes all rows and columns, separated by tabs.",
    )
    parser.add_argument("--version", action="version", version=f"xpframe {_core.__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")
    _add_tables(subparsers)
    _add_reports(subparsers)
    named = "an experiment, or the path of a run"
    add_report_arguments(_command(subparsers, "report", report_command, REPORT_HELP, named=named))
    sub = subparsers.add_parser("pull", help=PULL_HELP, description=PULL_HELP)
    add_pull_arguments(sub)
    sub.set_defaults(command=pull_command, failure=1)
    sub = _command(subparsers, "path", commands.path, "print the directory of a job, as for cd")
    sub.add_argument("job", metavar="JOB", help="the id of a job, or its beginning")
    sub = _command(subparsers, "completion", completion_command, "print the completion of a shell")
    sub.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")
    # what these scripts call; without help it is not listed
    hidden = subparsers.add_parser("__complete")
    hidden.add_argument("words", nargs=argparse.REMAINDER)
    hidden.set_defaults(command=partial(complete_command, parser), failure=1)
    return parser


def _command(subparsers: Any, name: str, run: Any, text: str, *, named: str = "") -> Any:
    sub = subparsers.add_parser(name, help=text, description=text)
    if named:
        sub.add_argument("experiment", metavar="NAME", help=named)
    sub.add_argument("--workspace", "-w", metavar="PATH", help="the root of the workspace, or its id")
    sub.set_defaults(command=run, failure=1)
    return sub


def _formats(sub: Any, json: str = "print JSON") -> None:
    formats = sub.add_mutually_exclusive_group()
    for name, words in (
        ("json", json),
        ("csv", "print CSV"),
        ("tsv", "print columns separated by tabs"),
    ):
        formats.add_argument(f"--{name}", action="store_const", const=name, dest="format", help=words)
    sub.add_argument("--limit", metavar="N", type=_count, help="at most this many rows")


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of rows")
    return int(word)


def _add_tables(subparsers: Any) -> None:
    named = "an experiment, a glob, or the path of a run"
    sub = _command(subparsers, "frame", commands.frame, "print jobs, or write them to a file", named=named)
    _choose_jobs(sub)
    _filter_jobs(sub)
    _choose_columns(sub)
    _formats(sub, json="print JSON lines")
    text = ".parquet, .arrow, .csv, .jsonl, a directory/, or - for stdout"
    sub.add_argument("--output", "-o", metavar="FILE", help=text)
    sub = _command(subparsers, "schema", commands.schema, "list the columns of an experiment", named=named)
    _choose_jobs(sub)
    _filter_jobs(sub)
    _choose_columns(sub)
    _formats(sub)
    sub = _command(subparsers, "ls", commands.ls, "list the experiments")
    sub.add_argument("root", metavar="WORKSPACE", nargs="?", help="the workspace, as --workspace")
    _formats(sub)
    text = "list the runs of an experiment, newest first"
    _formats(_command(subparsers, "runs", commands.runs, text, named="an experiment"))
    text = "list the files that could be results of jobs"
    sub = _command(subparsers, "results", commands.results, text, named=named)
    _choose_jobs(sub)
    _formats(sub)


def _add_reports(subparsers: Any) -> None:
    named = "an experiment, a glob, or the path of a run"
    text = "show why jobs failed: the causes, with an example of each; with --tsv a row a job"
    sub = _command(subparsers, "failures", commands.failures, text, named=named)
    _choose_jobs(sub)
    _filter_jobs(sub)
    _formats(sub, json="print JSON lines")
    sub.add_argument("--output", "-o", metavar="FILE", help="as for frame")
    text = "print the cells of a grid that have no job, as JSON lines"
    sub = _command(subparsers, "missing", commands.missing, text, named=named)
    _choose_jobs(sub)
    _filter_jobs(sub)
    text = "the factors of the grid, as in lr,seed; by default the tags that vary, or else the parameters"
    sub.add_argument("--by", metavar="NAMES", help=text)
    text = "print the cells of which all jobs failed as well"
    sub.add_argument("--failed", action="store_true", help=text)
    sub.add_argument("--json", action="store_true", help="print JSON lines, which it does anyway")
    sub = _command(
        subparsers, "check", commands.check, "check a workspace for faults, and say what to do about them"
    )
    sub.add_argument("root", metavar="WORKSPACE", nargs="?", help="the workspace, as --workspace")
    text = "a name or glob; may be repeated"
    sub.add_argument("--experiment", "-e", action="append", metavar="NAME", help=text)
    sub.add_argument("--run", default="all", help="all, latest, or a run id")
    _formats(sub)
    sub.set_defaults(failure=2)
    text = "show where two jobs differ, including their upstream jobs"
    sub = _command(subparsers, "diff", commands.diff, text)
    sub.add_argument("a", metavar="A", help="the id of a job, or its beginning")
    sub.add_argument("b", metavar="B", help="the id of the other job")
    _formats(sub)


def _choose_jobs(sub: Any) -> None:
    sub.add_argument("--run", default="latest", help="latest, all, distinct (each job once), or a run id")
    sub.add_argument("--task", action="append", help="keep the jobs of this task; may be repeated")


def _filter_jobs(sub: Any) -> None:
    text = "keep the jobs that pass a filter, as in '@state = \"done\" and lr <= 0.1'"
    sub.add_argument("--where", metavar="FILTER", help=text)


def _choose_columns(sub: Any) -> None:
    text = "names, short names or globs, separated by commas, or after NAME by spaces; may be repeated"
    sub.add_argument("--columns", "-c", action="append", metavar="COLUMNS", help=text)
    text = "what jobs wrote: a path parameter or a file; NAME=HANDLE for several"
    sub.add_argument("--results", action="append", metavar="HANDLE", help=text)
    names = sub.add_mutually_exclusive_group()
    text = "full (config.model.name), short (model.name) or identifier (model_name)"
    names.add_argument("--names", choices=("full", "short", "identifier"), default="full", help=text)
    names.add_argument("--short", action="store_const", const="short", dest="names", help="--names short")
    most = COLUMN_DEFAULTS["max_columns"]
    text = f"more columns than this are an error (by default {most})"
    sub.add_argument("--max-columns", metavar="N", type=int, default=most, help=text)
    text = "the zone of times that the files hold without one"
    sub.add_argument("--timezone", metavar="ZONE", help=text)
    sub.add_argument("--naive-times", action="store_true", help="times in UTC, without a zone")
    sub.add_argument("--strict", action="store_true", help="stop at the first error")


def _options_with_value(parser: argparse.ArgumentParser) -> set[str]:
    """The options of all commands that take a value."""
    names: set[str] = set()
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for sub in action.choices.values():
                names |= {
                    name
                    for each in sub._actions  # noqa: SLF001 - as above
                    if each.nargs != 0
                    for name in each.option_strings
                }
    return names


def _in_order(words: list[str], with_value: set[str]) -> list[str]:
    """The words with the command first and each column behind an option of its own: options may stand before
    the command, and columns may be separated by spaces where NAME stands before them.
    """
    before: list[str] = []
    while words and words[0].startswith("-") and words[0] != "--":
        before += _option_of(words, with_value)
    if not words or words[0] in ("__complete", "--"):
        return [*before, *words]
    # --help and --version are those of xpframe where no command is before them
    if {"-h", "--help", "--version"} & set(before):
        return [*before, *words]
    ordered, rest = [words[0]], [*before, *words[1:]]
    has_name, columns_open = False, False
    while rest:
        if rest[0] == "--":
            return [*ordered, *rest]
        if rest[0].startswith("-") and rest[0] != "-":
            option = _option_of(rest, with_value)
            columns_open = _is_columns(option[0])
            ordered += option
        elif has_name and columns_open:
            ordered += ["--columns", rest.pop(0)]
        else:
            has_name = True
            ordered.append(rest.pop(0))
    return ordered


def _option_of(words: list[str], with_value: set[str]) -> list[str]:
    """Takes an option off the words, with its value."""
    word = words.pop(0)
    is_whole = word in with_value or any(name.startswith(word) for name in with_value if word[:2] == "--")
    return [word, words.pop(0)] if is_whole and words else [word]


def _is_columns(word: str) -> bool:
    name = word.partition("=")[0]
    return name[:2] == "-c" or (len(name) > 4 and "--columns".startswith(name))
