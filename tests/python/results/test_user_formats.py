"""`Result` says how files are read: a function of the user, some columns, known types."""

from __future__ import annotations

import math
import pickle
import shutil
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reads import read_bytes, wait_until_nothing_is_read
from xpframe import Result, sample_workspace, scan_series, scan_xp, xp_frame, xp_series, xp_table
from xpframe.errors import FormatError, InvalidArgumentError, XpFrameError, XpFrameWarning

CSV = "results.csv"


def frame(result: Any, **options: Any) -> pl.DataFrame:
    """The sample with results."""
    options = {"columns": ["job_id", "result.*", "result@file"], **options}
    return xp_frame("grid-search", workspace=sample_workspace(), results=result, backend="polars", **options)


def errors(result: Any) -> list[XpFrameError]:
    """What could not be read of the sample."""
    with pytest.warns(XpFrameWarning):
        return list(xp_table("grid-search", workspace=sample_workspace(), results=result).errors)


def lines(path: Path) -> dict[str, Any]:
    """The number of lines of a file, and its name."""
    return {"lines": len(path.read_text().splitlines()), "file": {"name": path.name}}


def pickled(path: Path) -> dict[str, Any]:
    """A function that pickle can name."""
    return {"size": path.stat().st_size}


def test_function_makes_the_columns() -> None:
    """What the function returns are columns, nested as its dicts are."""
    table = frame(Result(CSV, format=lines))
    assert table.columns == ["job_id", "result.lines", "result.file.name", "result@file"]
    assert table["result.lines"].to_list().count(11) == 11
    assert set(table["result.file.name"]) == {CSV}
    assert set(table["result@file"]) == {"read"}


def test_function_gets_a_path_of_each_job_once() -> None:
    """It is called with a `pathlib.Path` for each file that is there, and never twice at a time."""
    seen: list[Path] = []
    busy = threading.Lock()

    def look(path: Path) -> dict[str, Any]:
        assert busy.acquire(blocking=False)
        seen.append(path)
        busy.release()
        return {"parent": path.parent.name}

    table = frame(Result("metrics.json", format=look))
    assert len(seen) == len(set(seen)) == 11
    assert {type(path) for path in seen} == {type(Path())}
    assert all(path.is_absolute() for path in seen)
    assert table.filter(pl.col("result@file") == "missing").height == 1
    read = table.filter(pl.col("result@file") == "read")
    assert read["result.parent"].to_list() == read["job_id"].to_list()


def test_function_gets_a_directory() -> None:
    """A handle of a directory gives the directory itself."""
    table = frame(Result("runs/", format=lambda path: {"files": len(list(path.iterdir()))}))
    assert table["result.files"].to_list() == [1] * 12


def test_what_a_function_raises_is_an_error_of_its_job() -> None:
    """One bad file costs one row, and the error names the exception, the file and the job."""
    calls = []

    def sometimes(path: Path) -> dict[str, Any]:
        calls.append(path)
        if len(calls) == 3:
            raise ValueError("no such magic")
        return {"n": 1}

    found = errors(Result(CSV, format=sometimes))
    assert len(found) == 1
    assert "sometimes raised ValueError: no such magic" in str(found[0])
    assert found[0].job
    assert str(found[0].file).endswith(CSV)
    with pytest.raises(XpFrameError, match="raised ZeroDivisionError"):
        frame(Result(CSV, format=lambda _: 1 / 0), columns=None, strict=True)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (5, "returned int"),
        (None, "returned NoneType"),
        ([1], "returned int"),
        ({"when": object()}, "field when: object is no value of a column"),
        ({"deep": {"er": {1, 2}}}, "set is no value of a column"),
        ({1: 2, "1": 3}, "two keys are written '1'"),
    ],
)
def test_other_values_are_refused(returned: Any, text: str) -> None:
    """A function returns a dict or a list of dicts, of plain values."""
    found = errors(Result(CSV, format=lambda _: returned))
    assert len(found) == 12
    assert text in str(found[0])
    assert {error.job for error in found} >= {found[0].job}


def test_values_keep_their_types() -> None:
    """Python's numbers of any size, numpy's, text, lists and None."""
    numpy = pytest.importorskip("numpy")
    values = {
        "none": None,
        "yes": True,
        "int": 3,
        "big": 10**30,
        "float": 0.5,
        "nan": float("nan"),
        "text": "é\ud800",
        "list": [1, 2],
        "np_float": numpy.float32(0.25),
        "np_int": numpy.int64(7),
        "np_bool": numpy.bool_(1),
        "zero_d": numpy.array(1.5),
    }
    table = frame(Result(CSV, format=lambda _: values)).drop("job_id", "result@file")
    row = {name.removeprefix("result."): value for name, value in table.row(0, named=True).items()}
    assert math.isnan(row.pop("nan"))
    assert int(row.pop("big")) == 10**30
    assert row.pop("text").startswith("é")
    assert row == {
        "none": None,
        "yes": True,
        "int": 3,
        "float": 0.5,
        "list": [1, 2],
        "np_float": 0.25,
        "np_int": 7,
        "np_bool": True,
        "zero_d": 1.5,
    }


def test_rows_of_a_function() -> None:
    """A list of dicts is rows: one of them is the result, all are the series."""
    rows = [{"n": 2}, {"n": 5}, {"n": 3}]
    result = Result(CSV, format=lambda _: rows)
    assert frame(result)["result.n"].to_list() == [3] * 12
    assert frame(Result(CSV, format=lambda _: rows, max="n"))["result.n"].to_list() == [5] * 12
    assert frame(Result(CSV, format=lambda _: rows, first=True))["result.n"].to_list() == [2] * 12
    series = xp_series("grid-search", result, workspace=sample_workspace(), backend="polars")
    assert series["n"].to_list() == [2, 5, 3] * 12
    lazy = scan_series("grid-search", result, workspace=sample_workspace())
    assert lazy.collect().equals(series)


def test_scan_with_a_function_can_be_pickled() -> None:
    """A named function travels with the query."""
    lazy = scan_xp("grid-search", workspace=sample_workspace(), results=Result(CSV, format=pickled))
    again = pickle.loads(pickle.dumps(lazy)).collect()
    assert again.equals(lazy.collect())
    assert again["result.size"].min() > 20


def test_columns_are_the_only_ones() -> None:
    """Keys and columns by name or glob, also where another one decides the row."""
    assert frame(Result("metrics.json", columns="acc*")).columns == [
        "job_id",
        "result.accuracy",
        "result@file",
    ]
    best = frame(Result(CSV, columns=["loss"], max="accuracy"))
    assert best.columns == ["job_id", "result.loss", "result@file"]
    board = frame(Result("runs/*", columns="val/loss", max="val/accuracy"))
    assert board.columns == ["job_id", "result.val/loss", "result@file"]
    full = frame(Result("runs/*", max="val/accuracy"))
    assert board["result.val/loss"].to_list() == full["result.val/loss"].to_list()
    series = xp_series("grid-search", Result(CSV, columns=["step", "loss"]), workspace=sample_workspace())
    assert list(series.columns) == ["job_id", "step", "loss"]


def test_columns_reach_into_objects(tmp_path: Path) -> None:
    """A name of an object means all below it, a dotted name one key."""
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    for file in root.glob("jobs/*/*/metrics.json"):
        file.write_text('{"eval": {"f1": 0.5, "by": {"a": 1}}, "loss": 1}')
    options: Any = {"workspace": root, "backend": "polars", "columns": "result.*"}
    for columns, expected in {
        "eval": ["result.eval.f1", "result.eval.by.a"],
        "eval.f1": ["result.eval.f1"],
        "*.a": ["result.eval.by.a"],
    }.items():
        table = xp_frame("grid-search", results=Result("metrics.json", columns=columns), **options)
        assert table.columns == expected
    typed = xp_frame("grid-search", results=Result("metrics.json", schema={"eval.f1": float}), **options)
    assert typed.columns == ["result.eval.f1"]


def test_schema_opens_no_file() -> None:
    """The columns are those of the schema, in its order, before any file is read."""
    schema: Any = {"accuracy": float, "step": "int64", "loss": str}
    lazy = scan_series("grid-search", Result(CSV, schema=schema), workspace=sample_workspace())
    expected = {"accuracy": pl.Float64(), "step": pl.Int64(), "loss": pl.String()}
    assert {name: dtype for name, dtype in lazy.collect_schema().items() if name != "job_id"} == expected
    rows = lazy.collect()
    plain = xp_series("grid-search", CSV, workspace=sample_workspace(), backend="polars")
    assert rows["accuracy"].to_list() == plain["accuracy"].to_list()
    assert [float(text) for text in rows["loss"]] == plain["loss"].to_list()


def test_values_of_other_types_are_null_and_said() -> None:
    """A schema that is wrong loses no row, and the loss is an error with file and column."""
    with pytest.warns(XpFrameWarning, match="10 values are no int64, as '0.822321'"):
        series = xp_series(
            "grid-search",
            Result(CSV, schema={"step": int, "accuracy": int}),
            workspace=sample_workspace(),
            backend="polars",
        )
    assert series["accuracy"].null_count() == series.height == 111
    assert series["step"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"format": 3}, "it is the name of a format, or a function"),
        ({"format": "cvs"}, "no result format 'cvs'"),
        ({"columns": 3}, "columns=3"),
        ({"schema": {"a": list}}, "it is a dict from names of columns to"),
        ({"schema": "a"}, "it is a dict from names of columns to"),
        ({"schema": {}}, "it is a dict from names of columns to"),
    ],
)
def test_wrong_options(options: Any, text: str) -> None:
    """An option of another type is an error that says what it is."""
    with pytest.raises(InvalidArgumentError, match=text):
        frame(Result(CSV, **options))


@pytest.fixture
def shrunk(tmp_path: Path) -> pl.LazyFrame:
    """The rows of twelve files that are more than is kept, of which one is cut after a look at all."""
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    written = [path.parent / "log.csv" for path in root.glob("jobs/*/*/params.json")]
    for path in written:
        path.write_text("a\n" + ("x" * 100 + "\n") * 60_000)
    lazy = scan_series("grid-search", "log.csv", workspace=root, strict=True)
    written[0].write_text("a\nx\n")
    return lazy


def test_a_file_that_shrank_is_an_error(shrunk: pl.LazyFrame) -> None:
    """Rows that were there when the columns were decided and are gone now are no silent loss."""
    with pytest.raises(FormatError, match="shorter than when its columns were decided"):
        shrunk.collect()


def test_reads_ahead_end_with_the_query(shrunk: pl.LazyFrame) -> None:
    """After an error no thread reads on, though who keeps the exception keeps the frames of its traceback."""
    with pytest.raises(FormatError) as kept:
        shrunk.collect()
    at_the_error = read_bytes()
    wait_until_nothing_is_read()
    assert kept.value.__traceback__ is not None
    # each thread ends the megabyte that it has begun; the group ahead has up to 32
    assert read_bytes() - at_the_error < 10_000_000
