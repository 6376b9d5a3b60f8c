"""What each command reads and prints."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from xpframe.cli.output import is_terminal, show_rows, show_table
from xpframe.command_words import column_words, results_argument
from xpframe.errors import XpFrameError
from xpframe.frames import xp_table
from xpframe.report import report
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    import argparse

    from xpframe import _core

__all__ = ["check", "diff", "failures", "frame", "ls", "missing", "path", "results", "runs", "schema"]


def ls(options: argparse.Namespace) -> None:
    """The experiments and how many runs they have."""
    workspace = Workspace(options.root or options.workspace)
    rows: list[dict[str, Any]] = []
    errors: list[XpFrameError] = []
    for name in workspace.experiments():
        try:
            rows.append({"experiment": name, "runs": len(workspace.runs(name))})
        except XpFrameError as error:
            rows.append({"experiment": name, "runs": None})
            errors.append(error)
    report(errors, [], strict=False)
    show_rows(["experiment", "runs"], rows, options)


def runs(options: argparse.Namespace) -> None:
    """The runs of an experiment: status, start, how many jobs are in which state."""
    workspace = Workspace(options.workspace)
    rows = []
    for run_id in workspace.runs(options.experiment)[: options.limit]:
        info = workspace.load_xp_info(options.experiment, run_id)
        started = info.started_at.isoformat(timespec="seconds") if info.started_at else None
        states = list(info.states.values())
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        row = {"run": run_id, "status": info.status, "started_at": started, "jobs": len(states)}
        rows.append({**row, "states": counts})
    show_rows(["run", "status", "started_at", "jobs", "states"], rows, options)


def frame(options: argparse.Namespace) -> None:
    """The jobs of an experiment."""
    show_table(_table(options), options, "job")


def schema(options: argparse.Namespace) -> None:
    """The columns of an experiment: type, group and Python type of each."""
    table = _table(options)
    rows: list[dict[str, Any]] = []
    for name, kind in table.schema:
        metadata = table.column_metadata(name)
        group, path, python = (metadata.get(f"xpframe.{key}") for key in ("group", "path", "python"))
        rows.append({"column": name, "type": kind, "group": group, "python": python})
        if options.format == "json":
            rows[-1]["path"] = path and json.loads(path)
    show_rows(["column", "type", "group", "python"], rows, options)


def results(options: argparse.Namespace) -> None:
    """The files that could be results of jobs."""
    from xpframe.result_listing import result_files

    files = result_files(options.experiment, workspace=options.workspace, run=options.run, task=options.task)
    rows = files.rows()
    show_rows(list(rows[0]) if rows else [], rows, options)


def failures(options: argparse.Namespace) -> None:
    """Why jobs failed, by cause; into a pipe none is left out, and no job."""
    from xpframe.display.failures import failures_text
    from xpframe.failed_jobs import named_failures

    found = named_failures(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        where=options.where,
    )
    if options.format is None and options.limit is None and options.output is None:
        print(failures_text(found.title, found.groups, whole=not is_terminal()))
    else:
        show_table(found.table(), options, "failed job")


def check(options: argparse.Namespace) -> int:
    """What is wrong with a workspace; into a pipe no finding is left out."""
    from xpframe.display.findings import findings_text

    findings = Workspace(options.root or options.workspace).check(options.experiment, run=options.run)
    if options.format is None and options.limit is None:
        print(findings_text(findings.place, findings, findings.seen, whole=not is_terminal()))
    else:
        rows = [asdict(finding) for finding in findings]
        show_rows(findings.table().column_names, rows, options)
    return 0 if findings.is_clean else 1


def diff(options: argparse.Namespace) -> None:
    """Where two jobs differ."""
    from xpframe.analysis.diff import compare_sides
    from xpframe.analysis.show import SideBySide

    differences = compare_sides(options.a, options.b, options.workspace)
    if options.format is None and options.limit is None:
        print(SideBySide(differences, (options.a[:12], options.b[:12])))
    else:
        rows = [asdict(difference) for difference in differences]
        show_rows(list(rows[0]) if rows else [], rows, options)


def missing(options: argparse.Namespace) -> None:
    """The cells of a grid that have no job, a JSON object a line; nothing if none is missing."""
    from xpframe.analysis.missing import missing_cells

    by = [name.strip() for name in options.by.split(",") if name.strip()] if options.by else None
    for line in missing_cells(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        where=options.where,
        by=by,
        failed=options.failed,
    ):
        print(json.dumps(line, ensure_ascii=True, default=str))


def path(options: argparse.Namespace) -> None:
    """The directory of a job of any experiment."""
    from xpframe import _core
    from xpframe.analysis.diff import find_job

    print(_core.path(find_job(options.job, options.workspace)))


def _table(options: argparse.Namespace) -> _core.Table:

    return xp_table(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        where=options.where,
        columns=column_words(options.columns),
        results=results_argument(options.results),
        names=options.names,
        max_columns=options.max_columns,
        timezone=options.timezone,
        naive_times=options.naive_times,
        strict=options.strict,
    )
