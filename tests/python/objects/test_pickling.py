"""Pickles: runs go by their path, tables by their values; workers of other processes read them."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from random_runs import RandomRun
from xpframe import Workspace, load_xp_info, xp_table
from xpframe.errors import RunNotFoundError, WorkspaceNotFoundError

if TYPE_CHECKING:
    from conftest import Workspaces


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def facts_of(info: xpframe.ExperimentInfo) -> dict[str, Any]:
    """What a worker says of an info."""
    return {
        "jobs": {job_id: repr(config) for job_id, config in info.jobs.items()},
        "actions": list(info.actions),
        "states": info.states,
        "tags": info.tags,
        "path": info.path,
        "frame": info.table().shape,
    }


def rows_of(table: xpframe.Table) -> dict[str, list[Any]]:
    return {name: list(map(repr, table.column_values(name))) for name in table.column_names}


def test_an_info_goes_to_another_process(workspaces: Workspaces) -> None:
    """`ExperimentInfo`, `info.jobs`, `Workspace` and tables say the same in a new process."""
    root = workspaces.path("v270_full")
    info = Workspace(root).load_xp_info("grid-search")
    table = xp_table("grid-search", workspace=root)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(facts_of, (info,)) == facts_of(info)
        assert pool.apply(list, (info.jobs,)) == list(info.jobs)
        assert pool.apply(list, (info.actions,)) == list(info.actions)
        assert pool.apply(Workspace.experiments, (Workspace(root),)) == Workspace(root).experiments()
        assert pool.apply(rows_of, (table,)) == rows_of(table)


def test_joblib_maps_over_jobs(workspaces: Workspaces) -> None:
    """joblib's workers take jobs and infos."""
    joblib = pytest.importorskip("joblib")
    info = Workspace(workspaces.path("v270_full")).load_xp_info("grid-search")
    work = (joblib.delayed(xpframe.identifier)(config) for config in info.jobs.values())
    assert joblib.Parallel(n_jobs=2)(work) == list(info.jobs)
    assert joblib.Parallel(n_jobs=2)([joblib.delayed(facts_of)(info)]) == [facts_of(info)]


def test_objects_stay_shared(workspaces: Workspaces) -> None:
    """An info and a config of it that are pickled together share their objects afterwards."""
    info = Workspace(workspaces.path("v270_full")).load_xp_info("grid-search")
    job_id = next(iter(info.jobs))
    twin, jobs, config = again((info, info.jobs, info.jobs[job_id]))
    assert twin.jobs[job_id] is config
    assert jobs[job_id] is config


@pytest.mark.parametrize("name", ["v270_full", "v270_quirks", "v1161_full"])
def test_tables_keep_every_value(name: str, workspaces: Workspaces) -> None:
    """A table comes back with its values, schema, metadata, errors and warnings."""
    root = workspaces.path(name)
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        for experiment in [*Workspace(root).experiments(), "*"]:
            table = xp_table(experiment, workspace=root, columns="*", run="all")
            for part in (table, table.head(2), table.select(["job_id", "state"]), table.head(0)):
                twin = again(part)
                assert (twin.shape, twin.schema) == (part.shape, part.schema)
                assert rows_of(twin) == rows_of(part)
                assert list(map(str, twin.errors)) == list(map(str, part.errors))
                assert [type(error) for error in twin.errors] == [type(error) for error in part.errors]
                assert twin.warnings == part.warnings
                assert len(twin.batches()) == len(part.batches())
                for column in part.column_names:
                    assert twin.column_metadata(column) == part.column_metadata(column)
                count += 1
    assert count >= 8


def test_a_part_of_a_table_is_a_small_pickle(workspaces: Workspaces) -> None:
    """Text is shared by the columns of a run; the pickle of one has its own text only."""
    table = xp_table("grid-search", workspace=workspaces.path("v270_full"), columns="*")
    assert len(pickle.dumps(table.select("state"))) < len(pickle.dumps(table)) / 5


def test_a_moved_workspace_says_what(workspaces: Workspaces, tmp_path: Path) -> None:
    """Where the workspace is no longer, the error names the path and says what to do."""
    root = tmp_path / "ws"
    shutil.copytree(workspaces.path("v270_script"), root, symlinks=True)
    workspace = Workspace(root)
    info = workspace.load_xp_info(workspace.experiments()[0])
    pickles = [pickle.dumps(value) for value in (info, info.jobs, next(iter(info.jobs.values())))]
    of_workspace, of_table = pickle.dumps(workspace), pickle.dumps(info.table())
    root.rename(tmp_path / "moved")
    for each in pickles:
        with pytest.raises(RunNotFoundError) as raised:
            pickle.loads(each)
        assert raised.value.reason == "the run that was pickled is not there"
        assert raised.value.file == str(info.path)
        assert raised.value.hint is not None
        assert "where the workspace is now" in raised.value.hint
    with pytest.raises(WorkspaceNotFoundError, match="there is no such directory"):
        pickle.loads(of_workspace)
    assert len(pickle.loads(of_table)) == len(info.jobs)


def test_since_works_across_a_pickle(workspaces: Workspaces) -> None:
    """An info of a pickle remembers when it was loaded."""
    info = Workspace(workspaces.path("v270_full")).load_xp_info("grid-search")
    assert info.states
    twin = again(info)
    assert twin._loaded_at == info._loaded_at


# --- short identifiers ---


def test_the_beginning_of_an_id_is_enough(workspaces: Workspaces) -> None:
    """Four characters or more name a job where no other begins so, in objects, `in` and `get`."""
    info = Workspace(workspaces.path("v270_full")).load_xp_info("grid-search")
    ids = list(info.jobs)
    for job_id in ids:
        alike = [each for each in ids if each.startswith(job_id[:8])]
        assert alike == [job_id]
        assert info.jobs[job_id[:8]] is info.jobs[job_id]
        assert job_id[:8] in info.jobs
    assert info.jobs.get("zzzzzzzz") is None
    assert "zzzz" not in info.jobs
    assert "" not in info.jobs
    for action_id in info.actions:
        assert info.actions[action_id[:12]].describe() == info.actions[action_id].describe()


def test_ambiguous_and_short_beginnings_are_errors(tmp_path: Path) -> None:
    """Several jobs that begin so are listed; fewer than four characters are refused with the id."""
    ids = ["abcd1" + "0" * 59, "abcd2" + "0" * 59, "ef" + "0" * 62]
    objects = [
        {"id": n, "module": "lab", "type": "T", "typename": "lab.T", "identifier": each, "fields": {}}
        for n, each in enumerate(ids)
    ]
    jobs = [{"job_id": each, "task_id": "lab.t", "tags": {}, "timestamp": 1.5e9} for each in ids]
    info = load_xp_info(RandomRun(objects, jobs).write(tmp_path))
    errors = {}
    for prefix in ("abcd", "ef", "abcd3"):
        with pytest.raises(xpframe.errors.JobNotFoundError) as raised:
            info.jobs[prefix]
        errors[prefix] = (raised.value.reason.partition(" has ")[2], raised.value.hint)
    assert errors == {
        "abcd": ("2 jobs that begin with 'abcd'", "write more of one of abcd10000000, abcd20000000"),
        "ef": ("no job 'ef'", "did you mean ef0000000000? at least 4 characters are needed"),
        "abcd3": ("no job 'abcd3'", "it has 3"),
    }
    assert "abcd" not in info.jobs
    assert xpframe.identifier(info.jobs["abcd1"]) == ids[0]


def test_the_directory_of_a_job(workspaces: Workspaces) -> None:
    """`path(config)` is the column `path`, also for jobs upstream and for what a job produced."""
    root = workspaces.path("v270_full")
    seen = 0
    for experiment in Workspace(root).experiments():
        for run in Workspace(root).runs(experiment):
            info = Workspace(root).load_xp_info(experiment, run)
            table = info.table(columns=["job_id", "path"])
            for job_id, path in zip(*map(table.column_values, table.column_names), strict=True):
                if job_id in info.jobs:
                    assert xpframe.path(info.jobs[job_id]) == Path(path)
                    assert isinstance(xpframe.path(info.jobs[job_id]), Path)
                    seen += 1
    assert seen > 20


def test_the_directory_of_no_job(workspaces: Workspaces) -> None:
    """A config that is no job has no directory: the error says what has."""
    info = Workspace(workspaces.path("v270_full")).load_xp_info("grid-search")
    inner = next(
        value
        for config in info.jobs.values()
        for value in xpframe.fields(config).values()
        if isinstance(value, xpframe.Config) and value.__xpmtask__ is None
    )
    with pytest.raises(xpframe.errors.JobNotFoundError, match="is no job: it has no directory"):
        xpframe.path(inner)
    with pytest.raises(TypeError, match="expected a config or an action, not str"):
        xpframe.path("text")
