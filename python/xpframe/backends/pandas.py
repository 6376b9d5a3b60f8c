"""Converts tables to pandas: the dtype of each column. Imported only when a pandas frame is built."""

from __future__ import annotations

import json
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
    """A frame of its own numpy blocks: pyarrow builds all columns of one dtype together.

    The dtype of a column may depend on its values. pyarrow takes it from the metadata that pandas writes into
    a schema, see https://pandas.pydata.org/docs/development/developer.html.
    """
    if not form.column_names:
        return pd.DataFrame(index=pd.RangeIndex(form.num_rows))
    named = []
    for name, column in zip(form.column_names, form.columns, strict=True):
        dtype = dtype_of_values(column)
        if dtype is not None:
            kinds = {"pandas_type": str(column.type), "numpy_type": str(dtype)}
            named.append({"name": name, "field_name": name, "metadata": None, **kinds})
    index = {"kind": "range", "name": None, "start": 0, "stop": form.num_rows, "step": 1}
    described = json.dumps({"index_columns": [index], "column_indexes": [], "columns": named})
    form = form.replace_schema_metadata({b"pandas": described.encode()})
    use_threads = form.num_rows * form.num_columns >= MIN_CELLS_FOR_THREADS
    frame: pd.DataFrame = form.to_pandas(types_mapper=writable_dtype, use_threads=use_threads)
    for name, kind in zip(form.column_names, form.schema.types, strict=True):
        # the keys of a category without nulls are Arrow's memory, which cannot be assigned to
        if pa.types.is_dictionary(kind):
            frame[name] = frame[name].array.copy()
    return frame


# with fewer, threads of pyarrow take longer to start than to work
MIN_CELLS_FOR_THREADS = 1_000_000
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)


def shared_dtype(kind: pa.DataType) -> Any:
    """The dtype that shares the memory of a column of this type; None for a category."""
    if pa.types.is_large_string(kind):
        return TEXT
    return None if pa.types.is_dictionary(kind) else pd.ArrowDtype(kind)


def writable_dtype(kind: pa.DataType) -> Any:
    """The dtype of columns of this type; None if it depends on their values, or is the default of pyarrow."""
    if pa.types.is_large_string(kind):
        return TEXT
    if pa.types.is_nested(kind) or pa.types.is_null(kind):
        return CellDtype(kind)
    # Decimal objects: of Arrow-backed ones, describe and convert_dtypes fail
    is_numpy = pa.types.is_dictionary(kind) or pa.types.is_timestamp(kind) or pa.types.is_decimal(kind)
    return None if is_numpy or pa.types.is_primitive(kind) else pd.ArrowDtype(kind)


def dtype_of_values(column: pa.ChunkedArray) -> Any:
    """The dtype that keeps every value of a column of numbers or bools; None for the default of pyarrow."""
    kind = column.type
    if pa.types.is_floating(kind):
        return pd.ArrowDtype(kind) if pc.any(pc.is_nan(column)).as_py() else None
    if column.null_count == 0:
        return None
    if pa.types.is_integer(kind):
        # Arrow-backed ints are as exact, but in pandas 3.1 one value beyond 2**53 makes describe() fail
        return pd.UInt64Dtype() if pa.types.is_unsigned_integer(kind) else pd.Int64Dtype()
    return pd.ArrowDtype(kind) if pa.types.is_boolean(kind) else None
