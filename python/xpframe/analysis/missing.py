"""The cells that ``xpframe missing`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.errors import ColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xpframe import _core
    from xpframe.analysis.coverage import Coverage

__all__ = ["missing_cells"]

# states of jobs from which nothing more will come
FAILED = ("error", "lost")


def missing_cells(
    experiment: str,
    *,
    workspace: str | None,
    run: str,
    task: list[str] | None,
    where: str | None,
    by: list[str] | None,
    failed: bool,
) -> Iterator[dict[str, Any]]:
    """The cells of a grid that have no job as dicts, with ``failed`` those too of which all jobs failed."""
    from xpframe.analysis.coverage import cover
    from xpframe.analysis.job_frame import any_frame
    from xpframe.frames import xp_table
    from xpframe.report import report

    def read(*columns: str) -> _core.Table:
        chosen = ["task", "state", *columns]
        return xp_table(experiment, workspace=workspace, run=run, task=task, where=where, columns=chosen)

    try:
        table = read(*(by or ["*.*"]))
    except ColumnError:
        if by:
            raise
        table = read()  # no job has a tag or parameter
    jobs = any_frame(table)
    coverage = cover(jobs, by)
    notes = list(coverage.notes) if len(table) else ["there is no job, so no cell"]
    if by and (pooled := pooled_tags(jobs, coverage.factors, read)):
        notes.append(
            f"cells pool jobs that differ in {', '.join(pooled)}: add to --by what should not be pooled"
        )
    report([], notes, strict=False)
    return cell_lines(coverage, by or [], failed=failed)


def pooled_tags(frame: Any, factors: list[str], read: Callable[..., _core.Table]) -> list[str]:
    """The tags, by their short names, in which jobs of one cell differ."""
    from xpframe.analysis.job_frame import JobFrame, any_frame

    try:
        tags = JobFrame(any_frame(read("tags.*")))
    except ColumnError:
        return []
    jobs = JobFrame(frame)
    cells = list(zip(*(jobs.column(name).codes for name in ("task", *factors)), strict=True))
    others = [name for name in tags.parameters() if name not in factors]
    return [
        name.removeprefix("tags.")
        for name in others
        if len(tags) == len(jobs)  # a run that is written may have grown
        and len(set(zip(cells, tags.column(name).codes, strict=True))) > len(set(cells))
    ]


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
