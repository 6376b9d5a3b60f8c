"""Results of real packages against independent readers: TensorBoard's own loader, json, loops over lines."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

from conftest import archives, unpack
from xpframe import result_files, scan_series, xp_frame, xp_series

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.errors.XpFrameWarning")

Points = list[tuple[float, int, float]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`lab_cifar` and `pkg_ir`, unpacked as `cifar` and `ir`."""
    folder = tmp_path_factory.mktemp("results")
    for name in ("lab_cifar", "pkg_ir"):
        if name not in archives():
            pytest.skip(f"{name} is not here")
        unpack(name, folder)
    return folder


def jobs(workspace: Path, name: str, **options: Any) -> dict[str, Path]:
    """The directories of the jobs of an experiment."""
    frame = xp_frame(name, workspace=workspace, columns=["job_id", "path"], **options)
    return {job: Path(path) for job, path in zip(frame["job_id"], frame["path"], strict=True)}


def points_of_tensorboard(directory: Path) -> dict[str, Points]:
    """All scalars of a run directory, as TensorBoard loads them."""
    everything = EventAccumulator(str(directory), size_guidance={"scalars": 0, "tensors": 0})
    everything.Reload()
    tags = everything.Tags()
    assert not tags["tensors"]
    return {tag: [(p.wall_time, p.step, p.value) for p in everything.Scalars(tag)] for tag in tags["scalars"]}


@pytest.mark.parametrize(
    ("folder", "name", "handle"), [("cifar", "cifar", "runs/*"), ("ir", "toy-ir", "logpath")]
)
def test_scalars_are_those_of_tensorboard(home: Path, folder: str, name: str, handle: str) -> None:
    """Every tag of every run directory of every job, point by point."""
    frame = xp_series(name, handle, workspace=home / folder, backend="polars")
    frame = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    compared = 0
    for job, path in jobs(home / folder, name).items():
        of_job = frame.filter(pl.col("job_id") == job)
        directories = {file.parent for file in path.rglob("*tfevents*")}
        assert bool(directories) == bool(of_job.height)
        expected: dict[str, dict[str, Points]] = {
            directory.relative_to(path).as_posix(): points_of_tensorboard(directory)
            for directory in directories
        }
        expected = {directory: tags for directory, tags in expected.items() if tags}
        read: dict[str, dict[str, Points]] = defaultdict(lambda: defaultdict(list))
        for row in of_job.iter_rows(named=True):
            point = (row["wall_time"], row["step"], row["value"])
            read[row.get("file") or next(iter(expected))][row["metric"]].append(point)
        assert {directory: dict(tags) for directory, tags in read.items()} == expected
        compared += sum(len(points) for tags in expected.values() for points in tags.values())
    print(f"{compared} points")
    assert compared > {"cifar": 150, "toy-ir": 20}[name]


def test_detailed_is_each_line_of_the_text(home: Path) -> None:
    """Measure, query and value of each line of `detailed`, in order."""
    frame = xp_series("toy-ir", "detailed", workspace=home / "ir", backend="polars", task="evaluate")
    compared = 0
    for job, path in jobs(home / "ir", "toy-ir", task="evaluate").items():
        lines = [line.split() for line in (path / "detailed.dat").read_text().splitlines()]
        expected = [(measure, query, float(value)) for measure, query, value in lines]
        rows = frame.filter(pl.col("job_id").cast(pl.String) == job)
        assert rows.select("measure", "query", "value").rows() == expected
        compared += len(expected)
    assert compared > 100


def test_info_of_listeners_is_json(home: Path) -> None:
    """A path in a list of configs: `listeners[*].info` is read as json reads it."""
    frame = xp_frame("toy-ir", workspace=home / "ir", results="listeners[*].info", backend="polars")
    compared = 0
    for row in frame.filter(pl.col("result@file") == "read").iter_rows(named=True):
        (file,) = Path(row["path"]).glob("out/listeners/0/info.json")
        for measure, entry in json.loads(file.read_text()).items():
            for key, value in entry.items():
                assert row[f"result.{measure}.{key}"] == value
                compared += 1
    assert compared == 8


def test_metrics_of_each_job_are_json(home: Path) -> None:
    """metrics.json of `cifar`, key by key with its type."""
    frame = xp_frame("cifar", workspace=home / "cifar", results="metrics.json", backend="polars")
    compared = 0
    for row in frame.iter_rows(named=True):
        file = Path(row["path"]) / "metrics.json"
        assert row["result@file"] == ("read" if file.exists() else "missing")
        if not file.exists():
            continue
        stack = [("result", json.loads(file.read_text()))]
        while stack:
            name, value = stack.pop()
            if isinstance(value, dict):
                stack += [(f"{name}.{key}", inner) for key, inner in value.items()]
            else:
                assert (row[name], type(row[name])) == (value, type(value))
                compared += 1
    assert compared > 40


# --- what the public analyses do in 55, 56 and 77 lines, in one call and at most two lines ---


def test_analysis_of_the_demo(home: Path) -> None:
    """A row a job with its tags and what it wrote, then the mean by learning rate: one call, one line."""
    frame = xp_frame("cifar", workspace=home / "cifar", task="evaluate", results="metrics.json")
    means = frame.groupby(["tags.name", "tags.lr"])["result.test.accuracy"].mean()

    rows = []
    tags = xp_frame("cifar", workspace=home / "cifar", task="evaluate", columns=["path", "tags.*"])
    for _, job in tags.iterrows():
        file = Path(job["path"]) / "metrics.json"
        if file.exists():
            rows.append({"name": job["tags.name"], "lr": job["tags.lr"], **json.loads(file.read_text())})
    expected = pd.json_normalize(rows).groupby(["name", "lr"])["test.accuracy"].mean()
    assert len(expected) >= 4
    # a cell whose jobs all failed is null here, and the loop has none
    assert means.dropna().to_list() == expected.to_list()
    assert [tuple(key) for key in means.dropna().index] == [tuple(key) for key in expected.index]


def test_evaluations_of_xpmir(home: Path) -> None:
    """`to_dataframe`: the measures of each evaluation, with the tags of its run."""
    columns = ["tags.*", "result.*"]
    frame = xp_frame("toy-ir", workspace=home / "ir", task="evaluate", results="aggregated", columns=columns)

    measures: list[dict[str, float]] = []
    for path in jobs(home / "ir", "toy-ir", task="evaluate").values():
        lines = (line.split() for line in (path / "aggregated.txt").read_text().splitlines())
        measures.append({f"result.{m}": float(value) for m, query, value in lines if query == "all"})
    expected = pd.DataFrame(measures)
    assert len(expected) == 8
    pd.testing.assert_frame_equal(
        frame[list(expected)].astype("float64"), expected, check_dtype=False, check_index_type=False
    )


def test_measures_by_query_of_mice(home: Path) -> None:
    """Each query's measures, averaged over the evaluations of a model: one call and two lines."""
    rows = scan_series("toy-ir", "detailed", workspace=home / "ir", task="evaluate", columns=["tags.model"])
    means = rows.group_by("tags.model", "measure", "query").agg(pl.col("value").mean()).collect()
    means = means.with_columns(pl.col(pl.Categorical).cast(pl.String)).sort("tags.model", "measure", "query")

    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    tags = xp_frame("toy-ir", workspace=home / "ir", task="evaluate", columns=["path", "tags.model"])
    for _, job in tags.iterrows():
        for line in (Path(job["path"]) / "detailed.dat").read_text().splitlines():
            measure, query, value = line.split()
            values[job["tags.model"], measure, query].append(float(value))
    assert len(values) > 20
    assert [row[:3] for row in means.rows()] == sorted(values)
    for *key, mean in means.rows():
        some = values[key[0], key[1], key[2]]
        assert mean == pytest.approx(sum(some) / len(some))


def test_discovery_names_the_handles_of_packages(home: Path) -> None:
    """What a user of the packages types next is listed: parameters by name, with kinds and counts."""
    found = {file.handle: file for file in result_files("toy-ir", workspace=home / "ir")}
    assert (found["aggregated"].jobs, found["detailed"].jobs) == (8, 8)
    assert (found["logpath"].kind, found["logpath"].jobs) == ("tensorboard", 2)
    assert found["listeners[*].info"].kind == "json"
