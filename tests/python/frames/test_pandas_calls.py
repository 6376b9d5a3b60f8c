"""Pandas' own calls on the default frames of real experiments, on each kind of column."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from xpframe import Workspace, XpFrameWarning, xp_table
from xpframe.backends.cells import CellArray, CellDtype

if TYPE_CHECKING:
    from conftest import Workspaces
    from xpframe import Table

pytestmark = pytest.mark.slow

SLOW = ["v1161_full", "v200_full", "v230_full", "v270_full"]
NAMES = ["v270_quirks", "v270_script", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]

# the calls on one column, of any dtype
OF_COLUMN: dict[str, Callable[[pd.DataFrame, str], Any]] = {
    "nunique": lambda frame, name: frame[name].nunique(),
    "unique": lambda frame, name: frame[name].unique(),
    "value_counts": lambda frame, name: frame[name].value_counts(),
    "value_counts of nulls": lambda frame, name: frame[name].value_counts(dropna=False),
    "drop_duplicates": lambda frame, name: frame[[name]].drop_duplicates(),
    "duplicated": lambda frame, name: frame[name].duplicated(),
    "describe": lambda frame, name: frame[name].describe(),
    "convert_dtypes": lambda frame, name: frame[name].convert_dtypes(),
    "groupby": lambda frame, name: frame.groupby(name).size(),
    "groupby of nulls": lambda frame, name: frame.groupby(name, dropna=False).size(),
    "groupby, first": lambda frame, name: frame.groupby("job_id")[name].first(),
    "groupby, nunique": lambda frame, name: frame.groupby("job_id")[name].nunique(),
    "sort_values": lambda frame, name: frame[name].sort_values(),
    "merge": lambda frame, name: frame.merge(frame[[name]].drop_duplicates(), on=name),
    "isin": lambda frame, name: frame[name].isin(frame[name]),
    "==": lambda frame, name: frame[name] == frame[name],
    "astype": lambda frame, name: frame[name].astype(str),
    "tolist": lambda frame, name: frame[name].tolist(),
    "to_numpy": lambda frame, name: frame[name].to_numpy(),
    "get_dummies": lambda frame, name: pd.get_dummies(frame[name]),
    "concat": lambda frame, name: pd.concat([frame[name], frame[name]]),
    "explode": lambda frame, name: frame[name].explode(),
    "ffill": lambda frame, name: frame[name].ffill(),
    "map": lambda frame, name: frame[name].map(str),
    "loc": lambda frame, name: frame.loc[frame[name].notna(), name],
    "shift": lambda frame, name: frame[name].shift(),
}
# the calls on the whole frame
OF_FRAME: dict[str, Callable[[pd.DataFrame], Any]] = {
    "nunique": lambda frame: frame.nunique(),
    "drop_duplicates": lambda frame: frame.drop_duplicates(),
    "describe": lambda frame: frame.describe(include="all"),
    "value_counts": lambda frame: frame.value_counts(),
    "convert_dtypes": lambda frame: frame.convert_dtypes(),
    "convert_dtypes to Arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "merge": lambda frame: frame.merge(frame, on="job_id"),
    "concat": lambda frame: pd.concat([frame, frame]),
    "isna": lambda frame: frame.isna().sum(),
    "compare": lambda frame: frame.compare(frame),
    "T": lambda frame: frame.T,
    "melt": lambda frame: frame.melt(id_vars="job_id"),
    "to_html": lambda frame: frame.to_html(),
    "groupby": lambda frame: frame.groupby("state").agg(list),
    "describe of groups": lambda frame: frame.groupby("state").describe(),
    "pivot": lambda frame: frame.drop_duplicates("job_id").pivot(index="job_id", columns="state"),
    "copy": copy.deepcopy,
    "pickle": lambda frame: pickle.loads(pickle.dumps(frame)),
}


def tables(root: Path) -> list[tuple[str, Table]]:
    """The tables of each experiment: the default columns, and every column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        return [
            (experiment, xp_table(experiment, workspace=root, columns=columns))
            for experiment in Workspace(root).experiments()
            for columns in (None, ["*", "dependencies", "exit_code"])
        ]


def failures(root: Path, calls: Callable[[Table], dict[str, Callable[[], Any]]]) -> list[str]:
    """The calls that raise or warn, with what they say."""
    failed = []
    for experiment, table in tables(root):
        for name, call in calls(table).items():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    call()
            except Exception as error:  # noqa: BLE001 - each is a fault
                failed.append(f"{experiment}, {name}: {type(error).__name__}: {str(error)[:100]}")
    return failed


@pytest.mark.parametrize("name", NAMES)
def test_calls_on_each_column(name: str, workspaces: Workspaces) -> None:
    """No call of pandas raises or warns, whatever the column holds: lists, structs, nulls, large integers."""

    def calls(table: Table) -> dict[str, Callable[[], Any]]:
        frame = table.to_pandas()
        return {
            f"{column} ({frame[column].dtype}): {name}": partial(call, frame, column)
            for column in frame
            for name, call in OF_COLUMN.items()
        }

    assert failures(workspaces.path(name), calls) == []


@pytest.mark.parametrize("name", NAMES)
def test_calls_on_the_frame(name: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """Nor on the whole frame; it is written and read back, and so are our own files."""

    def calls(table: Table) -> dict[str, Callable[[], Any]]:
        frame, ours, theirs = table.to_pandas(), tmp_path / "ours.arrow", tmp_path / "theirs.parquet"
        table.write(ours)
        frame.to_parquet(theirs)
        return {
            **{name: partial(call, frame) for name, call in OF_FRAME.items()},
            "from_arrow": lambda: pd.DataFrame.from_arrow(table),
            "pyarrow": lambda: pa.table(table).to_pandas(),
            "to_pyarrow": lambda: table.to_pyarrow().to_pandas(),
            "read_feather": lambda: pd.read_feather(ours),
            "read_feather to Arrow": lambda: pd.read_feather(ours, dtype_backend="pyarrow"),
            "read_parquet": lambda: pd.read_parquet(theirs),
            "to_feather": lambda: frame.to_feather(tmp_path / "theirs.feather"),
        }

    assert failures(workspaces.path(name), calls) == []


def test_our_arrow_file_has_every_value(workspaces: Workspaces, tmp_path: Path) -> None:
    """`.arrow` has no views, which pandas cannot read in lists and enums, and every value."""
    for name in ("v270_full", "v270_quirks"):
        for _, table in tables(workspaces.path(name)):
            table.write(tmp_path / "x.arrow")
            back = pa.feather.read_table(tmp_path / "x.arrow")
            assert repr(back.to_pylist()) == repr(pa.table(table).to_pylist())
            assert "view" not in str(back.schema.types)


# --- cells ---


def cells(*values: Any, kind: pa.DataType | None = None) -> pd.Series:
    return pd.Series(CellArray(pa.array(values, kind)))


def test_lists_are_compared_by_content() -> None:
    """Equal lists are one value; a list with NaN equals itself, null is no value."""
    nan = float("nan")
    series = cells([1.0, nan], [1.0, nan], None, [], [2.0, None])
    assert series.nunique() == 3
    assert series.duplicated().tolist() == [False, True, False, False, False]
    assert series.value_counts().tolist() == [2, 1, 1]
    assert series.isin([[2.0, None]]).tolist() == [False, False, False, False, True]
    assert (series == series.copy()).tolist() == [True, True, pd.NA, True, True]
    assert isinstance(series[0], list)
    assert series[4] == [2.0, None]
    assert series[2] is pd.NA


def test_structs_are_compared_by_content() -> None:
    """So are lists of structs; they can be sorted, grouped and exploded."""
    first, second = [{"kind": "conv", "width": 1}], [{"kind": "conv", "width": None}]
    series = cells(second, first, None, second)
    assert series[1] == first
    assert series.groupby(series).size().tolist() == [1, 2]
    assert series.sort_values().tolist() == [first, second, second, pd.NA]
    assert series.explode().tolist() == [second[0], first[0], pd.NA, second[0]]
    assert cells([1, 2], [], None).explode().tolist() == [1, 2, pd.NA, pd.NA]


def test_cells_can_be_replaced() -> None:
    """A list can be put into a cell, and what does not fit is refused; the first frame does not change."""
    series = cells([1], None)
    changed = series.copy()
    changed.array[1] = [2, 3]
    assert changed.tolist() == [[1], [2, 3]]
    assert series.tolist() == [[1], pd.NA]
    with pytest.raises(TypeError, match="does not fit"):
        changed.array[0] = ["text"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2**62], "Int64"),
        (np.array([1, 2**64 - 1], dtype="uint64"), "UInt64"),
        ([0.5, 1.5], "float64"),
        (["a", "b"], "str"),
        ([True, False], "bool[pyarrow]"),
        (pd.to_datetime(["2026-03-19T00:00Z", "2026-03-20T00:00Z"]).as_unit("us"), "datetime64[us, UTC]"),
    ],
)
def test_nulls_take_the_type_of_what_they_meet(values: Any, dtype: str) -> None:
    """A parameter that is None in one experiment and not in another keeps its type and every digit."""
    nulls, others = cells(None, None), pd.Series(values)
    for order in ([nulls, others], [others, nulls]):
        both = pd.concat(order, ignore_index=True)
        assert str(both.dtype) == dtype
        assert both.isna().sum() == 2
        assert both.dropna().tolist() == others.tolist()


def test_nulls_stay_null() -> None:
    """Arithmetic and comparisons of a column of nulls give nulls, its sum is 0, numpy sees NaN."""
    nulls = cells(None, None)
    assert (nulls + 1).isna().all()
    assert (2 * nulls).isna().all()
    assert (nulls == 1).isna().all()
    assert nulls.sum() == 0
    assert nulls.mean() is pd.NA
    assert np.isnan(nulls.to_numpy(dtype=float)).all()
    assert nulls.astype(float).isna().all()
    assert nulls.nunique() == 0


def test_cells_keep_their_arrow_type() -> None:
    """A frame gives Arrow the type that it came from, also without rows."""
    kind = pa.large_list(pa.struct([("width", pa.int64()), ("name", pa.large_string())]))
    for values in ([], [None], [[{"width": 1, "name": "a"}]]):
        frame = pd.DataFrame({"x": CellArray(pa.array(values, kind))})
        assert pa.Table.from_pandas(frame).schema.field("x").type == kind
        assert frame.x.dtype == CellDtype(kind)
        assert frame.x.astype(pd.ArrowDtype(kind)).dtype == pd.ArrowDtype(kind)


def test_narwhals_takes_each_column() -> None:
    """Libraries that take frames through narwhals can ask each column for its type and its values."""
    frame = nw.from_native(pd.DataFrame({"list": cells([1], [2, 3]), "null": cells(None, None)}))
    assert frame.schema == {"list": nw.Object, "null": nw.Object}
    assert [frame[name].dtype for name in frame.columns] == [nw.Object, nw.Object]
    assert frame["list"].to_list() == [[1], [2, 3]]
