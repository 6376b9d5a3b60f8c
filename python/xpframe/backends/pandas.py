"""Converts tables to pandas: the dtype of each column. Imported only when a pandas frame is built."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xpframe.backends.cells import CellArray


class ArrowStream(Protocol):
    """An object that returns a new Arrow C stream at each call."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class PandasSource(Protocol):
    """A table in the layout that pandas shares: large strings, the smallest dictionary keys, one chunk."""

    def _arrow_for_pandas(self) -> ArrowStream: ...


def to_pandas(table: PandasSource, *, zero_copy: bool = False) -> pd.DataFrame:
    """`table` as a DataFrame with a RangeIndex; ``isna()`` is true exactly where a value is null.

    =======================  ============================================  ==================
    column                   dtype                                         memory
    =======================  ============================================  ==================
    string                   ``str``                                       shared
    list, struct, null       :class:`~xpframe.backends.cells.CellDtype`    shared
    decimal                  ``object``, of ``Decimal``                    copied
    int                      ``int64`` or ``uint64``                       copied
    int with nulls           ``Int64`` or ``UInt64``                       copied
    bool                     ``bool``                                      unpacked from bits
    bool with nulls          ``ArrowDtype``                                shared
    float                    ``float64``, null as NaN                      copied
    float with a true NaN    ``ArrowDtype``: null is NA, NaN is a value    shared
    time                     ``datetime64[us, UTC]``, null as NaT          copied
    enum                     ``category``                                  copied
    =======================  ============================================  ==================

    Cells can be assigned to. With `zero_copy` every column but ``str`` and ``category``
    is ``ArrowDtype``, and shared; of an enum the names are copied, its keys only where it has nulls, and its
    cells cannot be assigned to.
    """
    form = pa.table(table._arrow_for_pandas())  # noqa: SLF001 - ours
    columns = {
        name: pandas_array(column, zero_copy=zero_copy)
        for name, column in zip(form.column_names, form.columns, strict=True)
    }
    # The copy puts numpy columns into writable blocks. pandas copies no buffer of Arrow-backed columns.
    return pd.DataFrame(columns, index=pd.RangeIndex(form.num_rows), copy=not zero_copy)


def pandas_array(column: pa.ChunkedArray, *, zero_copy: bool) -> Any:
    """The array of a column of a frame; read-only where numpy shares the memory of `column`."""
    if not zero_copy and (pa.types.is_nested(column.type) or pa.types.is_null(column.type)):
        return CellArray(column)
    dtype = dtype_of(column, zero_copy=zero_copy)
    return column.to_pandas(types_mapper=lambda _: dtype).array


def dtype_of(column: pa.ChunkedArray, *, zero_copy: bool) -> Any:
    """The pandas dtype that keeps every value of `column`; None for the default of pyarrow."""
    kind = column.type
    if pa.types.is_large_string(kind):
        return pd.StringDtype("pyarrow", na_value=np.nan)
    if pa.types.is_dictionary(kind) or (not zero_copy and numpy_can_hold(column)):
        return None
    if not zero_copy and pa.types.is_decimal(kind):
        return None  # Decimal objects: of Arrow-backed ones, describe and convert_dtypes fail
    if not zero_copy and pa.types.is_integer(kind):
        # Arrow-backed ints are as exact, but in pandas 3.1 one value beyond 2**53 makes describe() fail
        return pd.UInt64Dtype() if pa.types.is_unsigned_integer(kind) else pd.Int64Dtype()
    return pd.ArrowDtype(kind)


def numpy_can_hold(column: pa.ChunkedArray) -> bool:
    """Whether numpy can represent all values of `column`, and null as a distinct value."""
    kind = column.type
    if pa.types.is_floating(kind):
        return not pc.any(pc.is_nan(column)).as_py()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return bool(column.null_count == 0)
    return bool(pa.types.is_timestamp(kind))
