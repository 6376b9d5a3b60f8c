"""Names of a filter become columns, values become values of their types."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from xpframe._core import near_misses
from xpframe.errors import InvalidArgumentError
from xpframe.where.bound import (
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
    Test,
)
from xpframe.where.tree import And, Comparison, Literal, Membership, Name, Node, Not, Or, Pattern

if TYPE_CHECKING:
    from xpframe.where.tree import Value

__all__ = ["Lookup", "bind_node", "kind_of"]

# (full name, Arrow type) of the columns of a name
Lookup: TypeAlias = Callable[[Name], Sequence[tuple[str, str]]]

STATES = ("done", "error", "running", "waiting", "ready", "scheduled", "unscheduled", "transient", "lost")
# what displays call it
SYNONYMS = {"failed": "error"}
KINDS = {
    "Int64": "int",
    "UInt64": "uint",
    "Decimal": "decimal",
    "Float64": "float",
    "Boolean": "bool",
    "Timestamp": "time",
    "Utf8": "text",
    "LargeUtf8": "text",
    "Dictionary": "text",
    "Null": "null",
}
RANGES = {"int": (-(1 << 63), (1 << 63) - 1), "uint": (0, (1 << 64) - 1)}
NEVER = Constant(value=False)


def kind_of(type_: str) -> str | None:
    """The kind of a column of an Arrow type; None of lists and structs."""
    return next((kind for begin, kind in KINDS.items() if type_.startswith(begin)), None)


def bind_node(node: Node, lookup: Lookup) -> Test:
    """The filter on columns.

    Raises:
        ColumnError: A name is no column.
        InvalidArgumentError: A column and a value cannot be compared.
    """
    match node:
        case And(()):
            return Constant(True)  # an empty dict asks nothing
        case And(parts):
            return All(tuple(bind_node(part, lookup) for part in parts))
        case Or(parts):
            return Some(tuple(bind_node(part, lookup) for part in parts))
        case Not(part):
            return Negation(bind_node(part, lookup))
        case Membership(name, values):
            return _membership(name, _columns(name, lookup), values)
        case Pattern(name, regex):
            columns = _columns(name, lookup)
            return _any([Matches(column, str(regex.value)) for column in columns if column.kind != "null"])
        case Comparison(left, operator, Name() as right):
            return _pair(left, operator, right, lookup)
        case Comparison(left, operator, Literal() as right):
            return _compare(left, _columns(left, lookup), operator, right)
    raise AssertionError(node)


def _columns(name: Name, lookup: Lookup) -> list[Column]:
    columns = []
    for full, type_ in lookup(name):
        kind = kind_of(type_)
        if kind is None:
            hint = "filters compare single values"
            raise InvalidArgumentError(f"{_place(name)}{name.text} is a list ({type_[:60]})", hint=hint)
        columns.append(Column(full, kind, folds=full == "state"))
    return columns


def _place(part: Name | Literal) -> str:
    return f"where, character {part.position + 1}: "


def _any(parts: Sequence[Test]) -> Test:
    return parts[0] if len(parts) == 1 else Some(tuple(parts)) if parts else NEVER


def _compare(name: Name, columns: list[Column], operator: str, literal: Literal) -> Test:
    if operator == "!=":
        return Negation(_compare(name, columns, "=", literal))
    if literal.value is None:
        if operator != "=":
            raise InvalidArgumentError(
                f"{_place(literal)}null has no order", hint=f"write {name.text} = null"
            )
        return IsNull(tuple(columns))
    if operator == "=":
        return _membership(name, columns, (literal,))
    parts = [part for column in columns if (part := _ordered(column, operator, literal)) is not None]
    if not parts and any(column.kind != "null" for column in columns):
        kinds = ", ".join(dict.fromkeys(column.kind for column in columns))
        raise InvalidArgumentError(
            f"{_place(literal)}{name.text} ({kinds}) and {literal.written!r} have no order",
            hint=_ordered_hint(columns),
        )
    return _any(parts)


def _ordered_hint(columns: list[Column]) -> str:
    if any(column.kind == "time" for column in columns):
        return 'times are written as texts of ISO 8601 in UTC: "2026-11-27 08:40"'
    if any(column.kind == "text" for column in columns):
        return "texts are compared with texts in quotes"
    return "numbers are compared with numbers; @state, true and false only with ="


def _ordered(column: Column, operator: str, literal: Literal) -> Test | None:
    """The comparison by size; None if there is none."""
    if column.is_number:
        number = _as_number(literal.value)
        return None if number is None else _in_range(column, operator, number)
    if column.kind == "text" and isinstance(literal.value, str) and not column.folds:
        return Compare(column, operator, literal.value)
    if column.kind == "time" and (time := _as_time(literal.value)) is not None:
        return Compare(column, operator, time)
    return None


def _in_range(column: Column, operator: str, number: float) -> Test:
    """A comparison with a number that the type of the column can hold."""
    low, high = RANGES.get(column.kind, (-math.inf, math.inf))
    if isinstance(number, int) and not low <= number <= high:
        passes = (number > high) == (operator in ("<", "<="))
        return Negation(IsNull((column,))) if passes else NEVER
    if column.kind == "uint" and number < 0:
        return Negation(IsNull((column,))) if operator in (">", ">=") else NEVER
    if column.kind == "float":
        number = _float(number)
    return Compare(column, operator, number)


def _membership(name: Name, columns: list[Column], literals: Sequence[Literal]) -> Test:
    parts: list[Test] = []
    for column in columns:
        if column.kind == "null":
            continue
        values = [value for literal in literals for value in _equal_values(name, column, literal)]
        if values:
            parts.append(OneOf(column, tuple(dict.fromkeys(values))))
    if any(literal.value is None for literal in literals):
        parts.append(IsNull(tuple(columns)))
    return _any(parts)


def _equal_values(name: Name, column: Column, literal: Literal) -> list[Any]:
    """The values of the type of a column that equal a value of the filter: one or none."""
    value = literal.value
    if value is None:
        return []
    if column.folds:
        return _states(name, literal)
    if column.kind == "text":
        return [] if isinstance(value, bool) else [value if isinstance(value, str) else literal.written]
    if column.kind == "bool":
        words = {"true": True, "false": False}
        flag = words.get(value.lower()) if isinstance(value, str) else value
        return [flag] if isinstance(flag, bool) else []
    if column.kind == "time":
        time = _as_time(value)
        return [] if time is None else [time]
    number = _as_number(value)
    if number is None:
        return []
    if column.kind == "float":
        return [_float(number)]
    if isinstance(number, float):
        if not number.is_integer():
            return []
        number = int(number)
    low, high = RANGES.get(column.kind, (-(10**38), 10**38))
    return [number] if low <= number <= high else []


def _states(name: Name, literal: Literal) -> list[str]:
    word = str(literal.value).casefold()
    word = SYNONYMS.get(word, word)
    if word not in STATES:
        near = near_misses(word, [*STATES, *SYNONYMS])
        hint = f"did you mean {near[0]}?" if near else f"states are {', '.join(STATES)}"
        raise InvalidArgumentError(f"{_place(literal)}no {name.text} {literal.written!r}", hint=hint)
    return [word]


def _pair(left: Name, operator: str, right: Name, lookup: Lookup) -> Test:
    if operator == "!=":
        return Negation(_pair(left, "=", right, lookup))
    sides = [_columns(name, lookup) for name in (left, right)]
    for name, columns in zip((left, right), sides, strict=True):
        if len(columns) > 1:
            names = ", ".join(column.name for column in columns)
            reason = f"{_place(name)}{name.text} has values of several types"
            raise InvalidArgumentError(reason, hint=f"write one of {names}")
    (a,), (b,) = sides
    if operator != "=" and (a.kind == "bool" or not (a.kind == b.kind or (a.is_number and b.is_number))):
        raise InvalidArgumentError(
            f"{_place(left)}{left.text} ({a.kind}) and {right.text} ({b.kind}) have no order",
            hint="compare columns of one type, or texts in quotes",
        )
    return ComparePair(a, operator, b)


def _as_number(value: Value) -> int | float | None:
    """A number, also one in quotes."""
    if isinstance(value, bool) or value is None:
        return None
    if not isinstance(value, str):
        return value
    try:
        # as literals: no underscores, blanks or other digits
        if not value.isascii() or "_" in value or value != value.strip():
            return None
        return int(value) if value.lstrip("+-").isdigit() and len(value) < 4000 else float(value)
    except ValueError:
        return None


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _as_time(value: Value) -> int | None:
    """A time in microseconds since 1970 UTC; without a zone it is in UTC, as frames are."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
