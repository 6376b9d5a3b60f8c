"""Filters on columns of known types: names became columns, values became values of their types."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "EPOCH",
    "All",
    "Column",
    "Compare",
    "ComparePair",
    "Constant",
    "IsNull",
    "Matches",
    "Negation",
    "OneOf",
    "Some",
    "Test",
    "columns_of",
    "evaluate",
    "matched",
    "with_names",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Column:
    """A column of the frame.

    Args:
        name: Its full name.
        kind: ``int``, ``uint``, ``decimal``, ``float``, ``text``, ``bool`` or ``time``.
        folds: Whether case does not matter.
    """

    name: str
    kind: str
    folds: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in ("int", "uint", "decimal", "float")


@dataclass(frozen=True)
class Constant:
    """The same for each job."""

    value: bool


@dataclass(frozen=True)
class IsNull:
    """The job has no value in these columns."""

    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Compare:
    """A column and a value of its type. A job without a value does not pass."""

    column: Column
    operator: str
    value: Any


@dataclass(frozen=True)
class OneOf:
    """A column has one of these values of its type."""

    column: Column
    values: tuple[Any, ...]


@dataclass(frozen=True)
class ComparePair:
    """Two columns of one kind. Two that have no value are equal."""

    left: Column
    operator: str
    right: Column


@dataclass(frozen=True)
class Matches:
    """A regular expression matches the beginning of the value, as Python writes it."""

    column: Column
    regex: str


@dataclass(frozen=True)
class All:
    """All of these."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Some:
    """Some of these."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Negation:
    """Not this: each test is true or false, also for what a job does not have."""

    part: Test


def with_names(test: Test, names: Mapping[str, str]) -> Test:
    """The test on columns with other names; columns that are not in ``names`` keep theirs."""

    def renamed(column: Column) -> Column:
        return replace(column, name=names.get(column.name, column.name))

    match test:
        case All(parts) | Some(parts):
            return type(test)(tuple(with_names(part, names) for part in parts))
        case Negation(part):
            return Negation(with_names(part, names))
        case IsNull(columns):
            return IsNull(tuple(map(renamed, columns)))
        case ComparePair(left, symbol, right):
            return ComparePair(renamed(left), symbol, renamed(right))
        case Compare() | OneOf() | Matches():
            return replace(test, column=renamed(test.column))
    return test


Test: TypeAlias = Constant | IsNull | Compare | OneOf | ComparePair | Matches | All | Some | Negation
Mask: TypeAlias = list[bool]


def columns_of(test: Test) -> list[str]:
    """The names of the columns of a test, each once."""
    names: list[str] = []
    match test:
        case All(parts) | Some(parts):
            names = [name for part in parts for name in columns_of(part)]
        case Negation(part):
            names = columns_of(part)
        case IsNull(columns):
            names = [column.name for column in columns]
        case ComparePair(left, _, right):
            names = [left.name, right.name]
        case Compare(column) | OneOf(column) | Matches(column):
            names = [column.name]
    return list(dict.fromkeys(names))


def evaluate(test: Test, values: dict[str, list[Any]], rows: int) -> Mask:
    """Whether each row passes.

    Args:
        test: The filter.
        values: The values of its columns, as :meth:`_core.Table.column_values` gives them.
        rows: The number of rows.
    """
    match test:
        case Constant(value):
            return [value] * rows
        case All(parts):
            return [all(row) for row in zip(*(evaluate(part, values, rows) for part in parts), strict=True)]
        case Some(parts):
            return [any(row) for row in zip(*(evaluate(part, values, rows) for part in parts), strict=True)]
        case Negation(part):
            return [not passes for passes in evaluate(part, values, rows)]
        case IsNull(columns):
            several = zip(*(values[column.name] for column in columns), strict=True)
            return [all(value is None for value in row) for row in several]
        case ComparePair(left, symbol, right):
            return [
                _compare_pair(left, symbol, a, right, b)
                for a, b in zip(values[left.name], values[right.name], strict=True)
            ]
        case Compare(column, symbol, value):
            wanted, compare = plain(column, value), OPERATORS[symbol]
            return _each(values[column.name], lambda each: compare(plain(column, each, like=value), wanted))
        case OneOf(column, allowed):
            plain_values = {plain(column, value) for value in allowed}
            return _each(values[column.name], lambda each: plain(column, each) in plain_values)
        case Matches(column, regex):
            return matched(column, regex, values[column.name])


def _each(values: list[Any], test: Callable[[Any], bool]) -> Mask:
    """The outcome for each value; equal values are tested once, None fails."""
    known: dict[tuple[type, Any], bool] = {}
    outcomes = []
    for value in values:
        if value is None:
            outcomes.append(False)
            continue
        key = (type(value), value)
        outcome = known.get(key)
        if outcome is None:
            outcome = known[key] = test(value)
        outcomes.append(outcome)
    return outcomes


def matched(column: Column, regex: str, values: list[Any]) -> Mask:
    """Whether a regular expression matches the beginning of each value, which is no text as Python writes
    it.
    """
    matches = re.compile(regex, re.IGNORECASE if column.folds else 0).match

    def written(value: Any) -> str | None:
        if column.kind == "time" and isinstance(value, int):
            value = EPOCH + timedelta(microseconds=value)
        return value if value is None or isinstance(value, str) else str(value)

    # by its text: 0.0 equals -0.0, and NaN nothing
    return _each([written(value) for value in values], lambda text: matches(text) is not None)


def plain(column: Column, value: Any, like: Any = None) -> Any:
    """A value so that Python compares it as polars does: NaN equals itself and is the greatest number."""
    if column.is_number:
        # an int beside a float is a float, which may round it
        number = float(value) if isinstance(like, float) else value
        is_nan = isinstance(number, float) and math.isnan(number)
        return (is_nan, 0.0 if is_nan else number)
    return value.casefold() if column.folds else value


def _compare_pair(left: Column, symbol: str, a: Any, right: Column, b: Any) -> bool:
    if a is None or b is None:
        return symbol == "=" and a is b
    if left.kind != right.kind and not (left.is_number and right.is_number):
        return False
    if left.is_number and (left.kind != right.kind or left.kind == "float"):
        return OPERATORS[symbol](plain(left, a, like=0.5), plain(right, b, like=0.5))
    fold = left.folds or right.folds
    if fold and isinstance(a, str) and isinstance(b, str):
        a, b = a.casefold(), b.casefold()
    return OPERATORS[symbol](a, b)
