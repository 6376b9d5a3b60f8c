"""The command line: ``xpframe frame``, ``ls``, ``runs``, ``schema``, ``failures``, ``check``, ``diff`` and
``missing``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.errors import XpFrameError, XpFrameWarning
from xpframe.frames import xp_table
from xpframe.report import report
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_ROWS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: By default the arguments of the process.

    Returns:
        0; 1 after an error, with one line on stderr; 130 after Ctrl-C. Wrong arguments exit with 2.
        ``check`` returns 0 without errors and warnings, 1 with some, and 2 if the workspace could not be
        checked.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal that lacks a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    failure = 1
    try:
        options = _parser().parse_args(arguments)
        failure = options.failure
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", XpFrameWarning)
            code: int = options.command(options) or 0
        for warning in caught:
            print(f"xpframe: {_safe(str(warning.message))}", file=sys.stderr)
        if sys.stdout is not None:  # None if it was closed before Python started
            sys.stdout.flush()
    except XpFrameError as error:
        print(f"xpframe: {_safe(str(error))}", file=sys.stderr)
        return failure
    except UnicodeEncodeError as error:
        print(f"xpframe: {error.object!r} is not UTF-8: no experiment has such a name", file=sys.stderr)
        return failure
    except BrokenPipeError:
        # the reader of the pipe has ended; Python must not flush into it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        location = f"{error.filename}: " if error.filename else ""
        print(f"xpframe: {_safe(f'{location}{error.strerror or error}')}", file=sys.stderr)
        return failure
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xpframe", description="Read experimaestro workspaces.")
    parser.add_argument("--version", action="version", version=f"xpframe {_core.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str, *, named: str = "") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if named:
            sub.add_argument("experiment", metavar="NAME", help=named)
        sub.add_argument("--workspace", "-w", metavar="PATH", help="the root of the workspace")
        sub.add_argument("--json", action="store_true", help="print JSON, for scripts")
        sub.set_defaults(command=run, failure=1)
        return sub

    command("ls", _ls, "list the experiments")
    command("runs", _runs, "list the runs of an experiment, newest first", named="an experiment")
    sub = command("check", _check, "check a workspace for faults, and say what to do about them")
    sub.add_argument("root", metavar="WORKSPACE", nargs="?", help="the root of the workspace, as --workspace")
    sub.add_argument(
        "--experiment", "-e", action="append", metavar="NAME", help="a name or glob; may be repeated"
    )
    sub.add_argument("--run", default="all", help="all, latest, or a run id")
    sub.set_defaults(failure=2)
    sub = command("diff", _diff, "show where two jobs differ, including their upstream jobs")
    sub.add_argument("a", metavar="A", help="the id of a job, or its beginning")
    sub.add_argument("b", metavar="B", help="the id of the other job")
    named = "an experiment, a glob, or the path of a run"
    text = "show why jobs failed: the causes, with an example of each"
    failures = command("failures", _failures, text, named=named)
    text = "print the cells of a grid that have no job, as JSON lines"
    missing = command("missing", _missing, text, named=named)
    results = command("results", _results, "list the files that could be results of jobs", named=named)
    for sub in (failures, missing, results):
        sub.add_argument("--run", default="latest", help="latest, all, or a run id")
        sub.add_argument("--task", action="append", help="keep the jobs of this task; may be repeated")
    text = "the factors of the grid, as in lr,seed; by default the tags that vary"
    missing.add_argument("--by", metavar="NAMES", help=text)
    text = "print the cells of which all jobs failed as well"
    missing.add_argument("--failed", action="store_true", help=text)
    for sub in (
        command("frame", _frame, "print the jobs of an experiment, or write them to a file", named=named),
        command("schema", _schema, "list the columns of an experiment", named=named),
    ):
        sub.add_argument("--run", default="latest", help="latest, all, distinct (each job once), or a run id")
        sub.add_argument("--task", action="append", help="keep the jobs of this task; may be repeated")
        text = "names, short names or globs; give NAME before them"
        sub.add_argument("--columns", "-c", nargs="+", action="extend", metavar="COLUMN", help=text)
        text = "what jobs wrote: a path parameter or a file; NAME=HANDLE for several"
        sub.add_argument("--results", action="append", metavar="HANDLE", help=text)
        sub.add_argument("--short", action="store_true", help="strip tags. and config. from the names")
        sub.add_argument("--strict", action="store_true", help="stop at the first error")
        if sub.get_default("command") is _frame:
            sub.add_argument(
                "--output", "-o", metavar="FILE", help=".parquet, .arrow, .csv, .jsonl, or a directory/"
            )
    return parser


def _ls(options: argparse.Namespace) -> None:
    workspace = Workspace(options.workspace)
    rows: list[dict[str, Any]] = []
    errors: list[XpFrameError] = []
    for name in workspace.experiments():
        try:
            rows.append({"experiment": name, "runs": len(workspace.runs(name))})
        except XpFrameError as error:
            rows.append({"experiment": name, "runs": None})
            errors.append(error)
    report(errors, [], strict=False)
    _show(rows, options)


def _runs(options: argparse.Namespace) -> None:
    workspace = Workspace(options.workspace)
    rows = []
    for run_id in workspace.runs(options.experiment):
        info = workspace.load_xp_info(options.experiment, run_id)
        started = info.started_at.isoformat(timespec="seconds") if info.started_at else None
        states = list(info.states.values())
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        rows.append(
            {
                "run": run_id,
                "status": info.status,
                "started_at": started,
                "jobs": len(states),
                "states": counts,
            }
        )
    _show(rows, options)


def _check(options: argparse.Namespace) -> int:
    findings = Workspace(options.root or options.workspace).check(options.experiment, run=options.run)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=True))
    else:
        print(findings)
    return 0 if findings.is_clean else 1


def _diff(options: argparse.Namespace) -> None:
    from xpframe.analysis.commands import diff_command

    diff_command(options)


def _missing(options: argparse.Namespace) -> None:
    from xpframe.analysis.commands import missing_command

    missing_command(options)


def _table(options: argparse.Namespace) -> _core.Table:
    from xpframe.results import results_argument

    return xp_table(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        columns=options.columns,
        results=results_argument(options.results),
        names="short" if options.short else "full",
        strict=options.strict,
    )


def _frame(options: argparse.Namespace) -> None:
    from xpframe.export import json_lines, timed

    table = _table(options)
    if options.output:
        table.write(options.output)
    elif options.json:
        for line in json_lines(table):
            print(line)
    else:
        names = table.column_names
        columns = [timed(table.column_values(name)[:_ROWS], kind) for name, kind in table.schema]
        print(_text([names, *zip(*columns, strict=True)]))
        rest = f", the first {_ROWS} shown" if len(table) > _ROWS else ""
        print(f"{_count(len(table), 'job')}, {_count(len(names), 'column')}{rest}")


def _schema(options: argparse.Namespace) -> None:
    table = _table(options)
    rows: list[dict[str, Any]] = []
    for name, kind in table.schema:
        metadata = table.column_metadata(name)
        group, path, python = (metadata.get(f"xpframe.{key}") for key in ("group", "path", "python"))
        rows.append({"column": name, "type": kind, "group": group, "python": python})
        if options.json:
            rows[-1]["path"] = path and json.loads(path)
    _show(rows, options)


def _failures(options: argparse.Namespace) -> None:
    from xpframe.export import json_lines
    from xpframe.failed_jobs import named_failures

    found = named_failures(
        options.experiment, workspace=options.workspace, run=options.run, task=options.task
    )
    if options.json:
        for line in json_lines(found.table()):
            print(line)
    else:
        print(found)


def _results(options: argparse.Namespace) -> None:
    from xpframe.result_listing import result_files

    files = result_files(options.experiment, workspace=options.workspace, run=options.run, task=options.task)
    _show(files.rows(), options)


def _show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(rows, ensure_ascii=True))
    elif rows:
        print(_text([list(rows[0]), *(list(row.values()) for row in rows)]))


def _safe(text: str) -> str:
    from xpframe.export import safe_text

    return safe_text(text)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key} {count}" for key, count in value.items())
    text = _safe("" if value is None else str(value))
    return text if len(text) <= 40 else f"{text[:39]}…"


def _text(rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned text. Columns that do not fit into the terminal are left out, with a count."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(cells[0]))]
    room, shown = shutil.get_terminal_size((120, 24)).columns, 0
    while shown < len(widths) and (shown == 0 or room >= widths[shown]):
        room -= widths[shown] + 2
        shown += 1
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row[:shown], widths, strict=False)).rstrip()
        for row in cells
    ]
    hidden = len(widths) - shown
    return "\n".join([*lines, f"({_count(hidden, 'more column')})"] if hidden else lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
