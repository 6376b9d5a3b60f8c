"""Runs that lost one of their files: what that costs is told, and a run that never had it tells nothing."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import reference_names, unpack
from odd_runs import job_id, row, write_run
from xpframe.errors import FormatError, XpFrameWarning

RESTORE = "(restore it from a backup, or the links below its jobs/ directory)"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = write_run(tmp_path, [json.dumps(row(job)) for job in range(5)])
    (run / "jobs.jsonl").unlink()
    return run


def errors_of(run: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        return [str(error) for error in xpframe.load_xp_info(run).errors]


def write_status(run: Path, **facts: Any) -> None:
    (run / "status.json").write_text(json.dumps({"version": 1, "status": "done", **facts}))


@pytest.mark.parametrize(
    ("status", "evidence"),
    [
        (None, "objects.jsonl holds configs"),
        ({"job_states": {job_id(0): "done"}}, "status.json names a job"),
        ({"job_states": {job_id(0): "done", job_id(1): "error"}}, "status.json names 2 jobs"),
    ],
)
def test_a_lost_list_of_jobs_is_told(run: Path, status: dict[str, Any] | None, evidence: str) -> None:
    """Without jobs.jsonl and links nothing says which objects are jobs: no frame is empty in silence."""
    if status is not None:
        write_status(run, **status)
    message = f"{run}/jobs.jsonl: is missing, so the run shows no jobs, although its {evidence} {RESTORE}"
    assert errors_of(run) == [message]
    with pytest.warns(XpFrameWarning, match="shows no jobs"):
        assert len(xpframe.xp_table(run)) == 0
    with pytest.raises(FormatError, match="shows no jobs"):
        xpframe.xp_table(run, strict=True)
    findings = list(xpframe.Workspace(run.parents[2]).check())
    assert any("shows no jobs" in finding.what for finding in findings)


def test_only_the_states_of_its_jobs_are_left(run: Path) -> None:
    """A run of a version without objects.jsonl, of which only status.json is left."""
    (run / "objects.jsonl").unlink()
    write_status(run, job_states={job_id(0): "done"})
    assert len(errors_of(run)) == 1


def test_a_run_that_has_just_begun_lost_nothing(run: Path) -> None:
    """A driver opens jobs.jsonl before it writes the first job, and the configs of a job before its row."""
    (run / "jobs.jsonl").touch()
    assert errors_of(run) == []


@pytest.mark.parametrize("objects", [None, "", "actions"])
def test_a_run_that_submitted_no_job_lost_nothing(run: Path, objects: str | None) -> None:
    """A driver writes no jobs.jsonl before its first job; actions alone fill objects.jsonl."""
    write_status(run, job_states={})
    if objects is None:
        (run / "objects.jsonl").unlink()
    elif not objects:
        (run / "objects.jsonl").write_text("")
    assert errors_of(run) == []


@pytest.mark.parametrize("workspace", [name for name in reference_names() if re.match(r"v2\d\d_full", name)])
def test_runs_of_each_version_without_their_list(workspace: str, tmp_path: Path) -> None:
    """The jobs that a run links to are shown, and what they lack is told, whatever version wrote the run."""
    (run,) = unpack(workspace, tmp_path).glob("experiments/ablation/2*")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        whole = xpframe.load_xp_info(run)
        tags = str(whole.tags)  # NaN equals nothing
    (run / "jobs.jsonl").unlink()
    lacking = "no times" if workspace == "v216_full" else "neither tags nor times"
    (error,) = (error for error in errors_of(run) if "jobs.jsonl: is missing" in error)
    assert f"so the jobs have {lacking} of submission" in error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XpFrameWarning)
        again = xpframe.load_xp_info(run)
    assert set(again.states) <= set(whole.states)
    assert len(again.states) >= len(whole.states) - 1
    # configs.json has the tags
    assert (str(again.tags) == tags) == (workspace == "v216_full")


def test_runs_of_version_1_have_no_such_list(tmp_path: Path) -> None:
    """Neither a workspace of version 1 nor one that was migrated lost anything."""
    for name, pattern in (("v1161_full", "xp/*"), ("v1161_migrated", "experiments/*/*")):
        (tmp_path / name).mkdir()
        for run in unpack(name, tmp_path / name).glob(pattern):
            if run.is_dir() and not run.is_symlink():
                assert not any("jobs.jsonl" in error for error in errors_of(run))
