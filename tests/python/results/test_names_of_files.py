"""Names of result files, metrics and columns that no job has: a note, and what was meant."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xpframe
from small_runs import SmallRun
from xpframe import Result

FRAMES: dict[str, Callable[..., Any]] = {
    "xp_frame": xpframe.xp_frame,
    "xp_table": xpframe.xp_table,
    "scan_xp": lambda *args, **options: xpframe.scan_xp(*args, **options).collect(),
}
SERIES: dict[str, Callable[..., Any]] = {
    "xp_series": xpframe.xp_series,
    "scan_series": lambda *args, **options: xpframe.scan_series(*args, **options).collect(),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three jobs: two wrote all files, the third has not run yet."""
    run = SmallRun(tmp_path / "ws")
    for number in range(3):
        run.submit(number)
        if number < 2:
            directory = run.execute(number)
            (directory / "model.pt").unlink()
            (directory / "metrics.json").write_text(json.dumps({"loss": number}))
            (directory / "results.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
            (directory / "scores.txt").write_text("AP all 0.5\nRR@10 all 0.25\n")
    return tmp_path / "ws"


def notes(call: Callable[[], Any]) -> list[str]:
    """What a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("call", FRAMES)
def test_a_file_that_no_job_has(call: str, root: Path) -> None:
    """A name that is spelled wrong is told with what was meant, once; the file of some jobs is not."""
    read = FRAMES[call]
    told = ["no job has 'metrics.jsn' (did you mean metrics.json?)"]
    assert notes(lambda: read("grid", workspace=root, results="metrics.jsn")) == told
    several = {"a": "metrics.json", "b": "nothing-*.tsv"}
    assert notes(lambda: read("grid", workspace=root, results=several)) == ["no job has 'nothing-*.tsv'"]
    assert notes(lambda: read("grid", workspace=root, results="metrics.json")) == []


def test_columns_without_results_tell_nothing(root: Path) -> None:
    """Where no result is asked for, no file is looked for."""
    lazy = xpframe.scan_xp("grid", workspace=root, results="metrics.jsn")
    assert notes(lambda: lazy.select("job_id").collect()) == []


@pytest.mark.parametrize("call", SERIES)
def test_series_of_a_file_that_no_job_has(call: str, root: Path) -> None:
    """The same of series; a path parameter whose file no job wrote is told too."""
    read = SERIES[call]
    told = ["no job has 'resuls.csv' (did you mean results.csv?)"]
    assert notes(lambda: read("grid", "resuls.csv", workspace=root)) == told
    told = ["no job has a file of its own where its 'out' says"]
    assert notes(lambda: read("grid", "out", workspace=root)) == told
    assert notes(lambda: read("grid", "results.csv", workspace=root)) == []


@pytest.mark.parametrize("call", SERIES)
def test_metrics_that_no_file_has(call: str, root: Path) -> None:
    """Metrics are those of the files; files whose rows have names of their own are told how to choose."""
    read = SERIES[call]
    scores = Result("scores.txt", format="trec")
    told = ["no metric 'RR@1' (did you mean RR@10?)"]
    assert notes(lambda: read("grid", scores, workspace=root, metrics="RR@1")) == told
    assert notes(lambda: read("grid", scores, workspace=root, metrics="RR@*")) == []
    scores = Result("scores.txt", format="trec", columns="RR@1")
    told = ["no metric 'RR@1' (did you mean RR@10?)"]
    assert notes(lambda: read("grid", scores, workspace=root)) == told
    chosen = "columns of other files are chosen by Result('results.csv', columns=…)"
    told = [f"metrics are rows of event files and trec text; {chosen}"]
    assert notes(lambda: read("grid", "results.csv", workspace=root, metrics="loss")) == told
    told = ["'results.csv' has no column los"]
    assert notes(lambda: read("grid", Result("results.csv", columns="los"), workspace=root)) == told


def test_only_path_parameters_are_handles(root: Path) -> None:
    """A parameter that is no path is no handle: the error names those that are."""
    with pytest.raises(xpframe.errors.InvalidArgumentError) as caught:
        xpframe.xp_table("grid", workspace=root, results="n")
    assert caught.value.reason == "no path parameter 'n'"
    assert caught.value.hint == "there are out; or give a file, as metrics.json"


@pytest.mark.parametrize("call", SERIES)
def test_a_column_of_jobs_named_like_one_of_files(call: str, root: Path) -> None:
    """Two columns of one name are an error, in each backend."""
    with pytest.raises(xpframe.errors.ColumnError) as caught:
        SERIES[call]("grid", "results.csv", workspace=root, columns={"loss": "config.n"})
    assert caught.value.reason == "two columns would be called 'loss'"


def test_each_listed_handle_can_be_read(root: Path) -> None:
    """A directory that holds JSON is no handle of it: the file in it is."""
    for directory in (root / "jobs" / "lab.train").iterdir():
        if (directory / "metrics.json").exists():
            (directory / "model.pt").mkdir()
            (directory / "metrics.json").rename(directory / "model.pt" / "metrics.json")
    listed = {one.handle: (one.kind, one.files) for one in xpframe.result_files("grid", workspace=root)}
    assert listed["model.pt/metrics.json"] == ("json", 2)
    assert listed["out"] == (None, 0)
    for handle, (kind, files) in listed.items():
        if kind in {"json", "csv"}:
            table = xpframe.xp_table("grid", workspace=root, results=handle, columns="result@file")
            assert table.column_values("result@file").count("read") == files
