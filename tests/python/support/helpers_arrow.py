"""Arrow tables as the engine hands them over, built by pyarrow: every type that is emitted, in both forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa

NAN = float("nan")
INF = float("inf")
WHEN = datetime(2026, 3, 19, 12, 0, 0, 123456, tzinfo=UTC)

ENUM = pa.dictionary(pa.uint32(), pa.string())
TIME = pa.timestamp("us", tz="UTC")
DIGITS = pa.decimal128(38, 0)
BLOCK = pa.struct(
    [("kind", pa.string_view()), ("width", pa.int64()), ("modes", pa.large_list(pa.string_view()))]
)

# A value that a lossy hand-over changes: 2**53 + 1 has no float64, 2**64 - 1 no int64, 10**37 neither.
VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "flag": (pa.bool_(), [True, False, True]),
    "seed": (pa.int64(), [2**53 + 1, -(2**63), 2**63 - 1]),
    "hash": (pa.uint64(), [2**64 - 1, 2**53 + 1, 0]),
    "loss": (pa.float64(), [0.5, NAN, INF]),
    "name": (pa.string_view(), ["a", "", "longer than the twelve bytes of a view \u00e9"]),
    "state": (ENUM, ["done", "error", "done"]),
    "submitted_at": (TIME, [WHEN, WHEN.replace(year=1969), WHEN.replace(year=2400)]),
    "digits": (DIGITS, [Decimal(10**37), Decimal(-(10**37)), Decimal(0)]),
    "layers": (pa.large_list(pa.int64()), [[1, None, 2**53 + 1], [], [3]]),
    "names": (pa.large_list(pa.string_view()), [["x", None], [], ["longer than the twelve bytes of a view"]]),
    "grid": (pa.large_list(pa.large_list(pa.float64())), [[[NAN, None], []], [], [[1.0]]]),
    "blocks": (
        pa.large_list(BLOCK),
        [
            [{"kind": "conv", "width": 2**53 + 1, "modes": ["a", None]}, None],
            [],
            [{"kind": None, "width": None, "modes": None}],
        ],
    ),
}


class Stream:
    """The Arrow dunders of the engine's table and nothing else, so that no reader takes a short cut."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__()

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()


class EngineTable(Stream):
    """A stand-in for the engine's table: the default form, and the one built for pandas, built once."""

    def _arrow_for_pandas(self) -> Stream:
        return Stream(self.pandas_form)

    @cached_property
    def pandas_form(self) -> pa.Table:
        return for_pandas(self.table)


def every_type(*, nulls: bool = True, rows: int | None = None) -> pa.Table:
    """A table with one column of every type that is emitted; the last row is null everywhere when `nulls`."""
    columns = {}
    for name, (kind, values) in VALUES.items():
        kept = [*values, None] if nulls else values
        columns[name] = column(kept if rows is None else [kept[i % len(kept)] for i in range(rows)], kind)
    return pa.table(columns)


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """`values` as an array of `kind`; enums through their own dictionary in order of appearance."""
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


def for_pandas(table: pa.Table) -> pa.Table:
    """`table` in the form that pandas can share: large strings, keys as wide as its own, one chunk."""
    if not table.num_columns:
        return table  # which still has its rows
    arrays = {}
    for field, chunks in zip(table.schema, table.columns, strict=True):
        values = chunks.to_pylist()
        arrays[field.name] = column(values, pandas_kind(field.type, values))
    return pa.table(arrays)


def pandas_kind(kind: pa.DataType, values: Sequence[Any] = ()) -> pa.DataType:
    """The Arrow type that pandas shares for a column emitted as `kind` that holds `values`."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(key_kind(len(set(values) - {None})), pa.large_string())
    if pa.types.is_large_list(kind):
        return pa.large_list(pandas_kind(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, pandas_kind(field.type)) for field in kind])
    return kind


def key_kind(categories: int) -> pa.DataType:
    """The integer that pandas picks for the codes of so many categories."""
    if categories < 127:
        return pa.int8()
    return pa.int16() if categories < 32767 else pa.int32()


def grid_search(*, gaps: bool, rows: int = 120) -> pa.Table:
    """What a grid search gives: tags, parameters, times; with `gaps` every ninth value is null."""
    columns: dict[str, tuple[pa.DataType, list[Any]]] = {
        "job_id": (pa.string_view(), [f"{i:064x}" for i in range(rows)]),
        "tags.lr": (pa.float64(), [(0.1, 0.01, 0.001)[i % 3] for i in range(rows)]),
        "tags.model": (pa.string_view(), [("mlp", "cnn", "vit")[i // 6 % 3] for i in range(rows)]),
        "config.hidden": (pa.int64(), [(32, 64)[i // 3 % 2] for i in range(rows)]),
        "config.seed": (pa.int64(), [2**62 + i // 18 for i in range(rows)]),
        "config.hash": (pa.uint64(), [2**64 - 1 - i for i in range(rows)]),
        "config.dropout": (pa.float64(), [i * 37 % 101 / 101 for i in range(rows)]),
        "config.bias": (pa.bool_(), [i // 5 % 2 == 0 for i in range(rows)]),
        "config.optimizer": (ENUM, [("ADAM", "SGD")[i % 7 == 0] for i in range(rows)]),
        "config.layers": (pa.large_list(pa.int64()), [[64] * (i % 4) for i in range(rows)]),
        "submitted_at": (TIME, [WHEN + timedelta(minutes=i) for i in range(rows)]),
        "duration_s": (pa.float64(), [60 + i * 53 % 97 / 7 for i in range(rows)]),
    }
    if gaps:
        for offset, (_, values) in enumerate(columns.values()):
            values[offset % 5 :: 9] = [None] * len(values[offset % 5 :: 9])
    return pa.table({name: column(values, kind) for name, (kind, values) in columns.items()})


def places(chunks: pa.ChunkedArray, *, names: bool = True) -> dict[int, int]:
    """Address and size of every buffer of a column that is not empty, at any depth, of enums with `names`."""
    every = [buffer for array in chunks.chunks for buffer in array.buffers()]
    if names and pa.types.is_dictionary(chunks.type):
        every += [buffer for array in chunks.chunks for buffer in array.dictionary.buffers()]
    return {buffer.address: buffer.size for buffer in every if buffer and buffer.size}


def copied(source: pa.ChunkedArray, seen: pa.ChunkedArray) -> list[int]:
    """The sizes of the buffers of `source` that `seen` does not share."""
    found = places(seen)
    return [size for address, size in places(source).items() if address not in found]
