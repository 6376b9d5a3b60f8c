"""Runs with a column of every type, and the memory and values behind a column."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import nanoarrow
import numpy as np
import pandas as pd
import pyarrow as pa

import xpframe
from random_runs import BASE_ID, RandomRun, digest
from xpframe._core import Table
from xpframe.backends.cells import CellArray

ROWS = 130

LONG = "a text of more than the twelve bytes that a view holds itself"


def enum(name: str) -> dict[str, str]:
    return {"type": "enum", "module": "lab", "enum": "Optimizer", "value": name}


# field → what its column is called on the page, the value of a job; `<field>_gaps` has the same with nulls
FIELDS: dict[str, tuple[str, Callable[[int], Any]]] = {
    "flag": ("bool", lambda i: i % 3 == 0),
    "steps": ("int", lambda i: 2**53 + 1 + i),
    "hash": ("int to 2⁶⁴", lambda i: 2**64 - 1 - i),
    "digits": ("larger int", lambda i: 10**30 + i),
    "rate": ("float", lambda i: i / 7),
    "loss": ("float, some NaN", lambda i: float("nan") if i % 4 == 0 else i / 7),
    "name": ("text, to 12 bytes", lambda i: f"n{i % 5}"),
    "note": ("text, longer", lambda i: f"{LONG} {i}"),
    "kind": ("enum", lambda i: enum(("SGD", "ADAM")[i % 2])),
    "flags": ("list of bool", lambda i: [True, i % 2 == 0]),
    "layers": ("list of int", lambda i: [i] * (i % 3)),
    "hashes": ("list of int to 2⁶⁴", lambda i: [2**64 - 1, i]),
    "numbers": ("list of larger int", lambda i: [10**30, i]),
    "rates": ("list of float", lambda i: [i / 3] * (i % 3)),
    "words": ("list of text", lambda i: [f"{LONG} {i}"] * (i % 3)),
    "kinds": ("list of enum", lambda i: [enum("SGD"), enum("ADAM")][: 1 + i % 2]),
    "grid": ("list of lists", lambda i: [[i], []]),
    "blocks": (
        "list of dicts or configs",
        lambda i: [{"width": i, "mode": f"{LONG} {i}"}, {"width": 1, "mode": "x"}],
    ),
    "holes": ("list of int, some null", lambda i: [i, None]),
    "lost": ("list of dicts, some null", lambda i: [{"width": i}, None, {"width": None}]),
    "nothing": ("nothing but null", lambda _: None),
}


def write_run(workspace: Path, run: int = 0) -> Path:
    """A run whose table has every type, with and without nulls; every fifth job has not ended."""
    objects, jobs = [], []
    for i in range(ROWS):
        fields = {name: value(i) for name, (_, value) in FIELDS.items()}
        gaps = {f"{name}_gaps": None if i % 5 == 4 else value for name, value in fields.items()}
        job_id = digest(1000 * run + i)
        head = {"id": BASE_ID + 16 * i, "module": "lab", "type": "Train", "typename": "lab.Train"}
        objects.append({**head, "identifier": job_id, "fields": fields | gaps})
        jobs.append({"job_id": job_id, "task_id": "lab.train", "tags": {"lr": i / 3}, "timestamp": 1.5e9 + i})
        if i % 5 != 4:
            done = workspace / "jobs" / "lab.train" / job_id / "train.done"
            done.parent.mkdir(parents=True)
            done.touch()
            os.utime(done, (1.6e9 + i, 1.6e9 + i))
    written = RandomRun(objects, jobs).write(workspace)
    return written.rename(written.parent / f"20260102_{run:06d}")


def buffers(array: nanoarrow.c_array.CArray) -> Iterator[tuple[int, int]]:
    """Address and size of every buffer of an Arrow C array that is not empty, as its producer gave them."""
    try:
        view = array.view()
    except RuntimeError as error:
        # polars 2.1.0 exports Arrow's null type with one buffer instead of none; nanoarrow 0.9.0 refuses it,
        # pyarrow takes it, shares the buffers, and exports it as the C interface says
        if "Expected array with 0 buffer(s) but found 1" not in str(error):
            raise
        array = nanoarrow.c_array(pa.array(array))
        view = array.view()
    for i, (address, buffer) in enumerate(zip(array.buffers, view.buffers, strict=True)):
        # the sizes of the buffers of a view exist in the C interface only, not in the array
        if buffer.size_bytes and view.buffer_type(i) != "variadic_size":
            yield address, buffer.size_bytes
    for child in array.children:
        yield from buffers(child)
    if array.dictionary:
        yield from buffers(array.dictionary)


def memory(stream: Any) -> dict[int, int]:
    """Address → size of the memory behind all that an Arrow stream gives."""
    return {at: size for array in nanoarrow.c_array_stream(stream) for at, size in buffers(array)}


def of_numpy(array: np.ndarray) -> dict[int, int]:
    return {array.__array_interface__["data"][0]: array.nbytes}


def memory_of_pandas(series: pd.Series) -> dict[int, int]:
    """Address → size of the memory behind a column of pandas: Arrow's, numpy's, or of codes and names."""
    array = series.array
    if hasattr(array, "_pa_array"):
        return memory(array._pa_array)
    if isinstance(array, CellArray):
        return memory(array.__arrow_array__())
    if isinstance(series.dtype, pd.CategoricalDtype):
        return of_numpy(array.codes) | memory(array.categories.array._pa_array)
    if hasattr(array, "_mask"):
        return of_numpy(array._data) | of_numpy(array._mask)
    return of_numpy(array._ndarray)


def leaves(kind: pa.DataType) -> set[str]:
    """The types that a type is made of, containers by their names."""
    if pa.types.is_struct(kind):
        return {"struct"}.union(*(leaves(field.type) for field in kind))
    if pa.types.is_large_list(kind):
        return {"large_list", *leaves(kind.value_type)}
    return {str(kind)}


def quietly(*names: Any, **options: Any) -> Table:
    """`xp_table`, its warning of damaged files kept quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return xpframe.xp_table(*names, **options)


def whole(value: Any) -> Any:
    """Decimals as ints, in lists too."""
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, Decimal) else value


def values_of(column: Any) -> list[Any]:
    """A column of any library as `Table.column_values` gives it."""
    if isinstance(column, pd.Series):
        column = pa.array(column, from_pandas=True)
    array = pa.chunked_array(column)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    return [whole(value) for value in array.to_pylist()]
