"""Short ways for tests to call xpframe and to compare what comes back exactly."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import xpframe
from expected import Column, Type
from oracle import Dump, EngineView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def load(path: Path, **options: Any) -> Any:
    """`load_xp_info`, its warning kept quiet: the errors are in `.errors`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return xpframe.load_xp_info(path, **options)


def table(experiment: Any, **options: Any) -> pa.Table:
    """`xp_frame(…, backend="pyarrow")`, its warning kept quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return xpframe.xp_frame(experiment, backend="pyarrow", **options)


def dump(values: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Objects of the engine in the words of the oracles, and their sharing groups."""
    dumped = Dump(EngineView())
    return {k: dumped.value(v, k, []) for k, v in values.items()}, dumped.sharing()


def shape(t: Type) -> str:
    """An expected type in one line."""
    if t.item:
        return f"list<{shape(t.item)}>"
    if t.name == "struct":
        return "struct<" + ", ".join(f"{f.name}: {shape(f.type)}" for f in t.fields) + ">"
    return t.name


def arrow_shape(t: pa.DataType) -> str:
    """An Arrow type in the same line: how texts, lists and enums are laid out is left out."""
    if pa.types.is_dictionary(t) and arrow_shape(t.value_type) == "utf8":
        return "enum"
    if t in (pa.string(), pa.large_string(), pa.string_view()):
        return "utf8"
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return f"list<{arrow_shape(t.value_type)}>"
    if pa.types.is_struct(t):
        return "struct<" + ", ".join(f"{f.name}: {arrow_shape(f.type)}" for f in t.fields) + ">"
    names = {pa.float64(): "float64", pa.decimal128(38, 0): "decimal", pa.timestamp("us", "UTC"): "timestamp"}
    return names.get(t, str(t))


def exact(v: Any) -> Any:
    """A value in a form whose `==` sees type, sign of zero and NaN."""
    if isinstance(v, dict):
        return {k: exact(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [exact(x) for x in v]
    if isinstance(v, float):
        return ("float", "nan" if math.isnan(v) else v.hex())
    return (type(v).__name__, v)


def differences(found: pa.Table, expected: Iterable[Column]) -> list[str]:
    """The columns of a table that are not what was expected, in words, and how."""
    words = []
    for column in expected:
        if column.name not in found.column_names:
            words.append(f"{column.name}: missing, expected {shape(column.type)}")
            continue
        array = found.column(column.name)
        if arrow_shape(array.type) != shape(column.type):
            words.append(f"{column.name}: is {arrow_shape(array.type)}, expected {shape(column.type)}")
            continue
        for row, (a, b) in enumerate(zip(array.to_pylist(), column.cells, strict=True)):
            if exact(a) != exact(b):
                words.append(f"{column.name}, row {row}: is {a!r}, expected {b!r}")
    return words
