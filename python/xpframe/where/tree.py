"""What a filter says, as a tree: comparisons of names with values, joined by and, or, not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "And",
    "Comparison",
    "Literal",
    "Membership",
    "Name",
    "Node",
    "Not",
    "Or",
    "Pattern",
    "names_in",
    "nulls_in",
]

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Name:
    """A name in a filter: ``@state``, ``@name``, a tag, or a column.

    Args:
        text: The name as it was written, without backticks.
        position: Where it begins in the text of the filter.
        compared: What stands before it, if it is the right side of a comparison, as in ``lr =``.
    """

    text: str
    position: int = 0
    compared: str = ""


@dataclass(frozen=True)
class Literal:
    """A value in a filter.

    Args:
        value: The value.
        written: How it was written: a number may be compared with text.
        position: Where it begins in the text of the filter.
    """

    value: Value
    written: str
    position: int = 0


@dataclass(frozen=True)
class Comparison:
    """``left operator right``; the operator is one of ``= != < <= > >=``."""

    left: Name
    operator: str
    right: Name | Literal


@dataclass(frozen=True)
class Membership:
    """``name in [value, …]``."""

    name: Name
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Pattern:
    """``name ~ "regular expression"``, which must match at the beginning."""

    name: Name
    regex: Literal


@dataclass(frozen=True)
class And:
    """All of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Some of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """Not this."""

    part: Node


Node: TypeAlias = And | Or | Not | Comparison | Membership | Pattern


def names_in(node: Node) -> list[Name]:
    """The names of a filter, in their order."""
    match node:
        case And(parts) | Or(parts):
            return [name for part in parts for name in names_in(part)]
        case Not(part):
            return names_in(part)
        case Comparison(left, _, right):
            return [left, right] if isinstance(right, Name) else [left]
        case Membership(name, _) | Pattern(name, _):
            return [name]


def nulls_in(node: Node) -> list[Name]:
    """The names that are compared with null."""
    match node:
        case And(parts) | Or(parts):
            return [name for part in parts for name in nulls_in(part)]
        case Not(part):
            return nulls_in(part)
        case Comparison(left, _, Literal(None)):
            return [left]
        case Membership(name, values) if any(literal.value is None for literal in values):
            return [name]
    return []
