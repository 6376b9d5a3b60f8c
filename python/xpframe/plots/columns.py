"""The columns that pictures show: chosen by name, or those in which jobs differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError
from xpframe.summary import Column, columns_of, shown_state, table_of
from xpframe.text import at_microseconds, instant, value_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from xpframe._core import Run

__all__ = ["Factor", "agree", "factor", "given", "label_of", "measure", "varying"]


@dataclass
class Factor:
    """A column with one value a job.

    Attributes:
        name: Its full name.
        read: What gives its values, None where a job has none; asked once, where they are needed.
        found: Its different values, if they are known before.
    """

    name: str
    read: Callable[[], list[Any]]
    found: list[Any] | None = None

    @cached_property
    def values(self) -> list[Any]:
        """Its values."""
        return self.read()

    @cached_property
    def different(self) -> list[Any]:
        """Its different values: numbers and times by size, others as they first occur, None last."""
        found = list(dict.fromkeys(self.values)) if self.found is None else self.found
        present = [value for value in found if value is not None]
        if are_measured(present):
            present.sort(key=lambda value: (value != value, value))  # noqa: PLR0124 - NaN stands at the end
        return present + [None] * (None in found)

    @cached_property
    def is_measured(self) -> bool:
        """Whether it holds numbers, or times, and nothing else."""
        return are_measured([value for value in self.different if value is not None])


def are_measured(values: list[Any]) -> bool:
    """Whether there are values, and all are numbers, or times."""
    kinds = set(map(type, values))
    return bool(kinds) and (kinds <= {int, float} or kinds == {datetime})


def factor(run: Run, name: str) -> Factor:
    """The column of a name, short name or glob that means one column."""
    table = table_of(run, [name])
    if len(table.column_names) != 1:
        raise InvalidArgumentError(
            f"{name!r} means {len(table.column_names)} columns", hint="a picture needs one"
        )
    full = table.column_names[0]
    values = table.column_values(full)
    if full == "state":
        values = [shown_state(value) for value in values]
    elif dict(table.schema)[full].startswith("Timestamp"):
        values = [None if value is None else at_microseconds(value) for value in values]
    return given(full, comparable(values))


def given(name: str, values: list[Any]) -> Factor:
    """A column of values that are at hand."""
    return Factor(name, lambda: values)


def varying(run: Run, most: int) -> list[tuple[Factor, int]]:
    """The tags and parameters in which jobs differ, each with the number of jobs that have a value.

    Those are numbers, and others of at most so many values.
    """
    columns = [column for column in columns_of(run) if len(column.counts) > 1]
    usable = [column for column in columns if column.is_numeric or len(column.counts) <= most]
    return [(of_column(column), sum(column.counts.values())) for column in usable]


def of_column(column: Column) -> Factor:
    """A column of a summary; its values are read only if they are asked for."""
    found = comparable(list(column.counts))
    if sum(column.counts.values()) < len(column.table):
        found.append(None)
    has_nan = any(value != value for value in column.counts)  # noqa: PLR0124 - NaN
    read = (lambda: comparable(column.values)) if has_nan else (lambda: column.values)
    return Factor(column.names[0], read, list(dict.fromkeys(found)))


def comparable(values: list[Any]) -> list[Any]:
    """Values that can be told apart: all NaN are the same, and lists and dicts are their text."""
    texts = [value_text(value) if isinstance(value, list | dict) else value for value in values]
    return [math.nan if value != value else value for value in texts]  # noqa: PLR0124 - NaN


def measure(value: object) -> float | None:
    """The number that a number or a time is on a scale; None if it has no place there."""
    if isinstance(value, datetime):
        return value.timestamp()
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def agree(one: Factor, other: Factor) -> bool:
    """Whether two columns say the same, for all jobs that have a value in both."""
    both = False
    for a, b in zip(one.values, other.values, strict=True):
        if a is None or b is None:
            continue
        if a != b:
            return False
        both = True
    return both


def label_of(value: object) -> str:
    """A value as it stands at an axis."""
    if value is None:
        return "none"
    if isinstance(value, datetime):
        return instant(value).removesuffix(" UTC")
    return value if isinstance(value, str) and value.strip() else value_text(value, 40)
