"""Which cells of a grid have jobs, and which are missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from xpframe.analysis.factors import Factors
from xpframe.analysis.job_frame import JobFrame, build, load_narwhals
from xpframe.analysis.names import choose, is_tag
from xpframe.analysis.values import number_by_appearance
from xpframe.report import report

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Coverage", "cover", "coverage"]

MIN_FILL = 0.1  # a product of levels that is emptier is no grid
MIN_FILL_OF_FEW = 0.5  # nor is one where the levels of a factor have hardly more than a cell each
MANY_LEVELS = 5  # so many may be nested in another factor by sampling; fewer are rather the rest of a grid
FEW_CELLS = 1_000  # of factors of few levels: a grid, however many are missing
MAX_CELLS = 1_000_000


def coverage(frame: Any, by: str | Sequence[str] | None = None) -> Any:
    """Counts the jobs of each cell of a grid, the cells without jobs too.

    Cells are formed within each task, and within each set of tags that jobs of the task have: all
    combinations of the values that occur there. So a task with other tags, or a baseline without ``lr``,
    has cells of its own.

    >>> from xpframe import sample_workspace, xp_frame
    >>> from xpframe.analysis import coverage
    >>> df = xp_frame("grid-search", workspace=sample_workspace())
    >>> cells = coverage(df[1:])
    >>> cells[cells.n == 0].values.tolist()
    [['lab.tasks.train', 64, 0.1, 0, 0, 0]]

    Args:
        frame: A DataFrame of pandas, polars or pyarrow with one row a job, or a :class:`xpframe.Table`.

        by: The factors of the grid, by names, short names or globs. Without it: the tags that vary, or
            where the jobs have none, the parameters that vary; of those that vary together the first
            counts, and what follows from another is shown beside it but multiplies nothing.

    Returns:
        A frame of the same library (of pyarrow for a Table), one row a cell: ``task``, a column for each
        factor (null where the task has no such factor), ``n`` (int, the number of jobs; 0 for a missing
        cell), and the number of jobs in each state that occurs, as ``done`` and ``error``.

    Warns:
        XpFrameWarning: A task is not a grid, since a factor was sampled: most combinations of its values
            do not occur. Then only the cells with jobs are listed.

    Raises:
        InvalidArgumentError: Not a DataFrame, or it has renamed or short columns and no ``by``.
        ColumnError: ``by`` names no column, or several.
    """
    covered = cover(frame, by)
    report([], covered.notes, strict=False)
    return covered.frame


@dataclass(slots=True)
class Coverage:
    """The cells of a frame of jobs.

    Attributes:
        frame: What :func:`coverage` returns.
        factors: The columns of factors in it.
        states: The columns of counts by state.
        notes: Why some tasks are not a grid.
    """

    frame: Any
    factors: list[str]
    states: list[str]
    notes: list[str]


@dataclass(slots=True)
class Cell:
    """A cell: for each factor a row of the frame that has its value, and the jobs."""

    sources: dict[str, int]
    jobs: Sequence[int]


def cover(frame: Any, by: str | Sequence[str] | None = None) -> Coverage:
    """The cells, with what there is to say of them."""
    jobs = JobFrame(frame)
    names = [name for name in grid_columns(jobs, by) if name != "task"]
    cells: list[Cell] = []
    notes: list[str] = []
    for rows in groups(jobs, names):
        cells_here, note = cells_of(jobs, names, rows, exact=by is not None)
        cells += cells_here
        notes += [note] if note else []
    columns = (["task"] if "task" in jobs.names else []) + names
    parts = [jobs.take(name, [cell.sources[name] for cell in cells]) for name in columns]
    counts: dict[str, tuple[str, Sequence[Any]]] = {"n": ("int", [len(cell.jobs) for cell in cells])}
    if "task" not in jobs.names:
        parts.insert(0, build(jobs.implementation, {"task": ("text", [None] * len(cells))}))
    states = state_counts(jobs, cells)
    named = {f"n_{state}" if state in (*columns, "n") else state: count for state, count in states.items()}
    counts |= {name: ("int", count) for name, count in named.items()}
    parts.append(build(jobs.implementation, counts))
    joined = load_narwhals().concat(parts, how="horizontal")
    return Coverage(joined.to_native(), names, list(named), notes)


def grid_columns(jobs: JobFrame, by: str | Sequence[str] | None) -> list[str]:
    """The columns whose values make the cells."""
    if by is not None:
        return choose(jobs.names, by)
    names = [name for name in jobs.factors(None) if name != "task" and len(jobs.column(name).keys) > 1]
    return [name for name in names if is_tag(name)] or names


def groups(jobs: JobFrame, names: Sequence[str]) -> list[list[int]]:
    """The rows of each task and set of tags, in the order in which they first occur."""
    presence: list[Sequence[Any]] = [jobs.column("task").codes if "task" in jobs.names else [0] * len(jobs)]
    for name in names:
        column = jobs.column(name)
        if is_tag(name) and None in column.keys:
            null = column.keys.index(None)
            presence.append([code == null for code in column.codes])
    rows_of: dict[Any, list[int]] = {}
    for row, key in enumerate(zip(*presence, strict=True)):
        rows_of.setdefault(key, []).append(row)
    return list(rows_of.values())


def cells_of(
    jobs: JobFrame, names: Sequence[str], rows: list[int], *, exact: bool
) -> tuple[list[Cell], str | None]:
    """The cells of one task and set of tags, and why it is no grid, if so."""
    followers = {} if exact else followers_of(jobs, names, rows)
    free = [name for name in names if name not in followers]
    columns = {name: [jobs.column(name).codes[row] for row in rows] for name in free}
    jobs_of: dict[tuple[int, ...], list[int]] = {}
    keys = zip(*columns.values(), strict=True) if free else [()] * len(rows)
    for row, key in zip(rows, keys, strict=True):
        jobs_of.setdefault(key, []).append(row)
    source = {name: dict(zip(reversed(columns[name]), reversed(rows), strict=True)) for name in free}
    levels = [list(dict.fromkeys(columns[name])) for name in free]
    sampled = sampled_factors({name: columns[name] for name in free}, len(jobs_of))
    note = explain(jobs, rows, sampled, levels, len(jobs_of)) if sampled else None
    cells = []
    for key in jobs_of if sampled else product(*levels):
        sources = {name: source[name][code] for name, code in zip(free, key, strict=True)}
        sources |= {name: sources[leader] for name, leader in followers.items()}
        sources["task"] = rows[0]
        cells.append(Cell(sources, jobs_of.get(key, ())))
    return cells, note


def followers_of(jobs: JobFrame, names: Sequence[str], rows: list[int]) -> dict[str, str]:
    """The factors that follow from another one, and that one: they multiply no cells."""
    factors = Factors(jobs, names, rows)
    leaders: dict[str, str] = {}
    for factor in factors:
        first = factors.representative(factor)
        deciders = [name for name in factors.deciders(factor) if name not in leaders]
        if first != factor.name:
            leaders[factor.name] = first
        elif deciders:
            leaders[factor.name] = deciders[0]
    return {name: root(leaders, name) for name in leaders}


def root(leaders: dict[str, str], name: str) -> str:
    while name in leaders:
        name = leaders[name]
    return name


def sampled_factors(columns: dict[str, list[int]], filled: int) -> list[str]:
    """The factors that were sampled; empty for a grid, however many of its cells are missing.

    Args:
        columns: The values of the factors, as numbers.

        filled: How many combinations of them occur.
    """
    levels = {name: len(set(codes)) for name, codes in columns.items()}
    size = prod(levels.values())
    if filled == size and size <= MAX_CELLS:
        return []
    if nested := [
        name for name in columns if levels[name] >= MANY_LEVELS and is_nested(name, columns, levels)
    ]:
        return nested
    most = max(levels.values(), default=1)
    if most < MANY_LEVELS and size <= FEW_CELLS:
        return []
    fill = filled / size
    if size <= MAX_CELLS and (fill >= MIN_FILL_OF_FEW or (fill >= MIN_FILL and filled >= 2 * most)):
        return []
    # the fewest factors, those of most levels first, without which the others are a grid
    rest = sorted(columns, key=lambda name: -levels[name])
    sampled = []
    while len(rest) > 1 and fill < MIN_FILL_OF_FEW:
        sampled.append(rest.pop(0))
        combined, _, _ = number_by_appearance(list(zip(*(columns[name] for name in rest), strict=True)))
        fill = len(set(combined)) / prod(levels[name] for name in rest)
    return sampled or rest


def is_nested(name: str, columns: dict[str, list[int]], levels: dict[str, int]) -> bool:
    """Whether each value of a factor comes with one value of another one that has fewer, as if drawn anew."""
    return any(
        1 < levels[other] < levels[name] and len(set(zip(columns[name], codes, strict=True))) == levels[name]
        for other, codes in columns.items()
    )


def explain(
    jobs: JobFrame, rows: Sequence[int], sampled: Sequence[str], levels: Sequence[Sequence[int]], filled: int
) -> str:
    """Why some jobs are not a grid."""
    task = jobs.values("task")[rows[0]] if "task" in jobs.names else None
    size = prod(map(len, levels))
    counts = ", ".join(f"{name} ({count_levels(jobs, name, rows):,} values)" for name in sampled)
    verb = "was" if len(sampled) == 1 else "were"
    return (
        f"not a grid: {task or 'these jobs'}: {filled:,} of {size:,} combinations occur in {len(rows):,} "
        f"jobs, since {counts} {verb} sampled; no cell is called missing (by= names the factors of a grid)"
    )


def count_levels(jobs: JobFrame, name: str, rows: Sequence[int]) -> int:
    codes = jobs.column(name).codes
    return len({codes[row] for row in rows})


def state_counts(jobs: JobFrame, cells: Sequence[Cell]) -> dict[str, list[int]]:
    """How many jobs of each cell are in each state, states in the order in which they first occur."""
    if "state" not in jobs.names:
        return {}
    states = ["unknown" if state is None else str(state) for state in jobs.values("state")]
    counted = [Counter(states[row] for row in cell.jobs) for cell in cells]
    return {state: [counts[state] for counts in counted] for state in dict.fromkeys(states)}
