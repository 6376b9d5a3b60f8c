"""The columns of all parts: their Arrow types, and the types of pandas that each part has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe.errors import ReadError
from xpframe.libraries import missing_library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

__all__ = ["Layout", "load_pyarrow"]


def load_pyarrow() -> Any:
    """The module pyarrow, imported when it is used."""
    try:
        import pyarrow
    except Exception as error:
        hint = "pip install 'xpframe[dask]'"
        raise missing_library(error, "parts need", "pyarrow", hint=hint) from error
    return pyarrow


@dataclass(frozen=True)
class Layout:
    """Names and types of columns, decided over all runs.

    Args:
        schema: The Arrow schema; a column of nothing but nulls is text.
        categories: The values of each column of enums, over all runs.
    """

    schema: pa.Schema
    categories: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, schema: pa.Schema, categories: Mapping[str, Sequence[str]]) -> Layout:
        """The layout of a schema as the engine gives it; enums without known values are text."""
        pa = load_pyarrow()
        fields = [
            field.with_type(pa.large_string()).remove_metadata()
            if pa.types.is_null(field.type)
            or _is_text(pa, field.type)
            or (pa.types.is_dictionary(field.type) and field.name not in categories)
            else field.remove_metadata()
            for field in schema
        ]
        return cls(pa.schema(fields), {name: tuple(values) for name, values in categories.items()})

    def select(self, names: Sequence[str]) -> Layout:
        """Some of the columns."""
        pa = load_pyarrow()
        schema = pa.schema([self.schema.field(name) for name in names])
        return Layout(schema, {name: self.categories[name] for name in names if name in self.categories})

    def conform(self, table: pa.Table) -> pa.Table:
        """A table of exactly these columns and types; what it lacks is null."""
        pa = load_pyarrow()
        columns = []
        for field in self.schema:
            index = table.schema.get_field_index(field.name)
            if index < 0:
                columns.append(pa.nulls(table.num_rows, field.type))
            else:
                columns.append(_cast(pa, table.column(index), field))
        return pa.table(columns, schema=self.schema)

    def pandas(self, table: pa.Table) -> pd.DataFrame:
        """A table as a DataFrame whose types follow from the schema alone, never from its nulls."""
        import pandas as pd

        pa = load_pyarrow()
        series = {}
        for name, field in zip(self.schema.names, self.schema, strict=True):
            column = table.column(name)
            kind = self.pandas_type(field)
            if isinstance(kind, pd.CategoricalDtype):
                series[name] = pd.Series(pd.Categorical(column.to_pylist(), dtype=kind), name=name)
            elif isinstance(kind, pd.Float64Dtype):
                # pandas' own conversion would turn NaN into null
                values, nulls = column.to_numpy(), column.is_null().to_numpy()
                series[name] = pd.Series(pd.arrays.FloatingArray(values.copy(), nulls.copy()), name=name)
            elif isinstance(kind, pd.ArrowDtype) or kind == pd.StringDtype("pyarrow"):
                array: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
                series[name] = pd.Series(pd.arrays.ArrowExtensionArray(array), name=name).astype(kind)
            else:
                series[name] = column.to_pandas(types_mapper={field.type: kind}.get)
                series[name] = series[name].astype(kind).rename(name)
        return pd.DataFrame(series, index=pd.RangeIndex(table.num_rows))

    def pandas_type(self, field: pa.Field) -> Any:
        """The type of pandas for a column: one that has room for null."""
        import pandas as pd

        pa = load_pyarrow()
        kind = field.type
        if pa.types.is_dictionary(kind):
            return pd.CategoricalDtype(list(self.categories.get(field.name, ())))
        if pa.types.is_large_string(kind) or pa.types.is_string(kind):
            return pd.StringDtype("pyarrow")
        nullable = {
            pa.int64(): "Int64",
            pa.uint64(): "UInt64",
            pa.float64(): "Float64",
            pa.bool_(): "boolean",
        }
        name = nullable.get(kind)
        return pd.ArrowDtype(kind) if name is None else pd.api.types.pandas_dtype(name)


def _is_text(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_string_view(kind) or pa.types.is_large_string(kind))


def _cast(pa: Any, column: Any, field: Any) -> Any:
    if column.type == field.type:
        return column
    if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(field.type):
        column = column.cast(column.type.value_type)
    if _is_text(pa, column.type) and _is_text(pa, field.type):
        return column.cast(field.type)
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ReadError(
            f"{field.name} was {field.type} when the parts were made, and is {column.type} now",
            hint="make the parts again: files were changed",
        ) from error
