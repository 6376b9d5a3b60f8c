"""The cells that ``xpframe missing`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    table = xp_table(
        experiment,
        workspace=workspace,
        run=run,
        task=task,
        where=where,
        columns=["task", "state", *(by or ["*.*"])],
    )
    coverage = cover(any_frame(table), by)
    report([], coverage.notes, strict=False)
    return cell_lines(coverage, by or [], failed=failed)


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
