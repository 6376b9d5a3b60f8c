"""Converts tables to pandas: the dtype of each column. Imported only when a pandas frame is built."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.internals import create_dataframe_from_blocks

from xpframe.backends.cells import CellDtype


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

    Lists and structs support pandas' calls; its accessors ``.list`` and ``.struct`` need `zero_copy`, or
    ``astype`` to an ``ArrowDtype``. Cells can be assigned to. With `zero_copy` every column but ``str``
    and ``category`` is ``ArrowDtype``, and shared; of an enum the names are copied, its keys only where
    it has nulls, and its cells cannot be assigned to.
    """
    form = pa.table(table._arrow_for_pandas())  # noqa: SLF001 - ours
    return shared_frame(form) if zero_copy else writable_frame(form)


def shared_frame(form: pa.Table) -> pd.DataFrame:
    """A frame that shares the memory of `form`."""
    columns = {
        name: column.to_pandas(types_mapper=shared_dtype).array
        for name, column in zip(form.column_names, form.columns, strict=True)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(form.num_rows), copy=False)


def writable_frame(form: pa.Table) -> pd.DataFrame:
    """A frame of its own numpy blocks: one for all columns of a numpy dtype, one for each other column."""
    index = pd.RangeIndex(form.num_rows)
    if not form.column_names:
        return pd.DataFrame(index=index)
    blocks = []
    groups: dict[tuple[np.dtype[Any], Any], tuple[list[int], list[np.ndarray[Any, Any]]]] = {}
    for position, column in enumerate(form.columns):
        values = values_of(column)
        if isinstance(values, np.ndarray):
            zone = getattr(column.type, "tz", None)
            positions, arrays = groups.setdefault((values.dtype, zone), ([], []))
            positions.append(position)
            arrays.append(values)
        else:
            blocks.append((values, np.array([position], dtype=np.intp)))
    for (dtype, zone), (positions, arrays) in groups.items():
        block: Any = np.empty((len(arrays), form.num_rows), dtype)
        for row, values in zip(block, arrays, strict=True):
            row[:] = values
        if zone is not None:
            unit, _ = np.datetime_data(dtype)
            block = pd.array(block.view("int64"), dtype=pd.DatetimeTZDtype(unit, zone), copy=False)
        blocks.append((block, np.array(positions, dtype=np.intp)))
    return create_dataframe_from_blocks(blocks, index=index, columns=pd.Index(form.column_names, dtype=TEXT))


def values_of(column: pa.ChunkedArray) -> Any:
    """The values of a column: a numpy array if a block may hold it with others, else an extension array.

    The dtype of numbers and bools is one that keeps every value.
    """
    kind = column.type
    if pa.types.is_large_string(kind):
        return TEXT.__from_arrow__(column)
    if pa.types.is_nested(kind) or pa.types.is_null(kind):
        return CellDtype(kind).__from_arrow__(column)
    if pa.types.is_dictionary(kind):
        return category(whole(column))
    if pa.types.is_floating(kind):
        array = whole(column)
        values = array.to_numpy(zero_copy_only=False)
        has_nan = np.count_nonzero(np.isnan(values)) > array.null_count
        return pd.arrays.ArrowExtensionArray(column) if has_nan else values
    if pa.types.is_integer(kind) and column.null_count:
        # Arrow-backed ints are as exact, but in pandas 3.1 one value beyond 2**53 makes describe() fail
        return masked(whole(column))
    if pa.types.is_boolean(kind) and column.null_count:
        return pd.arrays.ArrowExtensionArray(column)
    # Decimal objects: of Arrow-backed ones, describe and convert_dtypes fail
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        return whole(column).to_numpy(zero_copy_only=False)
    return pd.arrays.ArrowExtensionArray(column)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array; our tables have one chunk."""
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [empty(column)])


def empty(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([], column.type)


def masked(array: pa.Array) -> pd.arrays.IntegerArray:
    """Integers with nulls."""
    valid, numbers = array.buffers()
    rows = slice(array.offset, array.offset + len(array))
    values = np.frombuffer(numbers, array.type.to_pandas_dtype())[rows].copy()
    is_valid = np.unpackbits(np.frombuffer(valid, np.uint8), count=rows.stop, bitorder="little")[rows]
    return pd.arrays.IntegerArray(values, is_valid == 0)


def category(array: pa.DictionaryArray) -> pd.Categorical:
    """Enums, with keys of their own: those of Arrow cannot be assigned to."""
    keys = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).copy()
    dtype = pd.CategoricalDtype(pd.Index(TEXT.__from_arrow__(array.dictionary), dtype=TEXT))
    return pd.Categorical.from_codes(keys, dtype=dtype, validate=False)


TEXT = pd.StringDtype("pyarrow", na_value=np.nan)


def shared_dtype(kind: pa.DataType) -> Any:
    """The dtype that shares the memory of a column of this type; None for a category."""
    if pa.types.is_large_string(kind):
        return TEXT
    return None if pa.types.is_dictionary(kind) else pd.ArrowDtype(kind)
