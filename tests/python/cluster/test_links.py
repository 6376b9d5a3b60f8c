"""Which links of a workspace are followed: the table of SECURITY.md, row by row."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import xpframe
from conftest import unpack
from xpframe.errors import InvalidNameError, RunNotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of one's own."""
    return unpack("v270_full", tmp_path)


def moved(path: Path, to: Path) -> Path:
    """Puts a directory or file elsewhere, with a link in its place."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, to)
    path.symlink_to(to)
    return path


def latest(root: Path) -> Path:
    return root / "experiments/grid-search" / xpframe.Workspace(root).get_current_run("grid-search")


def test_an_experiment_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    """A link in place of an experiment that leads out of the workspace is an error, and is not listed."""
    link = moved(root / "experiments/grid-search", tmp_path / "elsewhere/grid-search")
    assert "grid-search" not in xpframe.Workspace(root).experiments()
    with pytest.raises(InvalidNameError) as caught:
        xpframe.xp_table("grid-search", workspace=root)
    assert str(caught.value) == (
        f"{link}: is a symlink to {tmp_path}/elsewhere/grid-search, outside of {root}/experiments"
        " (names never leave the workspace: open the workspace where the run really is)"
    )


def test_an_experiment_inside_is_followed(root: Path) -> None:
    """A link in place of an experiment to another experiment is followed and listed."""
    (root / "experiments/alias").symlink_to("grid-search")
    assert "alias" in xpframe.Workspace(root).experiments()
    assert len(xpframe.xp_table("alias", workspace=root)) == 9


def test_a_run_is_never_a_link(root: Path) -> None:
    """A link in place of a run is no run, wherever it leads."""
    run = latest(root)
    (run.parent / "20990101_000000").symlink_to(run.name)
    workspace = xpframe.Workspace(root)
    assert "20990101_000000" not in workspace.runs("grid-search")
    with pytest.raises(RunNotFoundError):
        workspace.load_xp_info("grid-search", "20990101_000000")


@pytest.mark.parametrize("part", ["jobs", "task", "job", "file of a run", "file of a job"])
def test_links_that_are_followed(part: str, root: Path, tmp_path: Path) -> None:
    """Links in place of jobs/, a task, a job or a file are followed out of the workspace."""
    before = xpframe.xp_table("grid-search", workspace=root)
    run = latest(root)
    row = {name: before.column_values(name)[0] for name in ("task", "job_id", "path")}
    job = Path(row["path"])
    path = {
        "jobs": root / "jobs",
        "task": job.parent,
        "job": job,
        "file of a run": run / "objects.jsonl",
        "file of a job": job / "params.json",
    }[part]
    moved(path, tmp_path / "elsewhere" / path.name)
    after = xpframe.xp_table("grid-search", workspace=root)
    assert after.errors == before.errors
    for name in before.column_names:
        if name != "started_at":
            assert after.column_values(name) == before.column_values(name), name


def test_a_saved_object_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    """A link in place of a saved object that leads out of the workspace is an error."""
    info = next(info for info in infos(root) if info.saved)
    name = info.saved[0]
    link = moved(info.path / "data" / name, tmp_path / "elsewhere/saved")
    with pytest.raises(InvalidNameError) as caught:
        info.load(name)
    assert f"{tmp_path}/elsewhere/saved" in str(caught.value)
    assert str(link) in str(caught.value)


def infos(root: Path) -> list[xpframe.ExperimentInfo]:
    workspace = xpframe.Workspace(root)
    names = [(name, run) for name in workspace.experiments() for run in workspace.runs(name)]
    return [workspace.load_xp_info(name, run, quiet=True) for name, run in names]


def test_a_swapped_link_shows_files_of_a_run(root: Path, tmp_path: Path) -> None:
    """A link in place of an experiment that was looked at shows files of a run elsewhere, no more."""
    other = unpack("v270_killed", tmp_path)
    outside = tmp_path / "outside"
    source = max(other.glob("experiments/*/2*/jobs.jsonl")).parent
    shutil.copytree(source, outside / latest(root).name, symlinks=True)
    theirs = list(xpframe.load_xp_info(source, quiet=True).jobs)
    run = xpframe._core.open_run(latest(root))
    (root / "experiments/grid-search").rename(root / "was")
    (root / "experiments/grid-search").symlink_to(outside)
    run.load()
    assert [run.job_id(position) for position in range(run.job_count())] == theirs
    with pytest.raises(InvalidNameError):
        xpframe.xp_table("grid-search", workspace=root)
