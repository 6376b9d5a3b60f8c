"""Small frames of jobs in each library, and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

BACKENDS = ("pandas", "polars", "pyarrow")
TYPES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}


def frame(columns: Mapping[str, Any], backend: str) -> Any:
    """A frame of one library; lists of Python values become its columns."""
    table = pa.table({name: pa.array(list(values)) for name, values in columns.items()})
    if backend == "pyarrow":
        return table
    if backend == "polars":
        return pl.DataFrame(table)
    return pd.DataFrame({name: pandas_column(table[name]) for name in columns})


def pandas_column(column: Any) -> Any:
    """As xpframe hands columns to pandas: text as str, ints with nulls as Int64, lists as Arrow has them."""
    kind = column.type
    if pa.types.is_integer(kind) and column.null_count:
        return column.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
    if pa.types.is_string(kind):
        return column.to_pandas(types_mapper=lambda _: pd.StringDtype("pyarrow", na_value=float("nan")))
    return (
        pd.Series(pd.arrays.ArrowExtensionArray(column))
        if column.null_count or pa.types.is_list(kind)
        else column.to_pandas()
    )


def rows(result: Any) -> list[dict[str, Any]]:
    """The rows of a result, nulls as None."""
    narrow = nw.from_native(result, eager_only=True)
    columns: dict[str, list[Any]] = {}
    for name in narrow.columns:
        values = narrow[name].to_list()
        nulls = narrow[name].is_null().to_list()
        columns[name] = [None if null else plain(value) for value, null in zip(values, nulls, strict=True)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def plain(value: Any) -> Any:
    return list(value) if hasattr(value, "tolist") and not isinstance(value, str) else value


each_backend = pytest.mark.parametrize("backend", BACKENDS)
