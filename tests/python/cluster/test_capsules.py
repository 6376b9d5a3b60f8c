"""Schemas that other libraries hand over: released, deep, malformed. None may end the process."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import typed_runs as typed
import xpframe
from xpframe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from xpframe._core import Table


class CSchema(ctypes.Structure):
    """The Arrow C schema."""


CSchema._fields_ = (
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(CSchema))),
    ("dictionary", ctypes.POINTER(CSchema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
)

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = (
    ctypes.py_object,
    [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
)
# nothing calls it: the capsules of these tests have no destructor
RELEASE = ctypes.cast(ctypes.pythonapi.PyCapsule_New, ctypes.c_void_p).value


def schema(
    format: bytes | None = b"+s",  # noqa: A002 - the name that Arrow has for it
    name: bytes | None = b"",
    children: list[CSchema | None] | None = None,
    *,
    count: int | None = None,
    dictionary: CSchema | None = None,
    flags: int = 2,
    released: bool = False,
) -> CSchema:
    """A schema; ``count`` is the number of children that it claims, a child of None is a null pointer."""
    children = children or []
    pointers = (ctypes.POINTER(CSchema) * max(len(children), 1))(  # a null pointer is none of its types
        *(ctypes.pointer(child) if child is not None else None for child in children)  # type: ignore[misc]
    )
    return CSchema(
        format,
        name,
        None,
        flags,
        len(children) if count is None else count,
        ctypes.cast(pointers, ctypes.POINTER(ctypes.POINTER(CSchema))) if children else None,
        ctypes.pointer(dictionary) if dictionary is not None else None,
        None if released else RELEASE,
        None,
    )


def capsule(of: CSchema) -> Any:
    """A capsule without a destructor; the schema must live as long."""
    return new_capsule(ctypes.addressof(of), b"arrow_schema", None)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a column of every type."""
    root = tmp_path_factory.mktemp("capsules")
    for run in (0, 1):
        typed.write_run(root, run)
    return root


@pytest.fixture(scope="module")
def table(root: Path) -> Table:
    """Columns of text, enums, lists and numbers, in two batches."""
    return xpframe.xp_table("random", workspace=root, run="all")


def test_a_consumed_schema_is_refused(table: Table) -> None:
    """A capsule that another library consumed is an error that says so: its memory is free by now."""
    schema = pa.schema([("x", pa.struct([("y", pa.list_(pa.string()))])), ("job_id", pa.string())])
    consumed = schema.__arrow_c_schema__()
    assert pa.Schema._import_from_c_capsule(consumed) == schema
    with pytest.raises(InvalidArgumentError) as caught:
        table.__arrow_c_stream__(consumed)
    assert str(caught.value) == RELEASED
    assert pa.table(table).num_rows == len(table)


def test_depth_is_bounded(root: Path) -> None:
    """A type nested 20,000 deep is an error; before, it overflowed the stack and ended the process."""
    script = """
        import sys
        import pyarrow as pa, xpframe
        table = xpframe.xp_table("random", workspace=sys.argv[1], run="all")
        for kind in (pa.list_, pa.large_list, lambda inner: pa.struct([("x", inner)])):
            for depth in (200, 20_000):
                deep = pa.string()
                for _ in range(depth):
                    deep = kind(deep)
                try:
                    table.__arrow_c_stream__(pa.schema([("x", deep)]).__arrow_c_schema__())
                    print("taken")
                except ValueError as error:
                    print(type(error).__name__, error)
        # pyarrow frees deep types recursively too
        import os
        sys.stdout.flush()
        os._exit(0)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    refused = "InvalidArgumentError the requested schema is nested more than 256 levels deep"
    assert (done.returncode, done.stdout.splitlines()) == (0, ["taken", refused] * 3), done.stderr


TEXT = schema(b"u", b"job_id")
RELEASED = (
    "the requested schema was released before: another library consumed its capsule"
    " (make a new capsule for each call)"
)
MALFORMED = {
    "released inside": (
        schema(children=[schema(b"u", b"x", released=True)]),
        RELEASED,
    ),
    "released dictionary": (
        schema(children=[schema(b"i", b"x", dictionary=schema(b"u", released=True))]),
        RELEASED,
    ),
    "one type": (schema(b"u"), "the requested schema describes no table, but a single type"),
    "no format": (schema(None), "the requested schema is malformed: it has a type without a format"),
    "format": (schema(b"\xff"), "the requested schema is malformed: it has a format that is not UTF-8"),
    "name": (schema(name=b"\xff"), "the requested schema is malformed: it has a name that is not UTF-8"),
    "negative": (
        schema(count=-1),
        "the requested schema is malformed: it has a negative number of children",
    ),
    "no children": (schema(count=3), "the requested schema is malformed: it has children that are missing"),
    "null child": (
        schema(children=[TEXT, None]),
        "the requested schema is malformed: it has a child that is missing",
    ),
    "list of nothing": (
        schema(children=[schema(b"+l", b"x")]),
        "the requested schema is malformed: it has a nested type without its child",
    ),
    "runs of nothing": (
        schema(children=[schema(b"+r", b"x", [schema(b"i")])]),
        "the requested schema is malformed: it has a nested type without its child",
    ),
    "too many": (schema(children=[TEXT], count=1 << 40), "the requested schema has more than 1048576 types"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_schemas_are_refused(name: str, table: Table) -> None:
    """What no library should hand over is an error that names it: no panic, no null pointer followed."""
    malformed, text = MALFORMED[name]
    with pytest.raises(InvalidArgumentError) as caught:
        table.__arrow_c_stream__(capsule(malformed))
    assert str(caught.value) == text


def test_shared_children_are_bounded(table: Table) -> None:
    """Children that are one and the same are counted each time: 2^60 types are an error, not a wait."""
    level = schema(b"u", b"x")
    levels = [level]
    for _ in range(60):
        level = schema(b"+s", b"x", [level, level])
        levels.append(level)
    with pytest.raises(InvalidArgumentError, match="more than 1048576 types"):
        table.__arrow_c_stream__(capsule(level))


def test_a_type_of_tomorrow_costs_only_its_column(table: Table) -> None:
    """A column with an unknown type is left as it is; the wishes for the others are granted."""
    asked = schema(children=[schema(b"+tomorrow", b"task"), schema(b"u", b"job_id")])
    reader = pa.RecordBatchReader._import_from_c_capsule(table.__arrow_c_stream__(capsule(asked)))
    assert reader.schema.field("job_id").type == pa.string()
    assert reader.schema.field("task").type == pa.table(table).schema.field("task").type
    assert reader.read_all()["job_id"].to_pylist() == table.column_values("job_id")


FORMATS = [
    b"u",
    b"U",
    b"vu",
    b"i",
    b"C",
    b"g",
    b"n",
    b"+l",
    b"+L",
    b"+vl",
    b"+s",
    b"+m",
    b"+r",
    b"+w:2",
    b"+w:-1",
]
FORMATS += [b"tsu:UTC", b"w:3", b"d:3,1", b"d:999,1", b"+us:0,1", b"+ud:", b"+tomorrow", b"", b"\xff", b"z"]
NAMES = [b"job_id", b"task", b"state", b"x", b"", None, b"\xff"]


def nodes(children: st.SearchStrategy[CSchema]) -> st.SearchStrategy[CSchema]:
    return st.builds(
        schema,
        st.one_of(st.sampled_from(FORMATS), st.none()),
        st.sampled_from(NAMES),
        st.lists(st.one_of(children, children, children, st.none()), max_size=3),
        count=st.one_of(st.none(), st.none(), st.none(), st.integers(-2, 0)),
        dictionary=st.one_of(st.none(), children),
        flags=st.integers(-(2**63), 2**63 - 1),
        released=st.sampled_from([False] * 9 + [True]),
    )


@given(
    columns=st.lists(
        st.recursive(nodes(st.nothing()) | st.builds(schema, st.sampled_from(FORMATS[:3])), nodes)
    ),
    named=st.booleans(),
)
def test_random_schemas(columns: list[CSchema], named: bool, table: Table) -> None:
    """Whatever is asked, by two threads: an error, or the same values in perhaps other layouts."""
    for column, name in zip(columns, table.column_names if named else [], strict=False):
        column.name = name.encode()
    asked = schema(children=list(columns))

    names = ["job_id", "task", "state", "config.loss", "config.words"]

    def take(_: int) -> str:
        try:
            stream = table.__arrow_c_stream__(capsule(asked))
        except (TypeError, ValueError) as error:
            return str(error)
        taken = pa.RecordBatchReader._import_from_c_capsule(stream).read_all()
        assert taken.column_names == table.column_names
        return repr(taken.select(names).to_pylist())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(take, range(2))
    assert first == second
    assert first.startswith("the requested schema") or first == repr(
        pa.table(table).select(names).to_pylist()
    )


@given(
    depth=st.integers(0, 3),
    kinds=st.lists(st.sampled_from([pa.string(), pa.large_string(), pa.string_view()])),
)
def test_random_layouts_of_text(depth: int, kinds: list[pa.DataType], table: Table) -> None:
    """Each layout of text that is asked of each column is granted or left, and the values are the same."""
    own = pa.table(table).schema
    fields = []
    for field, kind in zip(own, kinds, strict=False):
        asked = kind
        for _ in range(depth):
            asked = pa.dictionary(pa.int8(), kind)
        fields.append(field.with_type(asked))
    reader = pa.RecordBatchReader.from_stream(table, schema=pa.schema(fields))
    assert repr(reader.read_all().to_pylist()) == repr(pa.table(table).to_pylist())


def test_streams_released_early_by_threads(table: Table) -> None:
    """Threads that share a capsule of a schema, and leave their streams begun or untouched, harm nobody."""
    asked = pa.schema([("job_id", pa.string()), ("task", pa.large_string())])
    shared = asked.__arrow_c_schema__()

    def use(number: int) -> int:
        stream = table.__arrow_c_stream__(shared)
        if number % 3 == 0:
            return 0
        reader = pa.RecordBatchReader._import_from_c_capsule(stream)
        with pytest.raises(ValueError, match="released"):
            pa.RecordBatchReader._import_from_c_capsule(stream)
        rows = reader.read_next_batch().num_rows
        if number % 3 == 1:
            reader.close()
        return rows

    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(use, range(300)))
    assert {bool(count) for count in rows} == {True, False}
    assert pl.DataFrame(table).height == len(table)
