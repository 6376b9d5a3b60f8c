"""Columns of the jobs that a job comes from, on real workspaces."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import xpframe
from conftest import Workspaces, archives, unpack
from xpframe.errors import ColumnError, XpFrameWarning


def lab_workspace(name: str, folder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if name not in archives():
        pytest.skip("the full set of reference workspaces is not here")
    home = tmp_path_factory.mktemp("lab")
    unpack(name, home)
    return home / folder


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_workspace("lab_cifar", "cifar", tmp_path_factory)


@pytest.fixture(scope="module")
def ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_workspace("pkg_ir", "ir", tmp_path_factory)


@pytest.fixture(scope="module")
def quirks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_workspace("v270_quirks", "v270_quirks", tmp_path_factory)


def read(root: Path, experiment: str = "cifar", **options: Any) -> pl.DataFrame:
    options = {"task": "evaluate", **options}
    frame: pl.DataFrame = xpframe.xp_frame(experiment, workspace=root, backend="polars", **options)
    return frame


def joined(root: Path, column: str, run: str = "latest", **options: Any) -> list[Any]:
    """The column of the Learn behind each Evaluate, by a self-join over `dependencies`."""
    learned = read(root, run=run, task="learn", columns=["run", "job_id", column], **options)
    evaluated = read(root, run=run, columns=["run", "job_id", "dependencies"]).explode("dependencies")
    learned = learned.rename({"job_id": "dependencies"})
    found = evaluated.join(learned, on=["run", "dependencies"], how="left", maintain_order="left")
    assert found["job_id"].to_list() == read(root, run=run, columns=["job_id"])["job_id"].to_list()
    return found[column].to_list()


@pytest.mark.parametrize("run", ["latest", "all"])
@pytest.mark.parametrize(
    "column", ["config.epochs", "config.model.name", "tags.seed", "tags.lr", "state", "path", "duration_s"]
)
def test_upstream_equals_a_self_join(column: str, run: str, cifar: Path) -> None:
    """On every Evaluate row, by its task and by its place, the column is that of its Learn."""
    names = [f"up.learn.{column}", f"config.trained@job.{column}"]
    frame = read(cifar, run=run, columns=names)
    expected = joined(cifar, column, run)
    assert len(expected) in (23, 40)
    assert None not in expected or column == "duration_s"
    for name in names:
        assert frame[name].to_list() == expected


def test_ids(cifar: Path) -> None:
    """`@job` is the id of the job that produced the config at a place; null where none did."""
    frame = read(cifar, columns=["config.trained@job", "dependencies", "config.testset@job"])
    assert frame["config.trained@job"].to_list() == [needs[0] for needs in frame["dependencies"].to_list()]
    assert frame["config.testset@job"].null_count() == len(frame)
    assert read(cifar, columns="trained@job").equals(frame.select("config.trained@job"))
    # shown by name only
    assert not [name for name in read(cifar).columns if name.endswith("@job")]


def test_short_names(cifar: Path) -> None:
    """A short name behind a step is looked up among the values of the jobs there."""
    frame = read(cifar, columns=["trained@job.epochs", "up.learn.lr", "up.lab.learn.state", "up.*.seed"])
    assert frame.columns == [
        "config.trained@job.config.epochs",
        "up.learn.tags.lr",
        "up.lab.learn.state",
        "up.*.tags.seed",
    ]
    assert frame["up.lab.learn.state"].to_list() == joined(cifar, "state")


def test_names_short_keeps_the_steps(cifar: Path) -> None:
    """`names="short"` strips no part of a column of another job."""
    frame = read(cifar, columns=["up.learn.config.epochs", "trained@job.epochs", "tags.lr"], names="short")
    assert frame.columns == ["up.learn.config.epochs", "config.trained@job.config.epochs", "lr"]


def test_types_and_metadata(cifar: Path) -> None:
    """Columns of other jobs have the types that they have there, and a group of their own."""
    names = ["up.learn.config.epochs", "up.learn.tags.lr", "up.learn.submitted_at", "up.learn.dependencies"]
    table = xpframe.xp_table("cifar", workspace=cifar, task="evaluate", columns=names)
    there = dict(
        xpframe.xp_table(
            "cifar", workspace=cifar, columns=["config.epochs", "tags.lr", "submitted_at", "dependencies"]
        ).schema
    )
    assert dict(table.schema) == {name: there[name.removeprefix("up.learn.")] for name in names}
    assert {table.column_metadata(name)["xpframe.group"] for name in names} == {"lineage"}


@pytest.mark.parametrize("backend", ["pandas", "pyarrow"])
def test_other_backends(backend: Any, cifar: Path) -> None:
    """pandas and pyarrow show the same values."""
    names = ["up.learn.config.epochs", "up.learn.config.model.name", "trained@job"]
    frame = xpframe.xp_frame("cifar", workspace=cifar, task="evaluate", columns=names, backend=backend)
    polars = read(cifar, columns=names)
    for name in polars.columns:
        values = frame[name].to_pylist() if backend == "pyarrow" else list(frame[name])
        assert values == polars[name].to_list()


def test_results_upstream(cifar: Path) -> None:
    """With `results=`, the results of the job behind each row; its file's state too."""
    names = ["up.learn.result.val.accuracy", "up.learn.result@file", "result.test.accuracy"]
    frame = read(cifar, results="metrics.json", columns=names)
    assert frame.columns == names
    there = joined(cifar, "result.val.accuracy", results="metrics.json")
    assert frame["up.learn.result.val.accuracy"].to_list() == there
    assert sum(value is not None for value in there) > 15
    assert frame["up.learn.result@file"].to_list() == joined(cifar, "result@file", results="metrics.json")
    # a result is found by its short name last
    short = read(cifar, results="metrics.json", columns=["up.learn.val.accuracy", "up.learn.epochs"])
    assert short.columns == ["up.learn.result.val.accuracy", "up.learn.config.epochs"]


def test_results_are_read_only_where_asked(cifar: Path) -> None:
    """A parameter upstream opens no result file, and a result opens those of the jobs upstream only."""
    from xpframe import _core

    def opened(**options: Any) -> int:
        before = _core.progress_counters()[0]
        read(cifar, results="metrics.json", **options)
        return int(_core.progress_counters()[0] - before)

    parameters = opened(columns=["up.learn.config.epochs"])
    assert opened(columns=["up.learn.epochs"]) == parameters
    results = opened(columns=["up.learn.result.val.accuracy"])
    assert 15 < results - parameters <= 23


def test_all_of_an_upstream_job(cifar: Path) -> None:
    """`up.<task>.*` has the columns that the job there would show; a glob chooses among them."""
    frame = read(cifar, columns=["up.learn.*"])
    there = read(cifar, task="learn")
    assert [name.removeprefix("up.learn.") for name in frame.columns] == there.columns
    globbed = read(cifar, columns="up.learn.config.model.*").columns
    assert globbed == [f"up.learn.{name}" for name in there.columns if name.startswith("config.model.")]


def test_star_and_dicts_in_a_list(cifar: Path) -> None:
    """`*` means the columns that are shown anyhow; what a dict renames leaves them."""
    default = read(cifar).columns
    assert read(cifar, columns="*").columns == default
    assert read(cifar, columns=["*", "up.learn.epochs"]).columns == [*default, "up.learn.config.epochs"]
    names = {"rate": "tags.lr", "steps": "trained@job.epochs"}
    frame = read(cifar, columns=["*", names, "config.trained@job"])
    rest = [name for name in default if name != "tags.lr"]
    assert frame.columns == [*rest, "rate", "steps", "config.trained@job"]
    assert frame["rate"].to_list() == read(cifar)["tags.lr"].to_list()


def test_a_parameter_that_was_renamed(cifar: Path) -> None:
    """Of several names the first value that is not null counts, over experiments."""
    both: Any = ["cifar", "cifar-v2"]
    names = ["optimizer.lr", "optimizer.learning_rate"]
    frame = read(cifar, both, task="learn", columns=["experiment", *names])
    lr = read(cifar, both, task="learn", columns=["*", {"lr": names}])
    assert frame["config.optimizer.lr"].null_count() > 0
    assert frame["config.optimizer.learning_rate"].null_count() > 0
    assert lr["lr"].null_count() == 0
    expected = frame.select(pl.coalesce("config.optimizer.lr", "config.optimizer.learning_rate"))
    assert lr["lr"].to_list() == expected.to_series().to_list()
    assert not [name for name in lr.columns if "optimizer.l" in name]
    upstream = read(cifar, both, columns={"lr": [f"up.learn.{name}" for name in names]})
    assert upstream["lr"].null_count() == 0


def test_renamed_names_that_are_missing(cifar: Path) -> None:
    """One name must be there; a warning names the others."""
    with pytest.warns(XpFrameWarning, match=r"no column 'optimizer.rate': lr has the values of the others"):
        frame = read(cifar, task="learn", columns={"lr": ["optimizer.rate", "optimizer.lr"]})
    assert frame["lr"].null_count() == 0
    with pytest.raises(ColumnError, match=r"no column 'optimizer.rte'"):
        read(cifar, columns={"lr": ["optimizer.rte", "optimizer.lrate"]})
    with pytest.raises(ColumnError, match=r"'config.\*' means \d+ columns \(write one of"):
        read(cifar, columns={"lr": ["config.*", "tags.lr"]})
    with pytest.raises(ColumnError, match=r"'x' do not unite: config.epochs is int, tags.name is text"):
        read(cifar, columns={"x": ["config.epochs", "tags.name"]})
    with pytest.raises(xpframe.errors.InvalidArgumentError, match="no column for 'x'"):
        read(cifar, columns={"x": []})


def test_renamed_ints_and_floats(cifar: Path) -> None:
    """Ints become floats where each of them is one."""
    frame = read(cifar, task="learn", columns={"x": ["config.optimizer.lr", "config.epochs"]})
    assert frame.schema["x"] == pl.Float64
    frame = read(cifar, task="learn", columns={"x": ["config.epochs", "exit_code"]})
    assert frame.schema["x"] == pl.Int64


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["up.lean.lr"], r"no job comes from a task 'lean' .did you mean learn"),
        (["up.lerner.lr"], r"no job comes from a task 'lerner' .jobs come from lab.learn"),
        (["up.learn.epoch"], r"no column 'epoch' of up.learn .did you mean up.learn.config.epochs"),
        (["up.learn.zzz"], r"no column 'zzz' of up.learn .up.learn has "),
        (["traned@job.epochs"], r"no column 'traned@job' .did you mean trained@job"),
        (["trained@job.epoch"], r"of config.trained@job .did you mean config.trained@job.config.epochs"),
    ],
)
def test_errors_offer_upstream_names(names: list[str], words: str, cifar: Path) -> None:
    """The error for a wrong name says which tasks and columns there are upstream."""
    with pytest.raises(ColumnError, match=words):
        read(cifar, columns=names)


def test_upstream_of_another_experiment(quirks: Path) -> None:
    """A stub stands for a job of an earlier experiment: its row and config are in the run that lists it."""
    names = [f"up.train.{name}" for name in ("config.learning_rate", "tags.hidden_size", "experiment")]
    names.append("trained@job")
    frame = read(quirks, "stub", task=None, columns=names)
    (source,) = read(quirks, "stub-source", task=None, columns=["config.learning_rate", "job_id"]).rows()
    assert frame.rows() == [(0.5, 4, "stub-source", source[1])] * 2
    near = "up.train.tags.learning_rate, up.train.config.learning_rate"
    with pytest.raises(ColumnError, match=f"upstream there is {near}"):
        read(quirks, "stub", task=None, columns=["learning_rate"])


def test_a_job_that_no_run_lists(quirks: Path, tmp_path: Path) -> None:
    """Without the run of the job, its row is null with an entry in the errors, and so is its config."""
    root = tmp_path / "ws"
    shutil.copytree(quirks, root, symlinks=True)
    shutil.rmtree(root / "experiments" / "stub-source")
    names = ["trained@job.state", "trained@job"]
    with pytest.warns(XpFrameWarning, match="no run of the workspace lists a job"):
        table = xpframe.xp_table("stub", workspace=root, columns=names)
    assert table.column_values("config.trained@job.state") == [None, None]
    assert None not in table.column_values("config.trained@job")
    (error,) = [error for error in table.errors if "lists a job" in str(error)]
    assert "no run of the workspace lists a job that 'config.trained@job.state' means" in str(error)
    assert "only its config is known" in str(error)


def test_through_init_tasks(ir: Path) -> None:
    """An Evaluate reaches its learner through an init task; BM25 has none."""
    names = ["job_id", "up.learner.job_id"]
    frame = read(ir, "toy-ir", columns=names)
    needs = dict(read(ir, "toy-ir", columns=["job_id", "dependencies"]).rows())
    learners = set(read(ir, "toy-ir", task="learner", columns=["job_id"])["job_id"])
    for job_id, learner in frame.rows():
        assert {learner} - {None} == learners & set(needs[job_id])
    assert frame["up.learner.job_id"].null_count() == 4


def test_ndcg_by_the_learning_rate_in_two_lines(ir: Path) -> None:
    """What the learner behind each Evaluate was given, beside what the Evaluate measured."""
    names: Any = ["dataset", "up.learner.lr", "result.nDCG"]
    frame = xpframe.xp_frame("toy-ir", workspace=ir, task="evaluate", results="aggregated", columns=names)
    mean = frame.groupby("up.learner.tags.lr")["result.nDCG"].mean()
    assert len(mean) == 2
    assert mean.notna().all()


def test_lists_of_configs(workspaces: Workspaces) -> None:
    """A list of configs gives a list of ids; a column behind it is an error that names the task."""
    root = workspaces.path("v270_full")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = xpframe.xp_table("*", workspace=root, run="all", columns=["config.*@job", "job_id"])
    lists = [name for name, kind in table.schema if "ist" in kind and name.endswith("@job")]
    assert lists
    with pytest.raises(ColumnError, match=rf"{lists[0]} holds a list of jobs.*up.<task>.state"):
        xpframe.xp_table("*", workspace=root, run="all", columns=[f"{lists[0]}.state"])


def test_lazy(cifar: Path) -> None:
    """A lazy query builds columns of other jobs only if it needs them, of the rows that it needs."""
    names = ["*", "up.learn.epochs", "trained@job.state"]
    eager = read(cifar, columns=names)
    lazy = xpframe.scan_xp("cifar", workspace=cifar, task="evaluate", columns=names)
    assert lazy.collect().equals(eager)
    one = lazy.filter(pl.col("tags.lr") == 0.1).select("up.learn.config.epochs", "job_id").collect()
    assert one.equals(eager.filter(pl.col("tags.lr") == 0.1).select("up.learn.config.epochs", "job_id"))
    assert xpframe.last_read().jobs == len(one)
    tags = lazy.select("tags.lr").collect()
    assert tags.equals(eager.select("tags.lr"))


def test_lazy_sees_a_new_run_upstream(quirks: Path, tmp_path: Path) -> None:
    """A lazy query decides its columns again when the run of a job upstream has changed."""
    root = tmp_path / "ws"
    shutil.copytree(quirks, root, symlinks=True)
    lazy = xpframe.scan_xp("stub", workspace=root, columns=["up.train.tags.hidden_size"])
    assert lazy.collect().to_series().to_list() == [4, 4]
    (rows,) = (root / "experiments" / "stub-source").glob("2*/jobs.jsonl")
    rows.write_text(rows.read_text().replace('"hidden_size": 4', '"hidden_size": 5'))
    assert lazy.collect().to_series().to_list() == [5, 5]


def test_producer_and_upstream(ir: Path, cifar: Path) -> None:
    """Objects: the config of the job that made a config, and all of them by their places."""
    info = xpframe.Workspace(cifar).load_xp_info("cifar")
    for job in info.jobs.values():
        learned = xpframe.upstream(job)
        if xpframe.typename(job) == "lab.Evaluate":
            assert list(learned) == ["trained"]
            assert learned["trained"] is xpframe.producer(job.trained)
            assert learned["trained"] is info.jobs[xpframe.identifier(learned["trained"])]
        else:
            assert learned == {}
        assert xpframe.producer(job) is job
    assert xpframe.producer(next(iter(info.jobs.values())).model) is None
    evaluated = xpframe.Workspace(ir).load_xp_info("toy-ir").jobs
    places = {place for job in evaluated.values() for place in xpframe.upstream(job)}
    assert any(place.startswith("init-tasks[0]") for place in places)
    with pytest.raises(TypeError, match="expected a config"):
        xpframe.producer(3)
