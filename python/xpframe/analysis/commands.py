"""The commands ``xpframe diff`` and ``xpframe missing``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from xpframe.analysis.coverage import Coverage

__all__ = ["add_diff_arguments", "add_missing_arguments", "diff_command", "missing_command"]

# states of jobs from which nothing more will come
FAILED = ("error", "lost")


def add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``xpframe diff``."""
    parser.add_argument("a", metavar="A", help="the id of a job, or the beginning of it")
    parser.add_argument("b", metavar="B", help="that of the other job")


def diff_command(options: argparse.Namespace) -> None:
    """Prints where two jobs differ: in columns, or with ``--json`` a list of objects."""
    from dataclasses import asdict

    from xpframe.analysis.diff import compare_sides
    from xpframe.display.diff import diff_text

    coverage = compare_sides(options.a, options.b, options.workspace)
    if options.json:
        print(json.dumps([asdict(difference) for difference in coverage], ensure_ascii=True))
    else:
        print(diff_text(coverage, (options.a[:12], options.b[:12])))


def add_missing_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``xpframe missing``, besides the name of the experiment."""
    parser.add_argument("--run", default="latest", help="latest, all, or the identifier of a run")
    parser.add_argument("--task", action="append", help="a task to keep; may be repeated")
    parser.add_argument(
        "--by", metavar="NAMES", help="the factors of the grid, as in lr,seed; else the tags that vary"
    )
    parser.add_argument("--failed", action="store_true", help="print the cells of which all jobs failed, too")


def missing_command(options: argparse.Namespace) -> None:
    """Prints the cells of a grid that have no job, a JSON object a line; nothing if none is missing."""
    from xpframe.analysis.coverage import cover
    from xpframe.errors import XpFrameWarning
    from xpframe.frames import xp_table

    by = [name.strip() for name in options.by.split(",") if name.strip()] if options.by else None
    table = xp_table(
        options.experiment,
        workspace=options.workspace,
        run=options.run,
        task=options.task,
        columns=["task", "state", *(by or ["*.*"])],
    )
    coverage = cover(table if find_spec("pyarrow") else table.to_polars(), by)
    if coverage.notes:
        import warnings

        warnings.warn(XpFrameWarning("; ".join(coverage.notes)), stacklevel=2)
    for line in cell_lines(coverage, by or [], failed=options.failed):
        print(json.dumps(line, ensure_ascii=True, default=str))


def cell_lines(coverage: Coverage, by: list[str], *, failed: bool) -> Iterator[dict[str, Any]]:
    """The cells without a job as dicts, with ``failed`` those too of which all jobs failed: task, factors
    by the names that were given, and ``state``, ``missing`` or ``failed``.
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
    lost = [values[state] for state in coverage.states if state in FAILED]
    for row in range(len(frame)):
        n = values["n"][row]
        if n and not (failed and n == sum(counts[row] for counts in lost)):
            continue
        factors = {shown: values[name][row] for name, shown in names.items()}
        yield {"task": values["task"][row], **factors, "state": "failed" if n else "missing"}
