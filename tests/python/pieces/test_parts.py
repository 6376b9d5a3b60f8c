"""Parts of runs: pickled, read elsewhere, and put together they are the frame of one process."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import xpframe
from conftest import Workspaces, archives, references, unpack
from lazy_runs import write_runs
from reliability import effort
from xpframe.errors import ColumnError, InvalidArgumentError, MissingLibraryError, ReadError

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "lab_cifar" not in archives():
        pytest.skip("lab_cifar is not here")
    home = tmp_path_factory.mktemp("cifar")
    unpack("lab_cifar", home)
    return home / "cifar"


def assert_whole(pieces: Any, frame: pl.DataFrame) -> None:
    """The parts, each pickled, have the values of a frame, and each the types of `meta`."""
    again = pickle.loads(pickle.dumps(list(pieces)))
    tables = [part.arrow() for part in again]
    assert {table.schema for table in tables} <= {pieces.schema}
    joined = pa.concat_tables(tables) if tables else pieces.schema.empty_table()
    assert joined.column_names == frame.columns
    for name in frame.columns:
        assert str(joined[name].to_pylist()) == str(frame[name].to_list()), name
    meta = pieces.meta
    for part in again:
        pd.testing.assert_series_equal(part.pandas().dtypes, meta.dtypes)
    for part in again[:1]:
        assert part.polars().equals(pl.from_arrow(part.arrow()))


@pytest.mark.parametrize("name", references())
def test_parts_are_the_frame(name: str, workspaces: Workspaces) -> None:
    """All runs of an experiment together, in parts of three jobs."""
    root = workspaces.path(name)
    for experiment in xpframe.Workspace(root).experiments():
        options: dict[str, Any] = {"workspace": root, "run": "all", "quiet": True}
        frame = xpframe.scan_xp(experiment, **options).collect()
        assert_whole(xpframe.parts(experiment, rows=3, **options), frame)
    everything = xpframe.scan_xp("*", workspace=root, run="all", quiet=True).collect()
    assert_whole(xpframe.parts("*", workspace=root, run="all", quiet=True, rows=7), everything)


def test_results_of_a_job_that_two_runs_list(cifar: Path) -> None:
    """The second run has reused jobs of the first: their results stand in its rows alone."""
    options: dict[str, Any] = {"workspace": cifar, "run": "all", "results": {"m": "metrics.json"}}
    frame = xpframe.scan_xp("cifar", **options).collect()
    assert "later" in frame["result.m@file"].to_list()
    assert_whole(xpframe.parts("cifar", rows=6, **options), frame)
    options["run"] = "distinct"
    once = xpframe.scan_xp("cifar", **options).collect()
    assert len(once) < len(frame)
    assert_whole(xpframe.parts("cifar", rows=6, **options), once)
    options["run"] = "all"
    assert_whole(
        xpframe.parts(["cifar", "cifar-v2"], rows=100, **options),
        xpframe.scan_xp(["cifar", "cifar-v2"], **options).collect(),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"columns": ["job_id", "tags.*"]},
        {"columns": {"id": "job_id", "rate": "lr", "class": "config.model@type"}},
        {"task": "learn"},
        {"where": "lr = 0.1 and @state = 'done'"},
        {"where": "lr = 17"},
        {"task": "learn", "where": {"seed": [1, 3]}, "results": "metrics.json"},
        {"columns": ["job_id", "retries", "dependencies", "started_at"], "timezone": "Asia/Tokyo"},
    ],
)
def test_the_arguments_of_a_frame(options: dict[str, Any], cifar: Path) -> None:
    frame = xpframe.scan_xp("cifar", workspace=cifar, run="all", **options).collect()
    assert_whole(xpframe.parts("cifar", workspace=cifar, run="all", rows=5, **options), frame)


@pytest.mark.parametrize(
    "columns",
    [
        {"id": "job_id", "lr": ["config.optimizer.lr", "config.optimizer.learning_rate"]},
        {"id": "job_id", "lr": ["up.learn.tags.lr", "tags.lr"], "job": "config.trained@job"},
    ],
)
def test_columns_of_several_names_and_of_jobs_upstream(columns: dict[str, Any], cifar: Path) -> None:
    options: dict[str, Any] = {"workspace": cifar, "columns": columns}
    frame = xpframe.xp_frame(["cifar", "cifar-v2"], backend="polars", **options)
    assert 0 < frame["lr"].count() < len(frame)
    assert_whole(xpframe.parts(["cifar", "cifar-v2"], rows=7, **options), frame)


def odd_pair(root: Path) -> None:
    """Two runs that differ in types: int and float, int and text, a column less, nulls everywhere."""
    import json

    of_runs: list[dict[str, Any]] = [
        {"a": 1, "b": 1, "c": {"x": 1}, "n": None, "e": [1]},
        {"a": 1.5, "b": "t", "d": True, "n": None, "e": ["t"]},
    ]
    for number, fields in enumerate(of_runs):
        run = root / "experiments" / "odd" / f"2026010{number + 1}_000000"
        run.mkdir(parents=True)
        rows, objects = "", ""
        for job in range(3):
            identifier = f"{10 * number + job:064x}"
            rows += (
                json.dumps(
                    {"job_id": identifier, "task_id": "lab.t", "tags": {"t": fields["b"]}, "timestamp": 1.5e9}
                )
                + "\n"
            )
            about = {"id": job, "module": "lab", "type": "T", "typename": "lab.T", "identifier": identifier}
            objects += json.dumps({**about, "fields": fields if job else {}}) + "\n"
        (run / "jobs.jsonl").write_text(rows)
        (run / "objects.jsonl").write_text(objects)
    (root / ".__experimaestro__").touch()


def test_types_are_decided_over_all_runs(tmp_path: Path) -> None:
    odd_pair(tmp_path)
    options: dict[str, Any] = {"workspace": tmp_path, "run": "all"}
    pieces = xpframe.parts("odd", rows=2, **options)
    assert_whole(pieces, xpframe.scan_xp("odd", **options).collect())
    types = pieces.meta.dtypes.astype(str)
    assert types["config.a"] == "Float64"
    assert types["config.b@int"] == "Int64"
    assert types["config.b@str"] == "string"
    assert types["config.d"] == "boolean"
    assert types["config.n"] == "string"
    frame = pieces.dask().compute()
    assert (frame.dtypes.astype(str) == types).all()
    assert frame["config.d"].isna().sum() == 4


def test_a_projection_reaches_the_parts(cifar: Path) -> None:
    pieces = xpframe.parts("cifar", workspace=cifar, run="all", results="metrics.json")
    before = xpframe._core.progress_counters()
    table = pieces[0].arrow(["tags.lr", "job_id"])
    assert table.column_names == ["tags.lr", "job_id"]
    after = xpframe._core.progress_counters()
    assert after[2] == before[2], "tags need no objects"
    assert after[0] - before[0] < 5, "nor result files"
    lazily = pieces.dask()[["tags.lr"]]
    assert list(lazily.compute().columns) == ["tags.lr"]
    read = seen_columns(pieces, lambda frame: frame.groupby("tags.lr")["tags.seed"].sum())
    assert read
    assert all(set(columns) == {"tags.lr", "tags.seed"} for columns in read)


def seen_columns(pieces: Any, query: Any) -> list[Any]:
    """Which columns Dask asks of the parts."""
    import dask

    seen: list[Any] = []
    kind = type(pieces[0])
    real = kind.pandas

    def noting(self: Any, columns: Any = None) -> Any:
        seen.append(columns)
        return real(self, columns)

    kind.pandas = noting
    try:
        with dask.config.set(scheduler="synchronous"):
            query(pieces.dask()).compute()
    finally:
        kind.pandas = real
    return seen


def test_series_in_parts(cifar: Path) -> None:
    for handle, order in (("results.csv", "epoch"), ("runs/**/events.out.tfevents.*", "step")):
        options: dict[str, Any] = {"workspace": cifar, "run": "all", "columns": ["lr", "name"]}
        frame = xpframe.xp_series("cifar", handle, backend="polars", **options)
        pieces = xpframe.series_parts("cifar", handle, rows=7, **options)
        joined = pl.concat([pickle.loads(pickle.dumps(part)).polars() for part in pieces])
        assert joined.columns == frame.columns
        by = [name for name in ("job_id", "metric", order) if name in frame.columns]
        texts = pl.selectors.by_dtype(pl.Categorical).cast(pl.String)
        frame, joined = (each.with_columns(texts).sort(by) for each in (frame, joined))
        assert joined.to_dict(as_series=False) == frame.to_dict(as_series=False)
        for part in pieces:
            pd.testing.assert_series_equal(part.pandas().dtypes, pieces.meta.dtypes)
        rows = pieces.dask()
        assert len(rows) == len(frame)
        filtered = (
            xpframe.series_parts("cifar", handle, where="lr = 0.1", **options).dask()["tags.lr"].compute()
        )
        assert set(filtered) == {0.1}


def test_rows_of_a_part_have_the_names_of_all(tmp_path: Path) -> None:
    """A column has one type in a part and several in all: its name says which."""
    odd_pair(tmp_path)
    jobs = xpframe.xp_frame("odd", workspace=tmp_path, run="all", backend="polars")["job_id"].to_list()
    for job, value in zip(jobs, ['"t"', '"u"', "1", "2.5", "[1]", "null"], strict=True):
        directory = tmp_path / "jobs" / "lab.t" / job
        directory.mkdir(parents=True)
        (directory / "rows.jsonl").write_text(f'{{"v": {value}}}\n')
    options: dict[str, Any] = {"workspace": tmp_path, "run": "all"}
    frame = xpframe.xp_series("odd", "rows.jsonl", backend="polars", **options)
    assert {name for name in frame.columns if name.startswith("v@")} >= {"v@str", "v@list"}
    pieces = xpframe.series_parts("odd", "rows.jsonl", rows=1, **options)
    joined = pa.concat_tables([part.arrow() for part in pieces])
    for name in frame.columns:
        assert str(joined[name].to_pylist()) == str(frame[name].to_list()), name


def test_a_run_that_grew_or_was_replaced(tmp_path: Path) -> None:
    from lazy_runs import append_job

    write_runs(tmp_path, 2, 10)
    run = min((tmp_path / "experiments" / "grid").iterdir())
    pieces = xpframe.parts("grid", workspace=tmp_path, run="all", rows=4)
    expected = [part.arrow() for part in pieces]
    append_job(run, 0, 10)
    assert [part.arrow() for part in pieces] == expected
    lines = (run / "jobs.jsonl").read_text().splitlines(keepends=True)
    (run / "jobs.jsonl").write_text("".join(lines[:5]))
    with pytest.raises(
        ReadError, match=r"had 10 jobs when its parts were made, and has fewer now \(make the parts"
    ):
        pa.concat_tables([part.arrow() for part in pieces])
    shutil.rmtree(run)
    with pytest.raises(xpframe.XpFrameError):
        pa.concat_tables([part.arrow() for part in pieces])


def test_refused(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rows in (0, -1, True, "3"):
        with pytest.raises(InvalidArgumentError, match=f"rows={rows!r}"):
            xpframe.parts("cifar", workspace=cifar, rows=rows)  # type: ignore[arg-type, unused-ignore]
    with pytest.raises(ColumnError):
        xpframe.parts("cifar", workspace=cifar, columns="nothing")
    part = xpframe.parts("cifar", workspace=cifar)[0]
    with pytest.raises(InvalidArgumentError, match="of another version of xpframe, or damaged"):
        xpframe._core.plan_scan(
            [xpframe._core.open_run(part.path)],
            part.recipe.request(["job_id"]),
            several_runs=True,
            keep_bytes=0,
            paths=b"xpframe paths 0\n3\t3\n",
        )
    monkeypatch.setitem(__import__("sys").modules, "dask.dataframe", None)
    with pytest.raises(MissingLibraryError, match=r"\.dask\(\) needs dask.*pip install 'xpframe\[dask\]'"):
        xpframe.parts("cifar", workspace=cifar).dask()


# --- Dask ---

RUNS, JOBS = effort(8, 64), effort(500, 20_000)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 runs of 20,000 jobs where the effort is full, fewer elsewhere."""
    root = tmp_path_factory.mktemp("many")
    write_runs(root, RUNS, JOBS)
    return root


def expected_groups(root: Path) -> pl.DataFrame:
    query = xpframe.scan_xp("grid", workspace=root, run="all", quiet=True)
    grouped = query.group_by("tags.of_run").agg(pl.col("config.rate").sum(), pl.len().alias("n"))
    return grouped.sort("tags.of_run").collect()


def groups(frame: Any) -> list[tuple[Any, ...]]:
    grouped = (
        frame.groupby("tags.of_run").agg({"config.rate": "sum", "job_id": "count"}).compute().sort_index()
    )
    return [tuple(row) for row in grouped.reset_index().itertuples(index=False)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_one_process_threads_and_two_workers_agree(many: Path) -> None:
    """Group and filter; a worker that is killed in the middle costs time, not rows."""
    import dask
    from distributed import Client, LocalCluster

    started = time.perf_counter()
    expected = expected_groups(many).rows()
    alone = time.perf_counter() - started
    started = time.perf_counter()
    pieces = xpframe.parts("grid", workspace=many, run="all", rows=JOBS, quiet=True)
    made = time.perf_counter() - started
    assert len(pieces) == RUNS
    frame = pieces.dask()
    with dask.config.set(scheduler="threads"):
        started = time.perf_counter()
        assert groups(frame) == expected
        threads = time.perf_counter() - started
    wanted = xpframe.scan_xp("grid", workspace=many, run="all", where="size < 3", quiet=True).collect()
    started = time.perf_counter()
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        start = time.perf_counter() - started
        started = time.perf_counter()
        assert groups(frame) == expected
        workers = time.perf_counter() - started
        small = frame[frame["tags.size"] < 3].compute()
        assert sorted(small["job_id"]) == sorted(wanted["job_id"])
        assert (small.dtypes == pieces.meta.dtypes).all()
        pids = list(client.run(os.getpid).values())
        assert len(set(pids)) == 2
        future = client.compute(frame.groupby("tags.of_run").agg({"config.rate": "sum", "job_id": "count"}))
        time.sleep(0.05)
        os.kill(pids[0], signal.SIGKILL)
        survived = future.result(timeout=120).sort_index().reset_index()
        assert [tuple(row) for row in survived.itertuples(index=False)] == expected
    print(
        f"{RUNS} runs of {JOBS:,} jobs: one process {alone:.2f} s; parts {made:.2f} s, then group by threads "
        f"{threads:.2f} s, by two workers {workers:.2f} s (start {start:.1f} s)"
    )
