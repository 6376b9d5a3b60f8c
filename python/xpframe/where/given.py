"""What the values of a filter given as a dict mean: those of numpy, pandas, polars and pyarrow too."""

from __future__ import annotations

from collections.abc import Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from xpframe._core import EnumValue
from xpframe.arguments import checked_text
from xpframe.errors import InvalidArgumentError
from xpframe.where.tree import Literal

__all__ = ["given_list", "given_literal"]

# of pandas: it has no value, and is equal to nothing
MISSING = ("NAType", "NaTType")
# numpy and pandas; polars; pyarrow
TO_LIST = ("tolist", "to_list", "to_pylist")


def given_list(value: Any) -> list[Any] | None:
    """The values of a list, a set, an array or a series; None of a single value."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return None
    for name in TO_LIST:
        convert = getattr(type(value), name, None)
        if callable(convert):
            values = convert(value)
            if not isinstance(values, list):  # of a scalar, or an array without dimensions
                return None
            # numpy has integers for times
            return list(value) if getattr(getattr(value, "dtype", None), "kind", "") == "M" else values
    return list(value) if isinstance(value, (Sequence, AbstractSet, ValuesView)) else None


def given_literal(name: str, value: Any) -> Literal:
    """A single value.

    Raises:
        InvalidArgumentError: Columns have no such values.
    """
    plain = _plain(value)
    if not isinstance(plain, (str, int, float, bool, type(None))):
        raise InvalidArgumentError(
            f"where={{{name!r}: {value!r:.100}}}",
            hint='give a text, number, bool or None, or a list of them; others as a text: "lr < 0.1"',
        )
    if isinstance(plain, str):
        checked_text(f"where[{name!r}]", plain)
    return Literal(plain, str(plain))


def _plain(value: Any) -> Any:
    """A value as frames have it; what no frame has as it is."""
    if isinstance(value, bool) or value is None:
        return value
    if type(value).__name__ in MISSING:
        return None
    # experimaestro writes an enum of texts or numbers by its value, others by their names
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, (Enum, EnumValue)):
        return value.name
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)  # polars has integers of more than 64 bits so
    return _scalar(value)


def _scalar(value: Any) -> Any:
    """The value of a scalar of numpy or pyarrow, or of an array that holds one value."""
    if type(value).__name__ == "datetime64":
        return None if str(value) == "NaT" else str(value)
    for method in ("item", "as_py"):
        convert = getattr(type(value), method, None)
        if callable(convert):
            try:
                scalar = convert(value)
            except (ValueError, TypeError):  # it holds several
                return value
            return value if type(scalar) is type(value) else _plain(scalar)
    return value
