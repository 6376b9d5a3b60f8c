"""What varies over the jobs of a frame, and which columns vary together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from xpframe.analysis.job_frame import JobFrame, build
from xpframe.analysis.values import number_by_appearance

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from xpframe.analysis.values import Coded

__all__ = ["Factor", "Factors", "factors"]

SAMPLE = 128  # rows on which most dependences are refuted


def factors(frame: Any, by: str | Sequence[str] | None = None) -> Any:
    """Tells which factors vary over the jobs, which vary together, and which follow from others.

    A factor is a tag, a parameter or the task, also of an upstream job (``up.…``, ``…@job.…``). Results,
    times, identifiers, states and output paths are none. A column is looked at over the tasks that have it:
    null in all jobs of a task means that the task has no such parameter; any other null is a value.

    >>> from xpframe import sample_workspace, xp_frame
    >>> from xpframe.analysis import factors
    >>> df = xp_frame("grid-search", workspace=sample_workspace(), backend="polars")
    >>> for row in factors(df).select("column", "levels", "role", "alias").rows():
    ...     print(*row)
    task 1 constant None
    tags.hidden_size 4 varies tags.hidden_size
    tags.learning_rate 3 varies tags.learning_rate
    config.model.name 1 constant None
    config.model.hidden_size 4 varies tags.hidden_size
    config.learning_rate 3 varies tags.learning_rate

    Args:
        frame: A DataFrame of pandas, polars or pyarrow with one row a job, as :func:`xpframe.xp_frame`
            gives it, or a :class:`xpframe.Table`.

        by: The factors, by names, short names or globs. Needed where columns were renamed or shortened.

    Returns:
        A frame of the same library (of pyarrow for a Table), one row a factor:

        * ``column`` (text): its name.
        * ``levels`` (int): the number of its different values.
        * ``role`` (text): ``constant``, ``varies``, or ``unique`` where each job has a value of its own.
        * ``alias`` (text): the first column of the class of columns that the same tasks have and that vary
          together over all jobs; the same for each column of the class, null if it is alone. A column with a
          value of its own in each job is in a class only with columns of equal values: that others are unique
          says nothing.
        * ``decided_by`` (list of texts): the columns whose value decides its value, one of each class but
          its own: over two tasks, ``tags.lr`` decides the ``config.optimizer.lr`` of one. What is unique
          among the jobs of a task decides everything, and is not listed.

    Raises:
        InvalidArgumentError: Not a DataFrame, or it has renamed or short columns and no ``by``.
        ColumnError: ``by`` names no column, or several.
    """
    jobs = JobFrame(frame)
    dependences = Factors(jobs, jobs.factors(by))
    listed = list(dependences)
    return build(
        jobs.implementation,
        {
            "column": ("text", [factor.name for factor in listed]),
            "levels": ("int", [factor.levels for factor in listed]),
            "role": ("text", [factor.role for factor in listed]),
            "alias": ("text", [dependences.alias(factor) for factor in listed]),
            "decided_by": ("texts", [dependences.deciders(factor) for factor in listed]),
        },
    ).to_native()


@dataclass(slots=True, eq=False)
class Factor:
    """A column as a factor.

    Attributes:
        name: The name of the column.
        column: Its values as numbers.
        scope: The strata that have it.
        levels: The number of different values in its scope.
        role: ``constant``, ``varies`` or ``unique``.
        is_sampled: Whether each job has a value that no other job of its stratum has.
    """

    name: str
    column: Coded
    scope: frozenset[int]
    levels: int
    role: str
    is_sampled: bool


class Scope:
    """The rows of some strata, and what was computed on them.

    Args:
        rows: The rows.

        strata: The stratum of each row of the frame.
    """

    def __init__(self, rows: Sequence[int], strata: Sequence[int]) -> None:
        self.rows = rows
        self.strata = taker(rows)(strata)
        self.present = frozenset(self.strata)
        self.codes: dict[str, tuple[int, ...]] = {}
        self.partners: dict[str, Partners | None] = {}
        self.take = taker(rows)

    def is_sampled(self, codes: Sequence[int]) -> bool:
        """Whether no two rows of a stratum have the same number."""
        if len(set(codes)) * len(self.present) < len(codes):
            return False
        return len(set(zip(codes, self.strata, strict=True))) == len(codes)


class Partners:
    """For each row, the last row with the same number.

    Attributes:
        every: Takes the numbers of those rows from a column.
        some: Take the numbers of some rows, and those of their partners.
    """

    def __init__(self, codes: Sequence[int]) -> None:
        last = dict(zip(codes, range(len(codes)), strict=True))
        partners = list(map(last.__getitem__, codes))
        self.every = taker(partners)
        # by this most dependences are refuted
        step = len(codes) // SAMPLE + 1
        self.some = taker(range(0, len(codes), step)), taker(partners[::step])


def taker(rows: Sequence[int]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """What takes the values of some rows from a column."""
    if len(rows) > 1:
        return itemgetter(*rows)
    return lambda values: tuple(values[row] for row in rows)


class Factors:
    """The factors of a frame, and how they depend on each other.

    Args:
        jobs: The frame.

        names: The columns that are factors.

        rows: The rows that are looked at; all if not given.
    """

    def __init__(self, jobs: JobFrame, names: Sequence[str], rows: Sequence[int] | None = None) -> None:
        self._strata = jobs.strata()
        self._scopes: dict[frozenset[int], Scope] = {}
        self._all = Scope(range(len(jobs)) if rows is None else rows, self._strata)
        self._decided: dict[tuple[str, frozenset[int]], list[str]] = {}
        self.by_name = {name: self._factor(name, jobs.column(name)) for name in names}
        self.classes = self._classes()

    def __iter__(self) -> Iterator[Factor]:
        return iter(self.by_name.values())

    def alias(self, factor: Factor) -> str | None:
        """The first column of a factor's class; None if it is alone."""
        members = self.classes.get(factor.name, [])
        return members[0] if len(members) > 1 else None

    def representative(self, factor: Factor) -> str:
        """The first column of a factor's class, the factor itself if it is alone."""
        return self.classes.get(factor.name, [factor.name])[0]

    def deciders(self, factor: Factor) -> list[str]:
        """The columns that decide a factor and are not decided by it, one of each class."""
        if factor.role == "constant":
            return []
        own = self.representative(factor)
        asked = own, factor.scope
        if asked not in self._decided:
            seen = dict.fromkeys(self.representative(other) for other in self if other.role != "constant")
            self._decided[asked] = [
                name for name in seen if name != own and self.decides(self.by_name[name], factor)
            ]
        return self._decided[asked]

    def decides(self, cause: Factor, effect: Factor) -> bool:
        """Whether one value of ``cause`` comes with one value of ``effect`` in all jobs that have ``effect``.

        False too if that says nothing: each job has a value of ``cause`` of its own, in its stratum; or some
        tasks have no ``cause``.
        """
        if not effect.scope <= cause.scope:
            return False
        scope = self._scope(effect.scope)
        partners = self._partners(cause, scope)
        if partners is None:
            return False
        effects = self._codes(effect, scope)
        here, there = partners.some
        return bool(here(effects) == there(effects) and partners.every(effects) == effects)

    def _factor(self, name: str, column: Coded) -> Factor:
        strata = self._strata_with(column)
        scope = self._scope(strata)
        codes = scope.codes[name] = scope.take(column.codes)
        levels = len(set(codes))
        role = "constant" if levels <= 1 else "unique" if levels == len(codes) else "varies"
        return Factor(name, column, strata, levels, role, levels > 1 and scope.is_sampled(codes))

    def _strata_with(self, column: Coded) -> frozenset[int]:
        if None not in column.keys:
            return self._all.present
        null = column.keys.index(None)
        return frozenset(compress(self._all.strata, map(null.__ne__, self._all.take(column.codes))))

    def _scope(self, strata: frozenset[int]) -> Scope:
        if strata == self._all.present:
            return self._all
        if strata not in self._scopes:
            here = zip(self._all.rows, self._all.strata, strict=True)
            self._scopes[strata] = Scope([row for row, stratum in here if stratum in strata], self._strata)
        return self._scopes[strata]

    def _codes(self, factor: Factor, scope: Scope) -> tuple[int, ...]:
        if factor.name not in scope.codes:
            scope.codes[factor.name] = scope.take(factor.column.codes)
        return scope.codes[factor.name]

    def _partners(self, cause: Factor, scope: Scope) -> Partners | None:
        """Rows of the same value of a factor; None if no two rows of a stratum have the same."""
        if cause.name not in scope.partners:
            codes = self._codes(cause, scope)
            scope.partners[cause.name] = None if scope.is_sampled(codes) else Partners(codes)
        return scope.partners[cause.name]

    def _classes(self) -> dict[str, list[str]]:
        """For each factor that varies, the class of those that vary together with it over all jobs."""
        classes: dict[Hashable, list[str]] = {}
        for factor in self:
            if factor.role != "constant":
                # that which another task lacks can stand for no other column
                classes.setdefault((factor.scope, self._partition(factor)), []).append(factor.name)
        return {name: members for members in classes.values() for name in members}

    def _partition(self, factor: Factor) -> Hashable:
        codes = self._all.take(factor.column.codes)
        if factor.is_sampled:
            keys = factor.column.keys
            kinds = [type(key).__name__ for key in keys]
            return tuple((kinds[code], keys[code]) for code in codes)
        if len(codes) == len(factor.column.codes):
            return codes
        return tuple(number_by_appearance(codes)[0])
