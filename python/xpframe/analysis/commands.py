"""The commands ``xpframe diff`` and ``xpframe missing``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from xpframe.analysis.coverage import Coverage

__all__ = ["diff_command", "missing_command"]

# states of jobs from which nothing more will come
FAILED = ("error", "lost")


def diff_command(options: argparse.Namespace) -> None:
    """Prints where two jobs differ: in columns, or with ``--json`` a list of objects."""
    from dataclasses import asdict

    from xpframe.analysis.diff import compare_sides
    from xpframe.analysis.show import SideBySide

    differences = compare_sides(options.a, options.b, options.workspace)
    if options.json:
        print(json.dumps([asdict(difference) for difference in differences], ensure_ascii=True))
    else:
        print(SideBySide(differences, (options.a[:12], options.b[:12])))


def missing_command(options: argparse.Namespace) -> None:
    """Prints the cells of a grid that have no job, a JSON object a line; nothing if none is missing."""
    from xpframe.analysis.coverage import cover
    from xpframe.analysis.job_frame import any_frame
    from xpframe.frames import xp_table
    from xpframe.report import report

    by = [name.strip() for name in options.by.split(",") if name.strip()] if options.by else None
    table = xp_table(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        columns=["task", "state", *(by or ["*.*"])],
    )
    coverage = cover(any_frame(table), by)
    report([], coverage.notes, strict=False)
    for line in cell_lines(coverage, by or [], failed=options.failed):
        print(json.dumps(line, ensure_ascii=True, default=str))


def cell_lines(coverage: Coverage, by: list[str], *, failed: bool) -> Iterator[dict[str, Any]]:
    """The cells without a job as dicts, with ``failed`` those too of which all jobs failed.

    Each has its task, its factors by the names that were given, and ``state``: ``missing``, ``error``, or
    ``lost`` if all its jobs are.
    """
    from xpframe.analysis.job_frame import JobFrame
    from xpframe.analysis.names import choose

    frame = JobFrame(coverage.frame)
    names = {name: name for name in coverage.factors}
    for name in by:
        columns = choose(coverage.factors, name) if name != "task" else []
        if len(columns) == 1:  # else it is a glob
            names[columns[0]] = name
    values = {name: frame.values(name) for name in frame.names}
    ended = {state: values[state] for state in coverage.states if state in FAILED}
    for row in range(len(frame)):
        n = values["n"][row]
        counts = {state: column[row] for state, column in ended.items() if column[row]}
        if n and not (failed and n == sum(counts.values())):
            continue
        factors = {shown: values[name][row] for name, shown in names.items()}
        yield {"task": values["task"][row], **factors, "state": next(iter(sorted(counts)), "missing")}
