"""Which jobs are the same but for their seed."""

from __future__ import annotations

from collections import Counter
from operator import add, sub
from random import Random
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.analysis.factors import Factor, Factors
from xpframe.analysis.job_frame import JobFrame, build, load_narwhals
from xpframe.analysis.names import last_component
from xpframe.analysis.values import number_by_appearance
from xpframe.arguments import checked_texts
from xpframe.errors import ColumnError, InvalidArgumentError
from xpframe.report import report

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["replicates"]

MANY = 0.2  # groups of one job that are more than this share of all deserve a word
MAX_NAMES = 20
CHANCE = 0.01  # what follows the seed by chance with a higher probability is taken for a factor


def replicates(frame: Any, over: str | Sequence[str] = "seed", by: str | Sequence[str] | None = None) -> Any:
    """Numbers the groups of jobs that differ in nothing but their seed.

    Two jobs are in one group if they agree in all factors (see :func:`~xpframe.analysis.factors`) but those
    called ``over`` and those that these decide, such as a comment or a shuffling seed made from the seed.

    >>> import polars as pl
    >>> from xpframe.analysis import replicates
    >>> jobs = pl.DataFrame(
    ...     {"tags.lr": [0.1, 0.1, 0.2, 0.2], "tags.seed": [1, 2, 1, 2], "result.acc": [3, 5, 6, 8]}
    ... )
    >>> means = replicates(jobs).group_by("replicate").agg(pl.col("result.acc").mean()).sort("replicate")
    >>> means.rows()
    [(0, 4.0), (1, 7.0)]

    Args:
        frame: A DataFrame of pandas, polars or pyarrow with one row a job, or a :class:`xpframe.Table`.

        over: What replicates differ in: the names of columns, or the last component of names, as ``seed`` of
            ``tags.seed`` and ``config.data.seed``.

        by: The factors in which replicates agree, by names, short names or globs, instead of all. Needed
            where columns were renamed or shortened.

    Returns:
        The same frame (a pyarrow table of a Table) with one more column, ``replicate`` (int): the number
        of the group, from 0 on, in the order in which groups first occur.

    Warns:
        XpFrameWarning: Columns were left out since ``over`` decides them; or most groups have one job
            only, as where parameters were sampled.

    Raises:
        InvalidArgumentError: Two jobs of a group have the same seed; not a DataFrame; or it has renamed or
            short columns and no ``by``.
        ColumnError: No column is called ``over``, or ``by`` names none, or several.
    """
    jobs = JobFrame(frame)
    names = jobs.factors(by)
    seeds = columns_over(jobs, names, over)
    factors = Factors(jobs, list(dict.fromkeys([*names, *seeds])))
    dropped = [] if by is not None else decided_by(factors, seeds)
    kept = [name for name in factors.by_name if name not in seeds and name not in dropped]
    if by is None:
        kept = [name for name in kept if len(jobs.column(name).keys) > 1]
    if "task" in jobs.names and "task" not in kept:
        kept.insert(0, "task")
    keys = zip(*(jobs.column(name).codes for name in kept), strict=True) if kept else [()] * len(jobs)
    numbers, _, rows = number_by_appearance(list(keys))
    refuse_repeated(jobs, numbers, seeds)
    notes = []
    if dropped:
        notes.append(f"left out: {', '.join(seeds)}, and what these decide: {listed(dropped)}")
    sizes = Counter(numbers)
    singles = {number for number, size in sizes.items() if size == 1}
    if len(jobs) > 1 and len(singles) > MANY * len(sizes):
        notes.append(explain_singles(jobs, factors, kept, seeds, len(singles), len(rows)))
    if notes:
        report([], [f"replicates over {names_of(over)}: {'; '.join(notes)}"], strict=False)
    column = build(jobs.implementation, {"replicate": ("int", numbers)})["replicate"]
    nw = load_narwhals()
    if (index := nw.maybe_get_index(jobs.frame)) is not None:
        column = nw.maybe_set_index(column, index=index)
    return jobs.frame.with_columns(column).to_native()


def names_of(over: str | Sequence[str]) -> str:
    return repr(over) if isinstance(over, str) else ", ".join(map(repr, over))


def listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + rest


def columns_over(jobs: JobFrame, factors: Sequence[str], over: str | Sequence[str]) -> list[str]:
    """The columns that replicates differ in."""
    columns: dict[str, None] = {}
    for name in checked_texts("over", over, "give the name of what replicates differ in, or a list of names"):
        short = [factor for factor in factors if last_component(factor) == name]
        if name in jobs.names:
            short.append(name)
        if not short:
            short = [column for column in jobs.parameters() if last_component(column) == name]
        if not short:
            known = dict.fromkeys(last_component(factor) for factor in factors)
            near = ", ".join(_core.near_misses(name, list(known)))
            hint = f"did you mean {near}?" if near else "over= names what replicates differ in"
            raise ColumnError(f"no tag and no parameter is called {name!r}", hint=hint)
        columns |= dict.fromkeys(short)
    return [name for name in jobs.names if name in columns]


def decided_by(factors: Factors, seeds: Sequence[str]) -> list[str]:
    """The factors that vary and that one of the seeds decides, not by chance."""
    causes = [factors.by_name[name] for name in seeds]
    return [
        factor.name
        for factor in factors
        if factor.role != "constant"
        and factor.name not in {*seeds, "task"}
        and any(factors.decides(cause, factor) and not is_chance(cause, factor) for cause in causes)
    ]


def is_chance(seed: Factor, factor: Factor) -> bool:
    """Whether a factor could follow the seed in these few jobs without having to do with it.

    What has as many values as the seed is made from it: a shuffling seed, a comment.
    """
    if factor.levels >= seed.levels:
        return False
    codes = factor.column.codes
    same = sum(count**2 for count in Counter(codes).values()) / len(codes) ** 2
    return bool(same ** (len(codes) - seed.levels) > CHANCE)


def refuse_repeated(jobs: JobFrame, numbers: Sequence[int], seeds: Sequence[str]) -> None:
    """Raises if two jobs of a group have the same seed."""
    seen: dict[tuple[int, ...], int] = {}
    repeated = []
    for row, key in enumerate(zip(numbers, *(jobs.column(name).codes for name in seeds), strict=True)):
        first = seen.setdefault(key, row)
        if first != row:
            repeated.append((first, row))
    if not repeated:
        return
    first, second = repeated[0]
    values = {name: jobs.values(name)[first] for name in seeds}
    shown = ", ".join(f"{name}={value!r}" for name, value in values.items() if value is not None)
    which = f"rows {first} and {second}"
    hint = "by= names the factors in which replicates agree, over= what they differ in"
    if "job_id" in jobs.names:
        ids = jobs.values("job_id")
        which = f"jobs {str(ids[first])[:8]} and {str(ids[second])[:8]}"
        if ids[first] == ids[second]:
            which = f"job {str(ids[first])[:8]} is there twice"
            hint = "the frame has several runs that list it: drop duplicates of job_id, or read run='latest'"
    raise InvalidArgumentError(
        f"{which}: same factors and same seed ({shown or 'no value'}), {len(repeated):,} such in all",
        hint=hint,
    )


def explain_singles(
    jobs: JobFrame, factors: Factors, kept: Sequence[str], seeds: Sequence[str], singles: int, groups: int
) -> str:
    """Says that most groups have one job, and which factor splits them most."""
    classes: dict[str, list[str]] = {}
    for name in kept:
        if name != "task" and factors.by_name[name].role != "constant":
            classes.setdefault(factors.representative(factors.by_name[name]), []).append(name)
    shares = {name: shares_of(jobs, name) for name in kept}
    total = [0] * len(jobs)
    for share in shares.values():
        total = list(map(add, total, share))
    without = {}
    for name, members in classes.items():
        rest = total
        for member in members:
            rest = list(map(sub, rest, shares[member]))
        without[name] = len(set(rest))
    splitting = min(without, key=lambda name: without[name], default=None)
    cause = "no factor varies"
    if splitting is not None:
        levels = len(jobs.column(splitting).keys)
        cause = f"{splitting} has {levels:,} values, without it there were {without[splitting]:,} groups"
    if any(factors.by_name[name].is_sampled for name in seeds):
        cause += ", and each job has a seed of its own, which leaves open what it decides"
    return f"{singles:,} of {groups:,} groups have one job only: {cause}; by= names the factors that matter"


def shares_of(jobs: JobFrame, name: str) -> list[int]:
    """Numbers for the values of a column: rows that are equal have equal sums, and hardly any others."""
    column = jobs.column(name)
    draw = Random(name)  # noqa: S311 - no secret
    numbers = [draw.getrandbits(60) for _ in column.keys]
    return list(map(numbers.__getitem__, column.codes))
