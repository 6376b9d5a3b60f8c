"""The hand-over to pandas: nothing is lost, memory is shared where it can be, and its calls work."""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers_arrow import (
    ENUM,
    NAN,
    VALUES,
    WHEN,
    EngineTable,
    column,
    every_type,
    grid_search,
    places,
)
from xpframe.backends.cells import CellArray, CellDtype
from xpframe.backends.pandas import to_pandas

NUMBERS = ["tags.lr", "config.hidden", "config.dropout"]
LABELS = ["tags.model", "config.optimizer"]
BOTH_WAYS = pytest.mark.parametrize("zero_copy", [False, True])
BOTH_FRAMES = pytest.mark.parametrize("frame", ["complete", "with gaps"], indirect=True)


@pytest.fixture
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    """The default frame of a grid search of 120 jobs."""
    return to_pandas(EngineTable(grid_search(gaps=request.param == "with gaps")))


def floats(*values: float | None) -> pd.DataFrame:
    return to_pandas(EngineTable(pa.table({"x": pa.array(values, pa.float64())})))


def values_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows of a frame as Python values, null as None, by way of Arrow, which knows null from NaN."""
    return [tuple(row.values()) for row in pa.Table.from_pandas(frame, preserve_index=False).to_pylist()]


# --- nothing is lost ---


@BOTH_WAYS
@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 4, 1000])
def test_every_value_survives(rows: int, nulls: bool, zero_copy: bool) -> None:
    """Whatever the type, a frame gives back the Python values that went in, null and NaN apart."""
    source = every_type(nulls=nulls, rows=rows)
    frame = to_pandas(EngineTable(source), zero_copy=zero_copy)
    assert frame.shape == (rows, len(VALUES))
    assert list(frame.columns) == list(VALUES)
    assert repr(values_of(frame)) == repr([tuple(row.values()) for row in source.to_pylist()])


SCALARS = {
    "flag": (pa.bool_(), st.booleans()),
    "seed": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "hash": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "loss": (pa.float64(), st.floats()),
    "name": (pa.string_view(), st.text(st.characters(codec="utf-8"))),
    "state": (ENUM, st.sampled_from(["done", "error", "waiting"])),
    "digits": (pa.decimal128(38, 0), st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal)),
    "layers": (pa.large_list(pa.float64()), st.lists(st.none() | st.floats(), max_size=3)),
}


@given(data=st.data(), rows=st.integers(0, 6), zero_copy=st.booleans())
def test_any_value_survives(data: st.DataObject, rows: int, zero_copy: bool) -> None:
    """Drawn at random, with and without nulls, columns of every scalar type come back exactly."""
    source = pa.table(
        {
            name: column(data.draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
            for name, (kind, values) in SCALARS.items()
        }
    )
    frame = to_pandas(EngineTable(source), zero_copy=zero_copy)
    assert repr(values_of(frame)) == repr([tuple(row.values()) for row in source.to_pylist()])
    for name in SCALARS:
        assert frame[name].isna().tolist() == [value is None for value in source[name].to_pylist()], name


@BOTH_WAYS
def test_isna_is_null(zero_copy: bool) -> None:
    """In every column, `isna` is true exactly where the value is null; a NaN is a value."""
    frame = to_pandas(EngineTable(every_type()), zero_copy=zero_copy)
    assert frame.isna().to_numpy().tolist() == [[False] * len(VALUES)] * 3 + [[True] * len(VALUES)]


def test_nan_and_null_stay_different() -> None:
    """`isna`, `dropna`, `fillna`, `==` and single values tell a recorded NaN from a missing value."""
    x = floats(1.0, NAN, None).x
    assert x.isna().tolist() == [False, False, True]
    assert repr(x.dropna().tolist()) == "[1.0, nan]"
    assert repr(x.fillna(9).tolist()) == "[1.0, nan, 9.0]"
    assert (x == 1).tolist() == [True, False, pd.NA]
    assert np.isnan(x[1])
    assert x[2] is pd.NA


@pytest.mark.parametrize(
    "step",
    [
        lambda frame: frame.iloc[::-1],
        lambda frame: frame.sort_values("x"),
        lambda frame: frame.copy(),
        lambda frame: frame.reset_index(drop=True),
        lambda frame: frame[frame.index >= 0],
        lambda frame: pd.concat([frame.iloc[:1], frame.iloc[1:]]),
        lambda frame: frame.assign(y=1),
        lambda frame: pickle.loads(pickle.dumps(frame)),
    ],
)
def test_nan_stays_nan_through_steps(step: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Reordering, selecting, copying and joining rows keeps NaN and null apart."""
    x = step(floats(1.0, NAN, None)).x
    assert sorted(map(repr, x.tolist())) == ["1.0", "<NA>", "nan"]
    assert int(x.isna().sum()) == 1


def test_nan_through_arithmetic_is_a_choice_of_pandas() -> None:
    """Arithmetic turns NaN into NA, unless the option of pandas that distinguishes them is set."""
    x = floats(1.0, NAN, None).x
    assert (x * 2).isna().tolist() == [False, True, True]
    with pd.option_context("future.distinguish_nan_and_na", True):
        assert (x * 2).isna().tolist() == [False, False, True]


def test_a_float_column_without_nan_is_numpy() -> None:
    """Where no NaN is recorded, null is NaN, as everywhere in pandas: plots and models take the column."""
    assert floats(1.0, None).x.dtype == np.float64
    assert floats(1.0, None).x.isna().tolist() == [False, True]
    assert floats(1.0, NAN).x.isna().tolist() == [False, False]


def test_float_columns_of_both_kinds_meet() -> None:
    """Rows of a run with a NaN and of one without can be joined, and null is still null."""
    for frames in ([floats(1.0, None), floats(NAN, None)], [floats(NAN, None), floats(1.0, None)]):
        x = pd.concat(frames).x
        assert sorted(map(repr, x.tolist())) == ["1.0", "<NA>", "<NA>", "nan"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [(pa.int64(), [2**53 + 1, None, -(2**63), 2**63 - 1]), (pa.uint64(), [2**53 + 1, None, 2**64 - 1])],
)
def test_ints_with_gaps_stay_ints(kind: pa.DataType, values: list[int | None]) -> None:
    """An int column with nulls is exact, sums exactly, and describes itself."""
    x = to_pandas(EngineTable(pa.table({"x": pa.array(values, kind)}))).x
    assert pd.api.types.is_integer_dtype(x.dtype)
    assert [None if value is pd.NA else int(value) for value in x.tolist()] == values
    assert int(x.iloc[:2].sum()) == 2**53 + 1
    assert x.describe()["count"] == len(values) - 1


def test_bools_with_gaps_stay_bools() -> None:
    """A bool column with nulls is bool, not object, and selects rows."""
    frame = to_pandas(EngineTable(pa.table({"x": pa.array([True, None, False])})))
    assert pd.api.types.is_bool_dtype(frame.x.dtype)
    assert len(frame[frame.x]) == 1
    assert frame.x.sum() == 1


@pytest.mark.parametrize(
    ("nulls", "zero_copy", "expected"),
    [
        (False, False, ["bool", "int64", "uint64", "datetime64[us, UTC]"]),
        (True, False, ["bool[pyarrow]", "Int64", "UInt64", "datetime64[us, UTC]"]),
        (
            False,
            True,
            ["bool[pyarrow]", "int64[pyarrow]", "uint64[pyarrow]", "timestamp[us, tz=UTC][pyarrow]"],
        ),
        (
            True,
            True,
            ["bool[pyarrow]", "int64[pyarrow]", "uint64[pyarrow]", "timestamp[us, tz=UTC][pyarrow]"],
        ),
    ],
)
def test_dtypes(nulls: bool, zero_copy: bool, expected: list[str]) -> None:
    """The dtype of each column, as the docstring promises it."""
    dtypes = to_pandas(EngineTable(every_type(nulls=nulls)), zero_copy=zero_copy).dtypes
    assert [str(dtypes[name]) for name in ("flag", "seed", "hash", "submitted_at")] == expected
    assert str(dtypes["name"]) == "str"
    assert str(dtypes["state"]) == "category"
    assert str(dtypes["loss"]) == "double[pyarrow]"
    if zero_copy:
        assert str(dtypes["digits"]) == "decimal128(38, 0)[pyarrow]"
        assert str(dtypes["layers"]) == "large_list<item: int64>[pyarrow]"
    else:
        assert dtypes["digits"] == np.dtype(object)
        assert dtypes["layers"] == CellDtype(pa.large_list(pa.int64()))
    assert "view" not in str(list(dtypes)), "pandas can do nothing with string views"


def test_lists_are_lists() -> None:
    """A list cell is a Python list with its nulls; list columns explode and know their lengths."""
    frame = to_pandas(EngineTable(every_type()))
    assert frame.layers[0] == [1, None, 2**53 + 1]
    assert frame.blocks[0][0] == {"kind": "conv", "width": 2**53 + 1, "modes": ["a", None]}
    assert frame.layers.map(len, na_action="ignore").tolist() == [3, 0, 1, pd.NA]
    assert to_pandas(EngineTable(every_type()), zero_copy=True).layers.list.len().tolist() == [3, 0, 1, pd.NA]
    assert len(frame[["seed", "layers"]].explode("layers")) == 6


# --- nothing is copied that pandas can share ---


def shared_columns(frame: pd.DataFrame, source: EngineTable) -> set[str]:
    """The columns of a frame that are the engine's own memory, by address; of an enum only the keys count."""
    shared = set()
    for name in frame:
        values = frame[name].array
        arrow = isinstance(values, pd.arrays.ArrowExtensionArray | CellArray)
        wanted = set(places(source.pandas_form[name], names=arrow))
        seen = set(places(values.__arrow_array__())) if arrow else {first_byte(values)}
        assert wanted, name
        if wanted <= seen:
            shared.add(name)
    return shared


def first_byte(values: pd.api.extensions.ExtensionArray) -> int:
    """Where the numbers behind a numpy-backed column begin."""
    numbers = values.codes if isinstance(values, pd.Categorical) else values
    address: int = np.asarray(numbers).ctypes.data
    return address


def test_columns_of_a_dtype_are_one_block() -> None:
    """Columns of one numpy dtype are one block, whatever stands between them."""
    rows = 5
    numbers = pa.array([0.5, None, 2.5, -1.0, 3.0])
    source = pa.table(
        {"a": numbers, "name": pa.array(list("abcde")), "b": numbers, "n": pa.array(range(rows))}
    )
    frame = to_pandas(EngineTable(source.append_column("c", numbers)))
    first = first_byte(frame["a"].array)
    assert [first_byte(frame[name].array) - first for name in "bc"] == [8 * rows, 16 * rows]


SHARED = {"name", "layers", "names", "grid", "blocks", "loss"}


@pytest.mark.parametrize(
    ("nulls", "zero_copy", "expected"),
    [
        (False, False, SHARED),
        (True, False, SHARED | {"flag"}),
        (False, True, set(VALUES)),
        (True, True, set(VALUES) - {"state"}),
    ],
)
def test_memory_is_shared(nulls: bool, zero_copy: bool, expected: set[str]) -> None:
    """Strings, lists and floats with NaN are the engine's memory; with `zero_copy` all is."""
    source = EngineTable(every_type(nulls=nulls, rows=1000))
    assert shared_columns(to_pandas(source, zero_copy=zero_copy), source) == expected


@pytest.mark.parametrize("categories", [126, 127, 32_766, 32_767])
def test_enum_keys_are_as_wide_as_pandas_wants(categories: int) -> None:
    """With keys as wide as pandas' own, an enum is shared, on both sides of each change of width."""
    names = [f"name {i}" for i in range(categories)]
    source = EngineTable(pa.table({"state": column(names, ENUM)}))
    frame = to_pandas(source, zero_copy=True)
    assert shared_columns(frame, source) == {"state"}
    assert frame.state.tolist() == names


NEW_VALUES: dict[str, Any] = {
    "flag": False,
    "seed": 7,
    "hash": 7,
    "loss": 0.25,
    "name": "new",
    "state": "error",
    "submitted_at": pd.Timestamp(WHEN),
    "digits": Decimal(7),
}


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("name", NEW_VALUES)
def test_cells_can_be_assigned(name: str, nulls: bool) -> None:
    """A cell of any scalar column can be set, and neither the engine's table nor a later frame sees it."""
    source = EngineTable(every_type(nulls=nulls))
    before = repr(source.pandas_form.to_pylist())
    frame = to_pandas(source)
    frame.loc[0, name] = NEW_VALUES[name]
    assert frame[name][0] == NEW_VALUES[name]
    assert str(frame.dtypes[name]) == str(to_pandas(source).dtypes[name])
    assert repr(source.pandas_form.to_pylist()) == before
    assert repr(values_of(to_pandas(source))) == repr(
        [tuple(row.values()) for row in source.table.to_pylist()]
    )


@BOTH_WAYS
def test_a_wide_frame_takes_new_columns(zero_copy: bool) -> None:
    """A frame of 300 columns is not fragmented: adding one does not warn."""
    wide = pa.table({f"config.x{i}": pa.array([i, i + 1]) for i in range(300)})
    frame = to_pandas(EngineTable(wide), zero_copy=zero_copy)
    frame["sum"] = frame.sum(axis=1)
    assert frame["sum"].tolist() == [sum(range(300)), sum(range(301)) + 0]


# --- small frames ---


@BOTH_WAYS
def test_an_empty_frame_has_its_columns(zero_copy: bool) -> None:
    """Without rows, a frame still has its columns and can be grouped, queried, sorted and printed."""
    frame = to_pandas(EngineTable(every_type(rows=0)), zero_copy=zero_copy)
    assert frame.shape == (0, len(VALUES))
    assert frame.groupby("name").loss.mean().empty
    assert frame.query("loss > 1").empty
    assert frame.sort_values("seed").empty
    assert "Empty DataFrame" in repr(frame)


@pytest.mark.parametrize("rows", [0, 3])
def test_no_columns(rows: int) -> None:
    """A selection of no columns keeps the number of its rows."""
    source = pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))])
    assert to_pandas(EngineTable(source)).shape == (rows, 0)


def test_a_column_of_nulls_keeps_its_type() -> None:
    """A column that holds nothing but nulls has the dtype of its type, and is all missing."""
    source = pa.table({name: column([None, None], kind) for name, (kind, _) in VALUES.items()})
    frame = to_pandas(EngineTable(source))
    assert frame.isna().to_numpy().all()
    assert [name for name in frame if frame[name].dtype == np.dtype(object)] == ["digits"]


@pytest.mark.parametrize("missing", ["pandas", "pyarrow"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Where pandas or pyarrow is not installed, importing the hand-over fails and says which it is."""
    monkeypatch.delitem(sys.modules, "xpframe.backends.pandas")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("xpframe.backends.pandas")
    assert caught.value.name == missing


# --- pandas' own verbs ---


@BOTH_FRAMES
def test_groupby(frame: pd.DataFrame) -> None:
    """Groups by tags, ints and enums aggregate numbers, times and strings, and big ints exactly."""
    table = frame.groupby(["tags.model", "config.hidden"])[["config.dropout", "duration_s"]].agg(
        ["mean", "std", "count"]
    )
    assert table.shape == (6, 6)
    groups = frame.groupby("config.optimizer", observed=True)
    summary = groups.agg(
        jobs=("job_id", "count"),
        first=("tags.model", "first"),
        biased=("config.bias", "sum"),
        last=("submitted_at", "max"),
        top=("config.hash", "max"),
        seeds=("config.seed", "nunique"),
        middle=("duration_s", "median"),
    )
    assert list(summary.index) == ["ADAM", "SGD"] or list(summary.index) == ["SGD", "ADAM"]
    assert int(summary.top.max()) == int(frame["config.hash"].max()) > 2**64 - 10
    best = frame.loc[frame.groupby("tags.model")["config.dropout"].idxmin()]
    assert sorted(best["tags.model"]) == ["cnn", "mlp", "vit"]
    assert frame.groupby("config.hidden", dropna=False).size().sum() == 120
    assert len(frame.groupby("tags.lr")["duration_s"].transform("mean")) == 120
    assert len(frame.groupby("tags.model")["duration_s"].describe()) == 3


@BOTH_FRAMES
def test_pivot(frame: pd.DataFrame) -> None:
    """A pivot of numbers is a float64 table, ready for a heat map."""
    table = frame.pivot_table(index="tags.lr", columns="config.hidden", values="duration_s")
    assert table.shape == (3, 2)
    assert table.to_numpy().dtype == np.float64
    assert pd.crosstab(frame["tags.model"], frame["config.optimizer"]).to_numpy().sum() >= 90
    assert len(frame.melt(id_vars=["tags.model"], value_vars=["duration_s", "config.dropout"])) == 240


@BOTH_FRAMES
def test_merge(frame: pd.DataFrame) -> None:
    """Frames merge, on every kind of key, with tables that pandas made itself."""
    for key, values in {
        "tags.model": ["mlp", "cnn"],
        "tags.lr": [0.1, 0.01],
        "config.hidden": [32, 64],
        "config.hash": [2**64 - 2, 2**64 - 3],
        "config.optimizer": ["ADAM", "SGD"],
        "config.bias": [True, False],
    }.items():
        notes = pd.DataFrame({key: values, "note": ["first", "second"]})
        if key == "config.hash":
            notes[key] = notes[key].astype("uint64")
        merged = frame.merge(notes, on=key, how="left")
        assert len(merged) == 120, key
        expected = int(frame[key].isin(values).sum())
        assert merged.note.notna().sum() == expected > 0, key
    nights = pd.DataFrame({"submitted_at": pd.to_datetime(["2026-03-19T00:00Z"]).as_unit("us"), "night": [1]})
    known = frame.dropna(subset=["submitted_at"])
    assert pd.merge_asof(known, nights, on="submitted_at").night.sum() == len(known)
    named = frame.dropna(subset=["job_id"]).set_index("job_id")
    assert (
        named.join(named[["tags.lr"]].rename(columns={"tags.lr": "again"})).again.count()
        == named["tags.lr"].count()
    )


@BOTH_FRAMES
def test_query(frame: pd.DataFrame) -> None:
    """`query`, masks and comparisons with times select the rows they say; a null is never selected."""
    rows = frame.query("`tags.lr` < 0.05 and `config.hidden` == 64 and `tags.model` in ['cnn', 'vit']")
    expected = [
        row
        for row in values_of(frame)
        if row[1] is not None and row[1] < 0.05 and row[3] == 64 and row[2] in {"cnn", "vit"}
    ]
    assert values_of(rows) == expected
    assert len(expected) > 10
    assert len(frame.query("`config.optimizer` == 'SGD'")) == (frame["config.optimizer"] == "SGD").sum() > 5
    assert len(frame[frame["config.bias"]]) == frame["config.bias"].sum() > 40
    assert len(frame[frame.submitted_at > "2026-03-19 13:00"]) == frame.submitted_at.dt.hour.ge(13).sum() > 40
    assert len(frame[frame.job_id.str.endswith("f")]) > 5


@BOTH_FRAMES
# pandas 3.1 warns of a cast while it describes unsigned ints beyond int64, and describes them right
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_sort_describe_count(frame: pd.DataFrame) -> None:
    """Sorting, describing, counting, ranking and printing work on the whole frame."""
    assert list(frame.sort_values(["tags.model", "duration_s"])["tags.model"].dropna().unique()) == [
        "cnn",
        "mlp",
        "vit",
    ]
    assert list(frame.describe().columns) == [
        "tags.lr",
        "config.hidden",
        "config.seed",
        "config.hash",
        "config.dropout",
        "duration_s",
    ]
    assert frame.drop(columns="config.layers").describe(include="all").shape[1] == 11
    for name in ("tags.model", "config.hidden", "config.bias", "config.optimizer", "tags.lr"):
        assert frame[name].value_counts(dropna=False).sum() == 120, name
    assert len(frame.nlargest(3, "duration_s")) == 3
    assert frame.select_dtypes("number").corr(numeric_only=True).shape == (6, 6)
    assert frame.drop_duplicates("tags.model")["tags.model"].notna().sum() == 3
    text = io.StringIO()
    frame.info(buf=text, memory_usage="deep")
    assert "120 entries" in text.getvalue()
    assert "tags.lr" in frame.to_html(max_rows=4)
    assert "120 rows x 12 columns" in repr(frame)


@BOTH_FRAMES
def test_times(frame: pd.DataFrame) -> None:
    """Times are pandas times: zones, differences, resampling."""
    known = frame.dropna(subset=["submitted_at"])
    assert isinstance(known.submitted_at.iloc[0], pd.Timestamp)
    assert str(known.submitted_at.dt.tz_convert("Europe/Paris").dt.tz) == "Europe/Paris"
    assert (known.submitted_at - WHEN).dt.total_seconds().max() == pytest.approx(119 * 60)
    assert (
        known.set_index("submitted_at").resample("h")["duration_s"].count().sum() == known.duration_s.count()
    )


@BOTH_FRAMES
def test_numpy_takes_numbers(frame: pd.DataFrame) -> None:
    """Float columns become float64 arrays; numpy and new columns compute with every number."""
    assert frame[["tags.lr", "duration_s"]].to_numpy().dtype == np.float64
    assert np.asarray(frame["config.hidden"], dtype=float).shape == (120,)
    assert frame[NUMBERS].to_numpy(dtype=float).shape == (120, 3)
    frame["cost"] = np.log10(frame["tags.lr"]) * frame["config.hidden"]
    frame["model"] = frame["tags.model"].fillna("?").str.upper()
    frame["mark"] = range(120)
    assert frame.cost.notna().sum() == (frame["tags.lr"].notna() & frame["config.hidden"].notna()).sum()
    known = frame[["tags.lr", "duration_s"]].dropna()
    assert np.polyfit(known["tags.lr"], known.duration_s, 1).shape == (2,)


def test_numpy_takes_a_mixture_of_complete_numbers() -> None:
    """Ints and floats without gaps are one float64 matrix, ints alone one int64 matrix."""
    frame = to_pandas(EngineTable(grid_search(gaps=False)))
    assert frame[NUMBERS].to_numpy().dtype == np.float64
    assert frame[["config.hidden", "config.seed"]].to_numpy().dtype == np.int64


# --- files ---


@BOTH_FRAMES
def test_pickle_round_trip(frame: pd.DataFrame) -> None:
    """A pickled frame comes back equal, dtypes included."""
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(frame)), frame)


@BOTH_FRAMES
def test_csv_keeps_every_digit(frame: pd.DataFrame) -> None:
    """A CSV file holds ints exactly, gaps or not, and tells NaN from null."""
    text = frame.to_csv(index=False)
    assert len(text.splitlines()) == 121
    for value in frame["config.hash"].dropna():
        assert str(value) in text
    assert floats(1.0, NAN, None).to_csv(index=False).splitlines() == ["x", "1.0", "nan", '""']


@BOTH_FRAMES
def test_parquet_round_trip(frame: pd.DataFrame) -> None:
    """A Parquet file comes back with its values; lists as arrays unless `dtype_backend="pyarrow"`."""
    file = io.BytesIO()
    frame.to_parquet(file)
    back = pd.read_parquet(file, dtype_backend="pyarrow")
    assert values_of(back) == values_of(frame)
    scalars = frame.drop(columns="config.layers")
    file = io.BytesIO()
    scalars.to_parquet(file)
    pd.testing.assert_frame_equal(pd.read_parquet(file), scalars)
