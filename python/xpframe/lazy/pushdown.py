"""What filters say of a column, where it can be read from them: names, or a range of numbers.

Whatever is not understood is left to polars: what comes out here may choose too much, never too little.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

__all__ = ["names_wanted", "range_wanted"]

_LEAST, _GREATEST = -(2**63), 2**63 - 1
_WILDCARDS = frozenset("*?[")


def names_wanted(filters: list[pl.Expr], column: str) -> list[str] | None:
    """Names, and globs of names, of which each that passes the filters fits one; None if all may pass."""
    exact: list[set[str]] = []
    prefixes: list[str] = []
    for expr in filters:
        inputs = _inputs(expr, column, 2)
        if inputs is None:
            continue
        name, given = inputs
        values = _values(given)
        if not values or not all(isinstance(value, str) for value in values):
            continue
        if any(candidate.meta.eq(expr) for candidate in (name == given, given == name, name.is_in(given))):
            exact.append(set(values))
        elif name.str.starts_with(given).meta.eq(expr) and not _WILDCARDS & set(values[0]):
            prefixes.append(f"{values[0]}*")
    if exact:
        return sorted(set.intersection(*exact))
    return prefixes[:1] or None


def range_wanted(filters: list[pl.Expr], column: str) -> tuple[int, int] | None:
    """The first and the last number that may pass the filters; None if all may."""
    first, last = _LEAST, _GREATEST
    for expr in filters:
        inputs = _inputs(expr, column, 2)
        if inputs is None:
            continue
        number, given = inputs
        values = _values(given)
        if not values or len(values) != 1 or not _is_number(values[0]):
            continue
        low, high = math.floor(values[0]), math.ceil(values[0])
        if _is_one_of(expr, number == given, given == number):
            first, last = max(first, low), min(last, high)
        elif _is_one_of(expr, number >= given, given <= number, number > given, given < number):
            first = max(first, low)
        elif _is_one_of(expr, number <= given, given >= number, number < given, given > number):
            last = min(last, high)
    if (first, last) == (_LEAST, _GREATEST):
        return None
    # numbers beyond 64 bits, which no step is
    return min(first, _GREATEST), max(last, _LEAST)


def _inputs(expr: pl.Expr, column: str, count: int) -> tuple[pl.Expr, pl.Expr] | None:
    """The column and the other input of an expression over it alone."""
    if expr.meta.root_names() != [column]:
        return None
    inputs = expr.meta.pop()
    if len(inputs) != count:
        return None
    of_column = [part for part in inputs if part.meta.root_names()]
    others = [part for part in inputs if not part.meta.root_names()]
    return (
        (of_column[0], others[0])
        if len(of_column) == len(others) == 1 and _is(of_column[0], column)
        else None
    )


def _is(expr: pl.Expr, column: str) -> bool:
    return bool(pl.col(column).meta.eq(expr))


def _is_one_of(expr: pl.Expr, *candidates: pl.Expr) -> bool:
    return any(candidate.meta.eq(expr) for candidate in candidates)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _values(literal: pl.Expr) -> list[Any] | None:
    """The values of an expression without columns; None if it has none that are known now."""
    try:
        values = pl.select(literal).to_series()
        return values.explode().to_list() if values.dtype.is_nested() else values.to_list()
    except PolarsError:
        return None
