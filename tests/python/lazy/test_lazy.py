"""Lazy queries: what they see, what they say, and what they refuse."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import xpframe
from lazy_runs import append_job, job_id, run_id, write_run, write_runs
from xpframe.errors import (
    ColumnError,
    ExperimentNotFoundError,
    FormatError,
    InvalidArgumentError,
    RunNotFoundError,
    TooManyColumnsError,
    WorkspaceNotFoundError,
)

if TYPE_CHECKING:
    from conftest import Workspaces

ENGINES = ("streaming", "in-memory")


def python(code: str, *arguments: str, **environment: str) -> str:
    """The output of a fresh interpreter."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """A workspace with three runs of two jobs."""
    return write_runs(tmp_path / "ws", 3, 2)


# --- What a second collect sees ---


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("keep_bytes", [0, 1 << 30])
def test_second_collect_sees_appended_jobs(grid: Path, engine: Any, keep_bytes: int) -> None:
    """A job that was appended between two collects of the same LazyFrame is in the second."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all", keep_bytes=keep_bytes)
    query = scan.filter(pl.col("config.rate") >= 0).select("job_id", "config.model.name", "tags.size")
    assert query.collect(engine=engine).height == 6
    append_job(grid / "experiments" / "grid" / run_id(1), 1, 2)
    second = query.collect(engine=engine)
    assert second.height == 7
    assert second.row(4) == (job_id(1, 2), "m1", 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_second_collect_sees_new_runs(grid: Path, engine: Any) -> None:
    """`run="all"` and globs mean the runs and experiments that there are when collected."""
    scan = xpframe.scan_xp("*", workspace=grid, run="all").select("experiment", "run")
    assert scan.collect(engine=engine).height == 6
    write_run(grid, 8, 1)
    write_run(grid, 9, 1, experiment="other")
    second = scan.collect(engine=engine)
    assert second.rows()[-2:] == [("grid", run_id(8)), ("other", run_id(9))]
    assert second.height == 8


@pytest.mark.parametrize("engine", ENGINES)
def test_second_collect_follows_the_latest_run(grid: Path, engine: Any) -> None:
    """`run="latest"` is the latest run when collected."""
    scan = xpframe.scan_xp("grid", workspace=grid)
    assert scan.collect(engine=engine)["tags.of_run"].to_list() == [2, 2]
    write_run(grid, 5, 1)
    assert scan.collect(engine=engine)["tags.of_run"].to_list() == [5]


@pytest.mark.parametrize("engine", ENGINES)
def test_second_collect_has_new_columns(grid: Path, engine: Any) -> None:
    """The columns are those of the moment: new ones come, and a column takes the type of all its values."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        scan.select("tags.note").collect(engine=engine)
    assert scan.collect_schema()["tags.size"] == pl.Int64
    append_job(grid / "experiments" / "grid" / run_id(0), 0, 2, fields={"steps": 7}, note="new", size=0.5)
    second = scan.collect(engine=engine)
    assert second["tags.note"].to_list() == [None, None, "new", None, None, None, None]
    assert second["config.steps"].drop_nulls().to_list() == [7]
    assert second["tags.size"].to_list() == [0.0, 1.0, 0.5, 0.0, 1.0, 0.0, 1.0]
    assert_frame_equal(second, xpframe.xp_frame("grid", workspace=grid, run="all", backend="polars"))


@pytest.mark.parametrize("engine", ENGINES)
def test_second_collect_sees_states(grid: Path, engine: Any) -> None:
    """A job that ended between two collects has its new state, though no file of its run changed."""
    scan = xpframe.scan_xp("grid", workspace=grid).select("state")
    before = scan.collect(engine=engine)["state"].to_list()
    directory = grid / "jobs" / "lab.train" / job_id(2, 0)
    directory.mkdir(parents=True)
    (directory / "train.done").touch()
    after = scan.collect(engine=engine)["state"].to_list()
    assert before[0] != "done"
    assert after == ["done", before[1]]


def test_unchanged_files_are_not_read_again(grid: Path) -> None:
    """What was read to know the columns serves every later query of the same LazyFrame."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    scan.collect()
    assert xpframe.last_read().files == 6
    scan.filter(pl.col("tags.size") == 1).collect()
    read = xpframe.last_read()
    assert (read.files, read.bytes, read.objects, read.jobs) == (0, 0, 0, 3)


def test_older_layout_is_seen_to_change(workspaces: Workspaces, tmp_path: Path) -> None:
    """Before 2.0 links are the list of jobs: one that is new is in the second collect."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v1161_full"), root, symlinks=True)
    state = root / "xp" / "grid-search" / "state.json"
    scan = xpframe.scan_xp("grid-search", workspace=root).select("job_id")
    first = scan.collect()
    state.unlink()
    link = next(path for path in (root / "xp" / "grid-search" / "jobs").glob("*/*") if path.is_symlink())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        assert scan.collect().height == first.height > 1
        link.unlink()
        assert scan.collect().height == first.height - 1


def test_jobs_bak_is_seen_to_change(workspaces: Workspaces, tmp_path: Path) -> None:
    """A 1.x run without state.json gets a job in `jobs.bak` later: an old LazyFrame sees it."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v1161_full"), root, symlinks=True)
    run = root / "xp" / "grid-search"
    (run / "state.json").unlink()
    link = next(path for path in (run / "jobs").glob("*/*") if path.is_symlink())
    backup = run / "jobs.bak" / link.parent.name
    backup.mkdir(parents=True)
    target = link.readlink()
    link.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        scan = xpframe.scan_xp("grid-search", workspace=root).select("job_id")
        before = scan.collect()["job_id"].to_list()
        (backup / link.name).symlink_to(target)
        after = scan.collect()["job_id"].to_list()
        assert set(after) - set(before) == {link.name}
        assert set(after) == set(xpframe.xp_table("grid-search", workspace=root).column_values("job_id"))


# --- Warnings and errors ---


def break_a_line(grid: Path) -> None:
    path = grid / "experiments" / "grid" / run_id(1) / "objects.jsonl"
    path.write_text(path.read_text() + '{"id": 99, "fields": {\n')


@pytest.mark.parametrize("engine", ENGINES)
def test_warning_once_a_collect(grid: Path, engine: Any) -> None:
    """What could not be read is told in one warning a collect, and again by the next."""
    break_a_line(grid)
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert scan.collect(engine=engine).height == 6
        told = [warning.message for warning in caught]
        assert len(told) == 1
        assert isinstance(told[0], xpframe.XpFrameWarning)
        assert [error.line for error in told[0].errors] == [5]


@pytest.mark.parametrize("engine", ENGINES)
def test_strict_raises_through_collect(grid: Path, engine: Any) -> None:
    """With `strict=True` the error comes out of collect as our own, with file and line."""
    break_a_line(grid)
    scan = xpframe.scan_xp("grid", workspace=grid, run="all", strict=True)
    with pytest.raises(FormatError) as caught:
        scan.collect(engine=engine)
    assert caught.value.line == 5
    assert run_id(1) in str(caught.value.file)
    assert scan.filter(pl.col("run") != run_id(1)).collect(engine=engine).height == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_warnings_as_errors_come_out(grid: Path, engine: Any) -> None:
    """Where warnings are errors, collect raises them."""
    break_a_line(grid)
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(xpframe.XpFrameWarning, match="could not be read"):
            scan.collect(engine=engine)


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"columns": "nonsense"}, ColumnError, "nonsense"),
        ({"columns": {"x": "config.ratee"}}, ColumnError, "config.rate"),
        ({"max_columns": 2}, TooManyColumnsError, "2"),
        ({"task": "tran"}, InvalidArgumentError, "train"),
        ({"run": "20250101_000000"}, RunNotFoundError, "20250101_000000"),
        ({"timezone": "Mars/Olympus"}, InvalidArgumentError, "Mars/Olympus"),
        ({"workspace": []}, InvalidArgumentError, "workspace"),
        ({"workspace": "/nowhere/at/all"}, WorkspaceNotFoundError, "nowhere"),
        ({"experiment": "gird"}, ExperimentNotFoundError, "grid"),
        ({"experiment": "x*"}, ExperimentNotFoundError, "x\\*"),
        ({"experiment": []}, InvalidArgumentError, "experiment"),
        ({"experiment": 3}, InvalidArgumentError, "3"),
    ],
)
def test_errors_come_at_once(grid: Path, options: dict[str, Any], kind: type[Exception], text: str) -> None:
    """What cannot be meant is refused by `scan_xp` itself, not by a later collect."""
    asked: dict[str, Any] = {"experiment": "grid", "workspace": grid, "run": "all"} | options
    with pytest.raises(kind, match=text):
        xpframe.scan_xp(**asked)


@pytest.mark.parametrize("engine", ENGINES)
def test_later_errors_keep_their_type(grid: Path, engine: Any) -> None:
    """Where the columns cannot be decided any more, collect raises our own error; and recovers."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all", columns=["job_id", "config.rate"])
    away = grid.rename(grid.with_name("away"))
    with pytest.raises(WorkspaceNotFoundError, match="ws"):
        scan.collect(engine=engine)
    away.rename(grid)
    assert scan.collect(engine=engine).height == 6


@pytest.mark.parametrize("engine", ENGINES)
def test_a_filter_that_fails_fails_as_in_polars(grid: Path, engine: Any) -> None:
    """A filter that raises while it chooses runs raises from collect, as on the frame."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    failing = pl.col("run").str.to_integer() > 0
    with pytest.raises(pl.exceptions.PolarsError, match="integer parsing failed"):
        scan.filter(failing).collect(engine=engine)


# --- Which runs are meant ---


def test_several_workspaces(tmp_path: Path) -> None:
    """A list of workspaces gives the rows of all, a column `workspace`, and filters on it choose runs."""
    roots = [write_runs(tmp_path / name, 2, 2) for name in ("a", "b")]
    write_run(roots[1], 7, 1, experiment="only-b")
    scan = xpframe.scan_xp("grid", workspace=roots, run="all")
    frame = scan.collect()
    assert frame.columns[:3] == ["workspace", "experiment", "run"]
    assert frame["workspace"].to_list() == [str(roots[0])] * 4 + [str(roots[1])] * 4
    one = scan.filter(pl.col("workspace") == str(roots[1])).collect()
    assert one.height == 4
    assert (xpframe.last_read().runs, xpframe.last_read().all_runs) == (2, 4)
    eager = xpframe.xp_frame("grid", workspace=roots, run="all", backend="polars")
    assert_frame_equal(frame, eager)
    everywhere = xpframe.scan_xp(["grid", "only-*"], workspace=roots).collect()
    assert everywhere["experiment"].to_list() == ["grid"] * 4 + ["only-b"]
    with pytest.raises(ExperimentNotFoundError, match="only-b"):
        xpframe.scan_xp("onlyb", workspace=roots)


def test_one_workspace_in_a_list(grid: Path) -> None:
    """A list of one workspace is several runs, of one workspace."""
    frame = xpframe.scan_xp("grid", workspace=[grid]).collect()
    assert frame.columns[:2] == ["experiment", "run"]
    assert frame.height == 2


def test_what_is_named_twice_is_read_once(grid: Path, tmp_path: Path) -> None:
    """A workspace that is named twice, by a link too, and a run that is, have each job once."""
    (tmp_path / "link").symlink_to(grid)
    twice: list[dict[str, Any]] = [
        {"workspace": [grid, grid]},
        {"workspace": [grid, tmp_path / "link"]},
        {"workspace": grid, "run": [run_id(2), run_id(2)]},
    ]
    for options in twice:
        frame = xpframe.scan_xp("grid", **options).collect()
        assert frame["job_id"].to_list() == [job_id(2, 0), job_id(2, 1)]
        assert_frame_equal(xpframe.xp_frame("grid", backend="polars", **options), frame)


def test_globs_pass_over_experiments_without_runs(grid: Path) -> None:
    """An experiment that has no run is left out of what a glob means, and an error where it is named."""
    (grid / "experiments" / "begun").mkdir()
    assert xpframe.scan_xp("*", workspace=grid).collect()["experiment"].to_list() == ["grid"] * 2
    assert xpframe.scan_xp("b*", workspace=grid).collect().height == 0
    for named in ("begun", ["g*", "begun"]):
        with pytest.raises(RunNotFoundError, match="begun"):
            xpframe.scan_xp(named, workspace=grid)


def test_path_of_a_run(grid: Path) -> None:
    """A run directory, as a path or as text, is one run."""
    path = grid / "experiments" / "grid" / run_id(1)
    for experiment in (path, str(path)):
        frame = xpframe.scan_xp(experiment).collect()
        assert frame["tags.of_run"].to_list() == [1, 1]
        assert "run" not in frame.columns


@pytest.mark.parametrize("given", ["ws", "ws/experiments/grid/20260101_000001"])
def test_directory_may_change(grid: Path, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which workspace is meant is settled by `scan_xp`: a later change of directory changes nothing."""
    monkeypatch.chdir(grid.parent)
    scan = xpframe.scan_xp(given) if "/" in given else xpframe.scan_xp("grid", workspace=given)
    monkeypatch.chdir("/")
    assert scan.collect().height == 2


def test_renamed_columns_are_not_mistaken(workspaces: Workspaces) -> None:
    """A column that got the name of another by `columns=` is filtered by its own values."""
    chosen = {"experiment": "task", "run": "experiment", "job_id": "run", "task": "job_id", "x": "run"}
    options: dict[str, Any] = {"workspace": workspaces.path("v270_full"), "run": "all", "columns": chosen}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        eager = xpframe.xp_frame("*", backend="polars", **options)
        scan = xpframe.scan_xp("*", **options)
        for name in chosen:
            value = eager[name][20]
            found = scan.filter(pl.col(name) == value).collect()
            assert found.height >= 1
            assert_frame_equal(found, eager.filter(pl.col(name) == value))
        scan.filter(pl.col("run") == "quick").collect()
    assert xpframe.last_read().runs == 4


def test_names_of_columns_that_are_chosen(grid: Path) -> None:
    """`columns=` and `task=` mean what they mean for `xp_frame`."""
    options: dict[str, Any] = {"workspace": grid, "run": "all", "task": "train"}
    for columns in ("tags.*", ["rate", "state"], {"lr": "config.rate", "size": "tags.size"}):
        eager = xpframe.xp_frame("grid", backend="polars", columns=columns, **options)
        assert_frame_equal(xpframe.scan_xp("grid", columns=columns, **options).collect(), eager)
        assert eager.height == 6


# --- polars ---


def test_explain_tells_what_is_asked(grid: Path) -> None:
    """The plan names xpframe, the experiment, the columns and the filter that reach it."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    plan = scan.filter(pl.col("tags.size") > 0).select("job_id").explain()
    assert "PYTHON[xpframe] SCAN" in plan
    assert "PROJECT 2/" in plan
    assert 'SELECTION: col("tags.size") > 0' in plan
    assert "grid, run=all" in plan


def test_pickles(grid: Path) -> None:
    """A LazyFrame goes through pickle as its question: what was read stays, and is read anew."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    query = scan.filter(pl.col("tags.size") == 1).select("run", "config.rate")
    expected = query.collect()
    pickled = pickle.dumps(query)
    assert len(pickled) < 20_000
    assert_frame_equal(pickle.loads(pickled).collect(), expected)
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).collect().rows())"
    assert python(code, pickled.hex()).strip() == str(expected.rows())


def test_sinks_to_files(grid: Path, tmp_path: Path) -> None:
    """A query streams to a file, and comes back the same."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all")
    scan.sink_parquet(tmp_path / "grid.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "grid.parquet"), scan.collect())


def test_many_queries_at_once(grid: Path) -> None:
    """Queries of one scan that run at the same time do not disturb each other."""
    scan = xpframe.scan_xp("grid", workspace=grid, run="all", keep_bytes=0)
    queries = [scan.filter(pl.col("tags.of_run") == at % 3).select("tags.of_run") for at in range(24)]
    found = pl.collect_all(queries)
    assert [frame["tags.of_run"].to_list() for frame in found] == [[at % 3] * 2 for at in range(24)]


VERSIONS = """
import sys, types
{setup}
import xpframe
try:
    xpframe.scan_xp("grid-search", workspace=xpframe.sample_workspace())
except xpframe.errors.MissingLibraryError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("setup", "text"),
    [
        ("sys.modules['polars'] = None", "polars is not installed"),
        (
            "sys.modules['polars'] = old = types.ModuleType('polars'); old.__version__ = '1.44.2'",
            "polars 1.44.2 is installed",
        ),
    ],
)
def test_missing_polars(setup: str, text: str) -> None:
    """Without polars, or with one that is too old, the error says what is there and what to install."""
    said = python(VERSIONS.format(setup=setup))
    assert "polars 2 or later" in said
    assert text in said
    assert "pip install 'xpframe[polars]'" in said


def test_needs_no_other_library() -> None:
    """A lazy query works where pandas, pyarrow and numpy cannot be imported."""
    code = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "pyarrow", "numpy", "IPython"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
# polars looks for them at its import, in a way that wants an answer
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: find(name) if name == "dataclasses" else None
import polars as pl
importlib.util.find_spec = find
import xpframe
scan = xpframe.scan_xp("grid-search", workspace=xpframe.sample_workspace(), run="all")
found = scan.filter(pl.col("tags.learning_rate") > 0, pl.col("config.learning_rate") > 0).head(3).collect()
print(found.height, sorted({"pandas", "pyarrow", "numpy"} & set(sys.modules)))
"""
    assert python(code) == "3 []\n"
