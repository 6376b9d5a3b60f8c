"""Parts have the values of one process and the types of `meta`, whatever the columns and the runs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import xpframe
from kinds_of_columns import write_world
from reliability import effort

pytestmark = pytest.mark.slow

WORLDS, TOGETHER = effort(12, 400), 4
# the arguments, but for those of the runs; what names no column of a workspace is left out
COLUMNS: list[dict[str, Any]] = [
    {},
    {"columns": ["*", "retries", "exit_code", "dependencies"]},
    {"columns": {"id": "job_id", "rate": ["lr", "learning_rate"]}},
    {"columns": {"rate": ["config.lr", "config.learning_rate", "tags.lr"], "run": "run"}},
    {"columns": ["job_id", "up.learn.*"]},
    {"columns": {"id": "job_id", "size": "up.learn.config.size", "rate": "up.learn.tags.lr"}},
    {
        "columns": [
            "job_id",
            "trained@job",
            "trained@job.state",
            "trained@job.config.lr",
            "trained@job.tags.*",
        ]
    },
    {"columns": ["task", "model@type", "model@id", "config.model.*"]},
    {"columns": "tags.*"},
    {"results": "metrics.json"},
    {"results": {"m": "metrics.json", "c": "rows.csv"}},
    {"columns": ["job_id", "result.*"], "results": "metrics.json"},
    {"columns": ["job_id", "up.learn.result.loss", "up.learn.result.*"], "results": "metrics.json"},
    {"columns": ["result.loss"], "results": "metrics.json"},
    {"results": "out"},
    {"columns": ["task", "up.learn.result.*", "up.learn.failure", "exit_code"], "results": {"o": "out"}},
]
ROWS: list[dict[str, Any]] = [
    {},
    {"task": "learn"},
    {"task": "evaluate"},
    {"where": "@state = 'done'"},
    {"where": "@name = 'lab.learn'"},
]
SERIES: list[tuple[str, dict[str, Any]]] = [
    ("rows.jsonl", {}),
    ("rows.csv", {"columns": ["tags.*", "config.lr*"]}),
    ("*.jsonl", {"columns": {"rate": ["lr", "learning_rate"], "state": "state"}}),
    ("rows.*", {"columns": ["up.learn.config.*", "task"]}),
    ("rows.jsonl", {"columns": ["trained@job", "trained@job.*", "failure"]}),
    ("out", {"columns": ["config.kind*"]}),
]


def frame_or_error(call: Any) -> Any:
    """What a call gives, or the class of its error."""
    try:
        return call()
    except xpframe.XpFrameError as error:
        return (type(error).__name__,)


def assert_types(pieces: Any, parts: list[Any]) -> None:
    """Arrow, polars and pandas: the types of a part are those of every other, and of `meta`."""
    schema, meta = pieces.schema, pieces.meta
    of_polars = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
    for part in parts:
        assert part.arrow().schema.equals(schema, check_metadata=True)
        assert part.polars().schema == of_polars
        frame = part.pandas()
        pd.testing.assert_series_equal(frame.dtypes, meta.dtypes)
        assert isinstance(frame.index, pd.RangeIndex)


def plain(value: Any) -> str:
    """A value as text, alike for each way that it is held."""
    return repr(value.to_list() if isinstance(value, pl.Series) else value)


def assert_cells(pieces: Any, parts: list[Any], frame: pl.DataFrame) -> None:
    """Parts one after another are the frame, whether joined by Arrow, polars, pandas or Dask."""
    table = pa.concat_tables([pieces.schema.empty_table(), *(part.arrow() for part in parts)])
    assert table.column_names == frame.columns
    of_polars = pl.concat([part.polars() for part in parts]) if parts else None
    of_pandas = pd.concat([part.pandas() for part in parts]) if parts else pieces.meta
    for name in frame.columns:
        expected = [plain(value) for value in frame[name].to_list()]
        assert [plain(value) for value in table[name].to_pylist()] == expected, name
        if of_polars is not None:
            assert [plain(value) for value in of_polars[name].to_list()] == expected, name
        assert of_pandas[name].isna().to_list() == frame[name].is_null().to_list(), name
        back = pa.Table.from_pandas(of_pandas[[name]], preserve_index=False)[name]
        assert [plain(value) for value in back.to_pylist()] == expected, name


def compare(experiments: Any, rows: int, options: dict[str, Any]) -> int:
    """Compares parts with the eager frame of the same arguments; gives the number of columns."""
    frame = frame_or_error(lambda: xpframe.xp_frame(experiments, backend="polars", quiet=True, **options))
    lazy = frame_or_error(lambda: xpframe.scan_xp(experiments, quiet=True, **options).collect())
    pieces = frame_or_error(lambda: xpframe.parts(experiments, rows=rows, quiet=True, **options))
    if isinstance(frame, tuple):
        assert pieces == frame
        return 0
    parts = pickle.loads(pickle.dumps(list(pieces)))
    assert_types(pieces, parts)
    # a scan always has the columns that tell runs apart
    assert set(lazy.columns) - set(frame.columns) <= {"experiment", "run"}
    for name in frame.columns:
        assert lazy[name].dtype == frame[name].dtype
        assert plain(lazy[name]) == plain(frame[name]), name
    assert_cells(pieces, parts, frame)
    for names in (frame.columns[:1], frame.columns[::-2]):
        for part in parts:
            some, all_columns = part.arrow(names), part.arrow()
            assert some.schema == all_columns.select(names).schema
            assert plain(some.to_pylist()) == plain(all_columns.select(names).to_pylist())
            pd.testing.assert_series_equal(part.pandas(names).dtypes, pieces.meta[names].dtypes)
    return frame.width


def compare_series(experiments: Any, handle: str, rows: int, options: dict[str, Any]) -> int:
    """The same for the rows that jobs wrote."""
    frame = frame_or_error(lambda: xpframe.xp_series(experiments, handle, backend="polars", **options))
    pieces = frame_or_error(lambda: xpframe.series_parts(experiments, handle, rows=rows, **options))
    if isinstance(frame, tuple):
        assert pieces == frame
        return 0
    parts = pickle.loads(pickle.dumps(list(pieces)))
    assert_types(pieces, parts)
    assert_cells(pieces, parts, frame)
    return len(frame)


@pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")
@pytest.mark.parametrize("first", range(0, WORLDS, TOGETHER))
def test_any_columns_of_any_runs(first: int, tmp_path: Path) -> None:
    compared = 0
    for seed in range(first, first + TOGETHER):
        names = write_world(tmp_path / str(seed), seed)
        for number, columns in enumerate(COLUMNS):
            run = ("all", "latest", "distinct")[(seed + number) % 3]
            rows = ROWS[(seed // 3 + number) % len(ROWS)]
            experiments = names if (seed + number) % 2 else names[0]
            options = {"workspace": tmp_path / str(seed), "run": run, **columns, **rows}
            compared += compare(experiments, 1 + (seed + number) % 4, options)
    assert compared > 200


@pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")
@pytest.mark.parametrize("first", range(0, WORLDS, TOGETHER))
def test_any_rows_that_jobs_wrote(first: int, tmp_path: Path) -> None:
    compared = 0
    for seed in range(first, first + TOGETHER):
        names = write_world(tmp_path / str(seed), seed)
        for number, (handle, columns) in enumerate(SERIES):
            rows = ROWS[(seed + number) % len(ROWS)]
            options = {"workspace": tmp_path / str(seed), "run": "all", "quiet": True, **columns, **rows}
            compared += compare_series(names, handle, 1 + (seed + number) % 4, options)
    assert compared > 20
