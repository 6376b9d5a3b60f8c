"""The command line: ``xpframe frame``, ``ls``, ``runs``, ``schema``, ``failures`` and ``check``."""

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
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_ROWS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Those of the process if not given.

    Returns:
        0, or 1 with one line on stderr; 130 after Ctrl-C; wrong use ends the process with 2. ``check``: 0 if
        nothing is wrong, 1 if there are errors or warnings, 2 if it cannot look.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal without some character shows its escape
            stream.reconfigure(errors="backslashreplace")
    failure = 1
    try:
        options = _parser().parse_args(arguments)
        failure = options.failure
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", XpFrameWarning)
            code: int = options.command(options) or 0
        for warning in told:
            print(f"xpframe: {_safe(str(warning.message))}", file=sys.stderr)
        if sys.stdout is not None:  # it is None where it was closed before Python began
            sys.stdout.flush()
    except XpFrameError as error:
        print(f"xpframe: {_safe(str(error))}", file=sys.stderr)
        return failure
    except UnicodeEncodeError as error:
        print(f"xpframe: {error.object!r} is not UTF-8, and no experiment is called so", file=sys.stderr)
        return failure
    except BrokenPipeError:
        # whoever read has enough; Python must not flush into the closed pipe at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"xpframe: {_safe(f'{where}{error.strerror or error}')}", file=sys.stderr)
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
    sub = command("check", _check, "say what is wrong with a workspace, and what to do about it")
    sub.add_argument(
        "place", metavar="WORKSPACE", nargs="?", help="its root; or give --workspace, or neither"
    )
    sub.add_argument(
        "--experiment", "-e", action="append", metavar="NAME", help="a name or glob; may be repeated"
    )
    sub.add_argument("--run", default="all", help="all, latest, or the identifier of a run")
    sub.set_defaults(failure=2)
    named = "an experiment, a glob, or the path of a run"
    sub = command(
        "failures", _failures, "say why jobs failed: the causes, and one example of each", named=named
    )
    sub.add_argument("--run", default="latest", help="latest, all, or the identifier of a run")
    sub.add_argument("--task", action="append", help="a task to keep; may be repeated")
    for sub in (
        command("frame", _frame, "print the jobs of an experiment, or write them to a file", named=named),
        command("schema", _schema, "list the columns of an experiment", named=named),
    ):
        sub.add_argument("--run", default="latest", help="latest, all, or the identifier of a run")
        sub.add_argument("--task", action="append", help="a task to keep; may be repeated")
        text = "names, short names or globs; NAME stands before them"
        sub.add_argument("--columns", "-c", nargs="+", action="extend", metavar="COLUMN", help=text)
        sub.add_argument("--short", action="store_true", help="strip tags. and config. from the names")
        sub.add_argument("--strict", action="store_true", help="stop at the first thing that cannot be read")
        if sub.get_default("command") is _frame:
            sub.add_argument(
                "--output", "-o", metavar="FILE", help=".parquet, .arrow, .csv, .jsonl, or a directory/"
            )
    return parser


def _ls(options: argparse.Namespace) -> None:
    workspace = Workspace(options.workspace)
    found = [{"experiment": name, "runs": len(workspace.runs(name))} for name in workspace.experiments()]
    _show(found, options)


def _runs(options: argparse.Namespace) -> None:
    workspace = Workspace(options.workspace)
    found = []
    for run_id in workspace.runs(options.experiment):
        info = workspace.load_xp_info(options.experiment, run_id)
        started = info.started_at.isoformat(timespec="seconds") if info.started_at else None
        states = list(info.states.values())
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        found.append(
            {
                "run": run_id,
                "status": info.status,
                "started_at": started,
                "jobs": len(states),
                "states": counts,
            }
        )
    _show(found, options)


def _check(options: argparse.Namespace) -> int:
    findings = Workspace(options.place or options.workspace).check(options.experiment, run=options.run)
    if options.json:
        print(json.dumps([asdict(one) for one in findings], ensure_ascii=True))
    else:
        print(findings)
    return 0 if findings.is_clean else 1


def _table(options: argparse.Namespace) -> _core.Table:
    return xp_table(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        columns=options.columns,
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
    found: list[dict[str, Any]] = []
    for name, kind in table.schema:
        known = table.column_metadata(name)
        group, path, python = (known.get(f"xpframe.{key}") for key in ("group", "path", "python"))
        found.append({"column": name, "type": kind, "group": group, "python": python})
        if options.json:
            found[-1]["path"] = path and json.loads(path)
    _show(found, options)


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
    """Rows as aligned text; columns that the terminal has no room for are left out, with a word."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    room, shown = shutil.get_terminal_size((120, 24)).columns, 0
    while shown < len(widths) and (shown == 0 or room >= widths[shown]):
        room -= widths[shown] + 2
        shown += 1
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row[:shown], widths, strict=False)).rstrip()
        for row in cells
    ]
    left = len(widths) - shown
    return "\n".join([*lines, f"({_count(left, 'more column')})"] if left else lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
