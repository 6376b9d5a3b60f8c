"""Columns of lists, structs and nulls as a pandas extension array: in Arrow's memory, and hashable.

pandas has an Arrow-backed dtype for lists, of which ``nunique``, ``drop_duplicates``, ``describe``,
``groupby``, ``merge`` and ``convert_dtypes`` raise, and an object column would need a Python list for each
job. Here a cell becomes a Python object when it is asked for: a list or dict that can be hashed and sorted.
"""

from __future__ import annotations

import json
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take
from pandas.api.indexers import check_array_indexer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CellArray", "CellDtype", "ListCell", "StructCell"]


class _Cell:
    """What lists and dicts lack: a hash and an order."""

    def __hash__(self) -> int:
        return hash(_key(self))

    def __lt__(self, other: Any) -> bool:
        return _is_less(self, other)

    def __gt__(self, other: Any) -> bool:
        return _is_less(other, self)

    def __le__(self, other: Any) -> bool:
        return not _is_less(other, self)

    def __ge__(self, other: Any) -> bool:
        return not _is_less(self, other)


class ListCell(_Cell, list[Any]):  # type: ignore[misc]  # a list has no hash
    """A list in a cell: hashed by its content, and sorted as lists are, or by its text where that fails."""


class StructCell(_Cell, dict[str, Any]):  # type: ignore[misc]  # nor has a dict
    """A struct in a cell: hashed by its content, and sorted by its text."""


def _key(value: Any) -> Any:
    """A hashable value that is equal for equal cells."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_key, value))
    if isinstance(value, dict):
        return frozenset((name, _key(each)) for name, each in value.items())
    return value


def _text(value: Any) -> str:
    return json.dumps(value, default=str)


def _is_less(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        try:
            return list.__lt__(left, right)
        except TypeError:  # None, or structs
            pass
    return _text(left) < _text(right)


def _cell(value: Any) -> Any:
    """A value of Arrow as a cell. Each NaN is the same object: then lists that have it are equal."""
    if value is None:
        return pd.NA
    if isinstance(value, list):
        return ListCell(map(_one_nan, value))
    return StructCell(_one_nan(value)) if isinstance(value, dict) else value


def _one_nan(value: Any) -> Any:
    if isinstance(value, float):
        return math.nan if math.isnan(value) else value
    if isinstance(value, list):
        return [_one_nan(each) for each in value]
    if isinstance(value, dict):
        return {name: _one_nan(each) for name, each in value.items()}
    return value


class CellDtype(ExtensionDtype):  # type: ignore[misc]  # pandas has no types
    """The dtype of a column of lists, structs or nulls.

    Its name is ``object``: then Parquet files that pandas writes can be read where xpframe is not installed.

    Args:
        arrow_type: The Arrow type of the column.
    """

    name = "object"
    type = object
    kind = "O"
    na_value = pd.NA
    __numpy_dtype__ = np.dtype(object)  # for `convert_dtypes(dtype_backend="pyarrow")`, which asks numpy
    _metadata = ("arrow_type",)

    def __init__(self, arrow_type: pa.DataType) -> None:
        self.arrow_type = arrow_type

    def __repr__(self) -> str:
        return f"CellDtype({self.arrow_type})"

    def __eq__(self, other: object) -> bool:
        # narwhals asks a dtype of this name whether it is equal to it
        return other == self.name if isinstance(other, str) else bool(super().__eq__(other))

    __hash__ = ExtensionDtype.__hash__

    @classmethod
    def construct_array_type(cls) -> Any:
        return CellArray

    @classmethod
    def construct_from_string(cls, string: str) -> CellDtype:
        raise TypeError(f"no CellDtype is called {string!r}")

    def __from_arrow__(self, array: pa.Array | pa.ChunkedArray) -> CellArray:
        return CellArray(array.cast(self.arrow_type))

    def _get_common_dtype(self, dtypes: list[Any]) -> Any:
        """The dtype of columns below each other: nulls take any other, ints as ``Int64``, which has nulls."""
        others = [dtype for dtype in dtypes if not (isinstance(dtype, CellDtype) and dtype.is_null)]
        if all(isinstance(dtype, CellDtype) for dtype in others):
            kinds = {dtype.arrow_type for dtype in others}
            return others[0] if len(kinds) == 1 else self if not kinds else np.dtype(object)
        if any(isinstance(dtype, CellDtype) for dtype in others) or len(set(others)) > 1:
            return np.dtype(object)
        other = others[0]
        if isinstance(other, np.dtype) and other.kind in "iub":
            return _nullable(other)
        return other

    @property
    def is_null(self) -> bool:
        """Whether the column has no type: each cell is null."""
        return bool(pa.types.is_null(self.arrow_type))


def _nullable(dtype: np.dtype[Any]) -> Any:
    """The dtype with nulls that :func:`xpframe.backends.pandas.to_pandas` gives such columns."""
    if dtype.kind == "b":
        return pd.ArrowDtype(pa.bool_())
    return pd.UInt64Dtype() if dtype.kind == "u" else pd.Int64Dtype()


class CellArray(ExtensionArray):  # type: ignore[misc]  # pandas has no types
    """A column of lists, structs or nulls in Arrow's memory; its cells are made when they are asked for.

    Args:
        values: The column.
    """

    _can_hold_na = True
    __array_priority__ = 1000

    def __init__(self, values: pa.Array | pa.ChunkedArray) -> None:
        self._values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        self._dtype = CellDtype(self._values.type)

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> CellArray:
        del copy
        if isinstance(scalars, CellArray) and dtype in (None, scalars.dtype):
            return cls(scalars.__arrow_array__())
        values = [None if each is None or each is pd.NA else each for each in scalars]
        kind = dtype.arrow_type if isinstance(dtype, CellDtype) else None
        return cls(pa.chunked_array([pa.array(values, kind)]))

    @classmethod
    def _from_factorized(cls, values: Any, original: CellArray) -> CellArray:
        return cls._from_sequence(values, dtype=original.dtype)

    @classmethod
    def _concat_same_type(cls, to_concat: list[CellArray]) -> CellArray:
        chunks = [chunk for each in to_concat for chunk in each.__arrow_array__().chunks]
        return cls(pa.chunked_array(chunks, to_concat[0].dtype.arrow_type))

    @property
    def dtype(self) -> CellDtype:
        return self._dtype

    @property
    def nbytes(self) -> int:
        return int(self._values.nbytes)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return map(_cell, self._values.to_pylist())

    def __getitem__(self, item: Any) -> Any:
        item = check_array_indexer(self, item)
        if isinstance(item, slice):
            start, stop, step = item.indices(len(self))
            if step == 1:
                return type(self)(self._values.slice(start, max(stop - start, 0)))
            item = np.arange(start, stop, step)
        if isinstance(item, np.ndarray):
            indices = np.flatnonzero(item) if item.dtype == bool else item
            return self.take(indices)
        return _cell(self._values[int(item)].as_py())

    def __setitem__(self, key: Any, value: Any) -> None:
        key = check_array_indexer(self, key)
        cells = np.empty(len(self), dtype=object)
        cells[:] = list(self)
        if isinstance(key, (int, np.integer)):
            cells[key] = value
        elif isinstance(value, CellArray) or (isinstance(value, np.ndarray) and value.dtype == object):
            cells[key] = np.asarray(value, dtype=object)
        else:
            for position in np.arange(len(self))[key]:
                cells[position] = value
        try:
            self._values = self._from_sequence(cells, dtype=self.dtype).__arrow_array__()
        except pa.ArrowInvalid as error:
            raise TypeError(f"{value!r} does not fit into a column of {self.dtype.arrow_type}") from error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.dtype.is_null and dtype is not None and np.dtype(dtype).kind == "f":
            return np.full(len(self), np.nan, dtype=dtype)
        cells = np.empty(len(self), dtype=object)
        cells[:] = [_cell(value) for value in self._values.to_pylist()]
        return cells if dtype is None else cells.astype(dtype)

    def __arrow_array__(self, type: Any = None) -> pa.ChunkedArray:  # noqa: A002 - pyarrow's own name
        return self._values if type is None else self._values.cast(type)

    def isna(self) -> np.ndarray[Any, Any]:
        return np.asarray(self._values.is_null().to_numpy())

    def copy(self) -> CellArray:
        return type(self)(self._values)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> CellArray:
        positions = np.asarray(indices, dtype=np.intp)
        if not allow_fill:
            positions = take(np.arange(len(self)), positions)  # from the end, where they are negative
            return type(self)(self._values.take(pa.array(positions)))
        chosen = take(np.arange(len(self)), positions, allow_fill=True, fill_value=-1)
        taken = type(self)(self._values.take(pa.array(chosen, mask=positions == -1)))
        if fill_value is not None and not pd.api.types.is_scalar(fill_value):
            taken[positions == -1] = fill_value
        return taken

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        dtype = pd.api.types.pandas_dtype(dtype)
        if isinstance(dtype, CellDtype) and dtype == self.dtype:
            return self.copy() if copy else self
        if self.dtype.is_null and isinstance(dtype, ExtensionDtype):
            return pd.array([dtype.na_value] * len(self), dtype=dtype)
        if isinstance(dtype, pd.ArrowDtype):
            return pd.array(self._values.cast(dtype.pyarrow_dtype), dtype=dtype)
        return np.asarray(self) if dtype == np.dtype(object) else super().astype(dtype, copy=copy)

    def _values_for_factorize(self) -> tuple[np.ndarray[Any, Any], Any]:
        return np.asarray(self), pd.NA

    def isin(self, values: Any) -> np.ndarray[Any, Any]:
        wanted = {_key(_one_nan(value)) for value in values if value is not None and value is not pd.NA}
        with_nulls = any(value is None or value is pd.NA for value in values)
        return np.array([with_nulls if each is pd.NA else _key(each) in wanted for each in self], dtype=bool)

    def _explode(self) -> tuple[Any, np.ndarray[Any, Any]]:
        """The items of the lists, one each; an empty list and a null give one null."""
        kind = self._values.type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            return self.copy(), np.ones(len(self), dtype=np.uint64)
        lists = self._values.to_pylist()
        items = pa.array([item for each in lists for item in each or [None]], kind.value_type)
        counts = np.array([max(len(each or []), 1) for each in lists], dtype=np.uint64)
        series = (
            pd.Series(CellArray(items))
            if _is_nested(kind.value_type)
            else items.to_pandas(types_mapper=pd.ArrowDtype)
        )
        return series.array, counts

    def _reduce(self, name: str, *, skipna: bool = True, keepdims: bool = False, **options: Any) -> Any:
        if not self.dtype.is_null:
            return super()._reduce(name, skipna=skipna, keepdims=keepdims, **options)
        value = {"sum": 0, "prod": 1, "any": False, "all": True}.get(name, pd.NA)
        return pd.array([value]) if keepdims else value


def _is_nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_null(kind))


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[CellArray, Any], Any]:
    def method(self: CellArray, other: Any) -> Any:
        if isinstance(other, (pd.Series, pd.Index, pd.DataFrame)):
            return NotImplemented
        is_column = isinstance(other, (ExtensionArray, np.ndarray)) or (
            isinstance(other, list) and len(other) == len(self) and not isinstance(other, ListCell)
        )
        others = list(other) if is_column else [other] * len(self)
        if len(others) != len(self):
            raise ValueError(f"{len(self)} cells and {len(others)} values cannot be compared")
        pairs = zip(self, others, strict=True)
        missing = [left is pd.NA or right is None or right is pd.NA for left, right in pairs]
        results = [
            False if null else bool(compare(left, right))
            for null, left, right in zip(missing, self, others, strict=True)
        ]
        return pd.arrays.BooleanArray(np.array(results, dtype=bool), np.array(missing, dtype=bool))

    return method


def _arithmetic(name: str) -> Callable[[CellArray, Any], Any]:
    def method(self: CellArray, other: Any) -> Any:
        if isinstance(other, (pd.Series, pd.Index, pd.DataFrame)) or not self.dtype.is_null:
            return NotImplemented
        return self.copy()

    method.__name__ = name
    return method


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(CellArray, f"__{_name}__", _comparison(getattr(operator, _name)))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(CellArray, _method, _arithmetic(_method))
