"""A filter as an expression of polars, which the engine pushes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

from xpframe.where.bound import (
    EPOCH,
    OPERATORS,
    All,
    Column,
    Compare,
    ComparePair,
    Constant,
    IsNull,
    Matches,
    Negation,
    OneOf,
    Some,
    matched,
)

if TYPE_CHECKING:
    from xpframe.where.bound import Test

__all__ = ["polars_filter"]


def polars_filter(test: Test) -> pl.Expr:
    """An expression that is true or false in each row, never null."""
    match test:
        case Constant(value):
            return pl.lit(value)
        case All(parts):
            return reduce(pl.Expr.__and__, [polars_filter(part) for part in parts])
        case Some(parts):
            return reduce(pl.Expr.__or__, [polars_filter(part) for part in parts])
        case Negation(part):
            return ~polars_filter(part)
        case IsNull(columns):
            return reduce(pl.Expr.__and__, [_values(column).is_null() for column in columns])
        case Compare(column, symbol, value):
            return _known(_compared(_value(column), symbol, _literal(column, value)))
        case OneOf(column, values):
            return _one_of(column, values)
        case ComparePair(left, symbol, right):
            return _pair(left, symbol, right)
        case Matches(column, regex):
            matches = _Matching(column, regex)
            return _known(_values(column).map_batches(matches, return_dtype=pl.Boolean))


def _known(expr: pl.Expr) -> pl.Expr:
    return expr.fill_null(value=False)


def _compared(left: pl.Expr, symbol: str, right: pl.Expr) -> pl.Expr:
    compare: Any = OPERATORS[symbol]
    compared: pl.Expr = compare(left, right)
    return compared


def _values(column: Column) -> pl.Expr:
    # as names, `*` and `^a$` are patterns of polars
    is_pattern = column.name == "*" or column.name.startswith("^")
    expr = selectors.by_name(column.name).as_expr() if is_pattern else pl.col(column.name)
    # times may be in UTC without saying so
    return expr.dt.replace_time_zone("UTC") if column.kind == "time" else expr


def _value(column: Column) -> pl.Expr:
    expr = _values(column)
    if column.kind == "text":
        expr = expr.cast(pl.String)  # enums
    return expr.str.to_lowercase() if column.folds else expr


def _literal(column: Column, value: Any) -> pl.Expr:
    if column.kind == "time":
        return pl.lit(_time(value), dtype=pl.Datetime("us", "UTC"))
    if column.kind == "decimal" and isinstance(value, int):
        return pl.lit(Decimal(value))
    return pl.lit(value)


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _one_of(column: Column, values: tuple[Any, ...]) -> pl.Expr:
    if column.kind in ("time", "decimal") or len(values) == 1:
        equal = [_known(_value(column) == _literal(column, value)) for value in values]
        return reduce(pl.Expr.__or__, equal)
    types: dict[str, Any] = {
        "int": pl.Int64,
        "uint": pl.UInt64,
        "float": pl.Float64,
        "text": pl.String,
        "bool": pl.Boolean,
    }
    return _known(_value(column).is_in(pl.Series(values, dtype=types[column.kind]).implode()))


def _pair(left: Column, symbol: str, right: Column) -> pl.Expr:
    both_null: pl.Expr = _values(left).is_null() & _values(right).is_null()
    a, b = _value(left), _value(right)
    if left.kind != right.kind:
        if not (left.is_number and right.is_number):
            return both_null if symbol == "=" else pl.lit(value=False)
        a, b = a.cast(pl.Float64), b.cast(pl.Float64)
    elif left.folds or right.folds:
        a, b = a.str.to_lowercase(), b.str.to_lowercase()
    same = _known(_compared(a, symbol, b))
    return same | both_null if symbol == "=" else same


@dataclass(frozen=True)
class _Matching:
    """Whether a regular expression of Python matches, for each value of a column; polars may pickle it."""

    column: Column
    regex: str

    def __call__(self, values: pl.Series) -> pl.Series:
        return pl.Series(values.name, matched(self.column, self.regex, values.to_list()), dtype=pl.Boolean)
