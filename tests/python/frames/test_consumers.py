"""Libraries that take a table by the Arrow interface: every value, every way to ask, nothing left open."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import arro3.core
import duckdb
import ibis
import nanoarrow
import narwhals
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import typed_runs as typed
import xpframe
from conftest import Workspaces, references
from engine import exact
from typed_runs import memory, quietly, values_of
from xpframe._core import Table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Two runs with a column of every type, with and without nulls."""
    root = tmp_path_factory.mktemp("consumers")
    for run in (0, 1):
        typed.write_run(root, run)
    return xpframe.xp_table("random", workspace=root, run="all")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; one that stays open complains when Python ends."""
    with duckdb.connect() as opened:
        yield opened


def by_duckdb(table: Table) -> pa.Table:
    """What DuckDB reads of the variable `jobs`."""
    jobs = table
    assert jobs is table
    with duckdb.connect() as opened:
        return pa.table(opened.sql("SELECT * FROM jobs"))


# library → what it makes of a table, with columns by name
LIBRARIES: dict[str, Callable[[Table], Any]] = {
    "pyarrow.table": pa.table,
    "pyarrow reader": lambda t: pa.RecordBatchReader.from_stream(t).read_all(),
    "polars.DataFrame": pl.DataFrame,
    "polars.LazyFrame": lambda t: pl.LazyFrame(t).collect(),
    "arro3 table": arro3.core.Table,
    "arro3 reader": lambda t: arro3.core.RecordBatchReader.from_arrow(t).read_all(),
    "nanoarrow": lambda t: pa.table(nanoarrow.ArrayStream(t)),
    "narwhals on polars": lambda t: narwhals.from_arrow(t, backend="polars").to_native(),
    "narwhals on pyarrow": lambda t: narwhals.from_arrow(t, backend="pyarrow").to_native(),
    "DuckDB": by_duckdb,
}


def expected_of(table: Table) -> dict[str, Any]:
    return {name: exact(table.column_values(name)) for name in table.column_names}


def found_by(library: str, table: Table) -> dict[str, Any]:
    """Column → its values as a library reads them."""
    frame = LIBRARIES[library](table)
    names = frame.column_names if hasattr(frame, "column_names") else frame.columns
    return {str(name): exact(values_of(frame[name])) for name in names}


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_value_of_every_type(library: str, table: Table) -> None:
    """Each library reads each type, null and NaN apart, integers exact, in the order of the columns."""
    expected, found = expected_of(table), found_by(library, table)
    assert list(found) == list(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    cells = sum(map(len, found.values()))
    print(f"{library}: {cells} of {cells} cells")
    assert cells == 2 * typed.ROWS * len(table.column_names) > 10_000


@pytest.mark.parametrize("name", references())
def test_every_value_of_real_workspaces(name: str, workspaces: Workspaces) -> None:
    """Each library reads the values of all runs of a real workspace as xpframe gives them itself."""
    real = quietly("*", workspace=workspaces.path(name), run="all")
    expected = expected_of(real)
    cells = 0
    for library in LIBRARIES:
        found = found_by(library, real)
        assert list(found) == list(expected)
        wrong = [column for column in expected if found[column] != expected[column]]
        assert wrong == [], library
        cells += sum(map(len, found.values()))
    print(f"{name}: {cells} of {cells} cells by {len(LIBRARIES)} libraries")
    assert cells >= len(LIBRARIES) * 75


def test_an_enum_that_a_run_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which an enum is null in every job is read with those in which it is not."""
    typed.write_run(tmp_path, 0)
    monkeypatch.setitem(typed.FIELDS, "kind", ("enum", lambda _: None))
    typed.write_run(tmp_path, 1)
    half = xpframe.xp_table("random", workspace=tmp_path, run="all", columns=["config.kind"])
    expected = {"config.kind": exact(["SGD", "ADAM"] * (typed.ROWS // 2) + [None] * typed.ROWS)}
    for library in LIBRARIES:
        assert found_by(library, half) == expected, library
    assert exact(half.to_pandas()["config.kind"].astype(object).tolist()[:2]) == expected["config.kind"][:2]
    assert expected_of(half) == expected


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "DuckDB"])
def test_rows_without_columns(library: str, table: Table) -> None:
    """A table of no columns is taken as such."""
    assert found_by(library, table.select([])) == {}


def test_rows_without_columns_keep_their_number(table: Table) -> None:
    """Libraries that can say how many rows a table of no columns has, say it."""
    bare = table.select([])
    takers: list[Callable[[], Any]] = [
        bare.to_polars,
        bare.to_pyarrow,
        bare.to_pandas,
        lambda: arro3.core.Table(bare),
    ]
    assert [taker().shape for taker in takers] == [(2 * typed.ROWS, 0)] * 4


def test_duckdb_queries_a_table_by_the_name_of_its_variable(
    table: Table, connection: duckdb.DuckDBPyConnection
) -> None:
    """Projection, filter, grouping and aggregates over `FROM jobs`."""
    jobs = table
    assert len(jobs) == 2 * typed.ROWS
    query = """
        SELECT run, "config.kind" AS kind, count(*), max("config.hash"), sum("config.rate")
        FROM jobs WHERE "config.flag" GROUP BY run, kind ORDER BY run, kind
    """
    found = connection.sql(query).fetchall()
    expected = []
    rows = [i for i in range(typed.ROWS) if i % 3 == 0]
    for run in sorted(set(table.column_values("run"))):
        for kind, odd in (("ADAM", 1), ("SGD", 0)):
            own = [i for i in rows if i % 2 == odd]
            expected.append((run, kind, len(own), 2**64 - 1 - min(own), pytest.approx(sum(own) / 7)))
    assert found == expected
    assert len(found) == 4


def test_duckdb_reads_a_table_again(table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    """One query may read a table twice, and the next query reads it whole again."""
    jobs = table
    assert len(jobs) == 2 * typed.ROWS
    join = "SELECT count(*) FROM jobs a JOIN jobs b USING (job_id) JOIN jobs c USING (job_id)"
    union = "SELECT count(*) FROM (SELECT job_id FROM jobs UNION ALL SELECT job_id FROM jobs)"
    for _ in range(3):
        assert connection.sql(join).fetchall() == [(2 * typed.ROWS,)]
        assert connection.sql(union).fetchall() == [(4 * typed.ROWS,)]


def test_duckdb_takes_a_registered_table(table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    """`register` and `CREATE TABLE` work too; what is created stays when the table is gone."""
    connection.register("grid", table.select(["job_id", "config.steps"]))
    connection.sql("CREATE TABLE kept AS SELECT * FROM grid")
    connection.unregister("grid")
    found = connection.sql('SELECT "config.steps" FROM kept').fetchall()
    assert [steps for (steps,) in found] == table.column_values("config.steps")


def test_ibis_queries_a_table() -> None:
    """ibis filters, groups and sums the sample's jobs; names keep their dots."""
    jobs = xpframe.xp_table("grid-search", workspace=xpframe.sample_workspace())
    table = ibis.memtable(jobs.to_pyarrow())
    assert table.columns == tuple(jobs.column_names)
    found = table.filter(table.state == "done").group_by("tags.hidden_size").agg(n=ibis._.count())
    rows = found.order_by("tags.hidden_size").to_pyarrow().to_pylist()
    assert [(row["tags.hidden_size"], row["n"]) for row in rows] == [(64, 3), (128, 3), (256, 3), (512, 2)]
    assert table["tags.learning_rate"].sum().to_pyarrow().as_py() == pytest.approx(0.444)


COMPUTING: dict[str, Callable[[pa.Table], int]] = {
    "filter": lambda t: t.filter(pc.field("config.name") == "n1").num_rows,
    "filter an enum": lambda t: t.filter(pc.field("config.kind") == "SGD").num_rows,
    "take": lambda t: t.take([3, 1, 2 * typed.ROWS - 1]).num_rows,
    "sort": lambda t: t.sort_by([("config.note", "descending"), ("job_id", "ascending")]).num_rows,
    "group": lambda t: t.group_by("config.name").aggregate([("config.rate", "sum")]).num_rows,
    "group by an enum": lambda t: t.group_by("config.kind").aggregate([("config.rate", "sum")]).num_rows,
    "join": lambda t: t.select(["job_id", "config.steps"]).join(t.select(["job_id"]), "job_id").num_rows,
    "upper case": lambda t: len(pc.utf8_upper(t["config.note"])),
    "is in": lambda t: pc.sum(pc.is_in(t["config.name"], pa.array(["n1"], pa.large_string()))).as_py(),
    "flatten a list": lambda t: len(pc.list_flatten(t["config.words_gaps"])),
    "pandas": lambda t: len(t.to_pandas()),
}


@pytest.mark.parametrize("made", ["backend", "to_pyarrow"])
def test_pyarrow_computes_on_what_it_is_given(made: str, tmp_path: Path) -> None:
    """pyarrow filters, takes, sorts, groups and joins what `backend="pyarrow"` and `to_pyarrow` give."""
    for run in (0, 1):
        typed.write_run(tmp_path, run)
    table = xpframe.xp_table("random", workspace=tmp_path, run="all")
    by_backend = xpframe.xp_frame("random", workspace=tmp_path, run="all", backend="pyarrow")
    found = by_backend if made == "backend" else table.to_pyarrow()
    kinds = {leaf for field in found.schema for leaf in typed.leaves(field.type)}
    assert "large_string" in kinds
    assert "string_view" not in kinds
    assert pa.types.is_dictionary(found.schema.field("config.kind").type)
    counts = {name: compute(found) for name, compute in COMPUTING.items()}
    rows = 2 * typed.ROWS
    assert counts["filter"] == counts["is in"] == rows // 5
    assert counts["filter an enum"] == rows // 2
    assert counts["sort"] == counts["join"] == counts["upper case"] == counts["pandas"] == rows
    assert (counts["take"], counts["group"], counts["group by an enum"]) == (3, 5, 2)
    assert counts["flatten a list"] > rows / 2
    assert {name: exact(values_of(found[name])) for name in found.column_names} == expected_of(table)


def test_pyarrow_groups_an_enum_that_runs_have_different_names_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An enum whose names differ between runs is one dictionary: pyarrow would refuse to group by it."""
    typed.write_run(tmp_path, 0)
    monkeypatch.setitem(typed.FIELDS, "kind", ("enum", lambda _: None))
    typed.write_run(tmp_path, 1)
    frame = xpframe.xp_frame("random", workspace=tmp_path, run="all", backend="pyarrow")
    grouped = frame.group_by("config.kind").aggregate([([], "count_all")])
    counts = dict(zip(grouped["config.kind"].to_pylist(), grouped["count_all"].to_pylist(), strict=True))
    assert counts == {"SGD": typed.ROWS // 2, "ADAM": typed.ROWS // 2, None: typed.ROWS}


def test_nanoarrow_makes_python_values(table: Table) -> None:
    """nanoarrow makes Python values of what `to_pyarrow` gives; of any string view 0.9 crashes."""
    found = table.to_pyarrow()
    times = {name for name, kind in table.schema if kind.startswith("Timestamp")}
    names = [name for name in table.column_names if name not in times]
    rows = nanoarrow.Array(found.select(names)).to_pylist()
    values = {name: exact([typed.whole(row[name]) for row in rows]) for name in names}
    expected = expected_of(table)
    assert [name for name in names if values[name] != expected[name]] == []
    assert len(names) * len(rows) > 10_000


@pytest.mark.parametrize("backend", ["polars", "pyarrow", "pandas"])
def test_narwhals(backend: str, table: Table) -> None:
    """narwhals filters and groups on each backend."""
    takers: dict[str, Callable[[], Any]] = {
        "polars": lambda: narwhals.from_arrow(table, backend="polars"),
        "pyarrow": lambda: narwhals.from_native(table.to_pyarrow()),
        "pandas": lambda: narwhals.from_native(table.to_pandas()),
    }
    taken = takers[backend]()
    rate = narwhals.col("config.rate")
    grouped = taken.filter(rate > 1).group_by("config.name").agg(rate.sum().alias("sum")).sort("config.name")
    expected = {f"n{k}": 2 * sum(i / 7 for i in range(8, typed.ROWS) if i % 5 == k) for k in range(5)}
    found = dict(zip(grouped["config.name"].to_list(), grouped["sum"].to_list(), strict=True))
    assert found == pytest.approx(expected)


def test_streams_do_not_wait_for_each_other(table: Table) -> None:
    """Two streams of one table, read in turn, each give every batch."""
    first, second = (pa.RecordBatchReader.from_stream(table) for _ in range(2))
    batches = [(first.read_next_batch(), second.read_next_batch()) for _ in range(2)]
    runs = [[batch["run"][0].as_py() for batch in pair] for pair in batches]
    assert runs == [[run, run] for run in sorted(set(table.column_values("run")))]
    assert [a.num_rows for a, _ in batches] == [typed.ROWS] * 2
    for reader in (first, second):
        with pytest.raises(StopIteration):
            reader.read_next_batch()


def test_threads_take_one_table_at_once(table: Table) -> None:
    """Eight threads that take a table at once get the same memory, 80 times."""
    expected = memory(table)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: memory(pa.table(table)), range(80)))
    assert len(found) == 80
    assert all(addresses == expected for addresses in found)


def wanted(table: Table, kinds: dict[str, pa.DataType]) -> pa.Schema:
    """The schema of a table with other types for some columns."""
    schema = pa.schema(table)
    fields = [field.with_type(kinds.get(field.name, field.type)) for field in schema]
    return pa.schema(fields, schema.metadata)


TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
ENUMS = [pa.dictionary(pa.int16(), text) for text in TEXTS[:2]]
REQUESTS = [
    *[("config.note", kind) for kind in (*TEXTS, *ENUMS)],
    *[("config.note_gaps", kind) for kind in (*TEXTS, *ENUMS)],
    *[("config.kind", kind) for kind in (*TEXTS, *ENUMS)],
    *[("config.kind_gaps", kind) for kind in (*TEXTS, *ENUMS)],
    *[("config.words_gaps", pa.large_list(kind)) for kind in TEXTS],
    *[("config.kinds_gaps", pa.large_list(kind)) for kind in TEXTS],
    *[
        ("config.blocks_gaps", pa.large_list(pa.struct([("width", pa.int64()), ("mode", kind)])))
        for kind in TEXTS
    ],
]


@pytest.mark.parametrize(("name", "kind"), REQUESTS, ids=[f"{name} as {kind}" for name, kind in REQUESTS])
def test_another_layout_is_made_on_request(name: str, kind: pa.DataType, table: Table) -> None:
    """A reader that asks for another layout of text or enums is given it, the values the same."""
    schema = wanted(table, {name: kind})
    reader = pa.RecordBatchReader.from_stream(table, schema=schema)
    assert reader.schema.field(name).type == kind
    assert reader.schema.types == schema.types
    assert exact(values_of(reader.read_all()[name])) == exact(table.column_values(name))
    whole = pa.table(table, schema=schema)
    assert whole.schema.types == schema.types
    stream = nanoarrow.c_array_stream(table, schema)
    assert pa.schema(stream.get_schema()).types == schema.types


def test_a_request_leaves_the_other_columns_shared(table: Table) -> None:
    """Only the columns that are asked for otherwise are built anew."""
    schema = wanted(table, {"config.note": pa.large_string()})
    found = pa.RecordBatchReader.from_stream(table, schema=schema).read_all()
    shared = [name for name in table.column_names if memory(found[name]) == memory(table.select([name]))]
    assert set(table.column_names) - set(shared) == {"config.note"}
    assert len(shared) > 50


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("config.steps", pa.string()),
        ("config.steps", pa.int8()),
        ("config.note", pa.int64()),
        ("config.rate", pa.float32()),
        ("submitted_at", pa.timestamp("s")),
        ("config.layers", pa.list_(pa.int64())),
        ("config.blocks", pa.large_list(pa.string())),
        ("config.kind", pa.dictionary(pa.int8(), pa.int64())),
        ("config.nothing", pa.null()),
    ],
    ids=str,
)
def test_a_request_for_other_values_is_left_to_the_reader(name: str, kind: pa.DataType, table: Table) -> None:
    """What is not a layout of text is not done: the interface allows a producer to keep its types."""
    reader = pa.RecordBatchReader.from_stream(table, schema=wanted(table, {name: kind}))
    assert reader.schema.field(name).type == pa.schema(table).field(name).type
    assert exact(values_of(reader.read_all()[name])) == exact(table.column_values(name))


@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_a_request_that_values_do_not_fit_into_is_left(text: pa.DataType, table: Table) -> None:
    """More names than keys can count keep their layout, and what else is asked for is done."""
    schema = wanted(table, {"job_id": pa.dictionary(pa.int8(), text), "config.note": pa.string()})
    reader = pa.RecordBatchReader.from_stream(table, schema=schema)
    found = [reader.schema.field(name).type for name in ("job_id", "config.note")]
    assert found == [pa.string_view(), pa.string()]
    assert reader.read_all()["job_id"].to_pylist() == table.column_values("job_id")
    assert len(set(table.column_values("job_id"))) > 128
    stream = nanoarrow.c_array_stream(table, schema)
    names = pa.schema(stream.get_schema()).names
    assert [pa.schema(stream.get_schema()).field(name).type for name in names].count(pa.string()) == 1


class CSchema(ctypes.Structure):
    """The begin of the Arrow C schema."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.POINTER(ctypes.c_void_p)),
    )


def test_a_request_for_a_type_of_tomorrow_is_left(table: Table) -> None:
    """A schema with a type that is not known is a schema: the table is given as it is."""
    capsule = pa.schema([("job_id", pa.string())]).__arrow_c_schema__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    schema = CSchema.from_address(pointer(capsule, b"arrow_schema"))
    assert schema.n_children == 1
    CSchema.from_address(schema.children[0]).format = b"+tomorrow"
    found = pa.RecordBatchReader._import_from_c_capsule(table.__arrow_c_stream__(capsule))
    assert found.schema == pa.schema(table)


def test_a_request_for_other_columns_changes_none(table: Table) -> None:
    """A schema of fewer, other or reordered columns neither drops, adds nor moves one."""
    schema = pa.schema(table)
    names = table.column_names
    for asked in ([], list(schema)[:3], list(schema)[::-1], [pa.field("unknown", pa.string())]):
        reader = pa.RecordBatchReader.from_stream(table, schema=pa.schema(asked))
        assert reader.schema.names == names
        assert reader.read_all().num_rows == 2 * typed.ROWS


@pytest.mark.parametrize(
    "request_of",
    [
        lambda _: 3,
        lambda _: "schema",
        lambda table: table.__arrow_c_stream__(),
        lambda _: pa.int64().__arrow_c_schema__(),
    ],
    ids=["int", "str", "a capsule of a stream", "a schema of one value"],
)
def test_a_request_that_is_no_schema(request_of: Callable[[Table], Any], table: Table) -> None:
    """What is not a schema is a TypeError or ValueError, and the table goes on working."""
    with pytest.raises((TypeError, ValueError)):
        table.__arrow_c_stream__(request_of(table))
    assert pa.table(table).num_rows == 2 * typed.ROWS


def test_a_stream_may_be_left_at_any_point(table: Table) -> None:
    """Capsules never read, streams never begun, begun and left: the table is whole after each."""
    before = memory(table)
    for batches in (0, 1, 2):
        for _ in range(50):
            table.__arrow_c_stream__()
            table.__arrow_c_schema__()
            reader = pa.RecordBatchReader.from_stream(table)
            read = [reader.read_next_batch().num_rows for _ in range(batches)]
            assert read == [typed.ROWS] * batches
            reader.close()
            with nanoarrow.c_array_stream(table) as stream:
                assert [stream.get_next().length for _ in range(batches)] == read
    assert memory(table) == before


def test_a_capsule_is_taken_once(table: Table) -> None:
    """The second taker of one capsule is refused; it does not get freed memory."""

    class Once:
        capsule = table.__arrow_c_stream__()

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return self.capsule

    assert pa.table(Once()).num_rows == 2 * typed.ROWS
    with pytest.raises(ValueError, match="released"):
        pa.table(Once())


def test_python_ends_with_streams_open(tmp_path: Path) -> None:
    """What is still open when Python ends costs neither a message nor the exit code."""
    run = typed.write_run(tmp_path)
    script = """
        import sys
        import nanoarrow, polars, pyarrow, xpframe
        table = xpframe.xp_table(sys.argv[1])
        held = [table.__arrow_c_stream__(), table.__arrow_c_schema__(), nanoarrow.c_array_stream(table)]
        held += [pyarrow.RecordBatchReader.from_stream(table), polars.DataFrame(table)]
        begun = pyarrow.RecordBatchReader.from_stream(table)
        begun.read_next_batch()
        print(len(held))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5\n", "")
