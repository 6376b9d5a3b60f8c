"""Job directories behind links that a move broke, in archives, and of jobs that another workspace ran."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from engine import load, table
from small_runs import TASK, SmallRun, job_id

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ["state", "started_at", "duration_s", "config.n", "config.out"]


def rows(root: Path, **options: Any) -> list[dict[str, Any]]:
    return table("grid", workspace=root, columns=COLUMNS, **options).to_pylist()


def test_links_into_the_old_root_and_beside_it(tmp_path: Path) -> None:
    """A job directory that is a link into the old root, or beside it, is found after a move of both."""
    old = tmp_path / "old" / "ws"
    run = SmallRun(old)
    stores = [old / "store", old.parent / "archive" / "jobs" / TASK]
    for job, store in enumerate(stores):
        run.submit(job)
        directory = run.execute(job)
        store.mkdir(parents=True)
        shutil.move(directory, store / job_id(job))
        directory.symlink_to(store / job_id(job))
    before = rows(old)
    assert [row["duration_s"] for row in before] == [60, 60]
    (tmp_path / "old").rename(tmp_path / "new")
    moved = tmp_path / "new" / "ws"
    after = rows(moved)
    assert [{**row, "config.out": None} for row in after] == [{**row, "config.out": None} for row in before]
    assert [row["config.out"] for row in after] == [
        f"{moved}/jobs/{TASK}/{job_id(n)}/model.pt" for n in range(2)
    ]
    frame = table("grid", workspace=moved, results={"got": "out"}, columns=["result.got@file"])
    assert "missing" not in frame["result.got@file"].to_pylist()
    findings = xpframe.Workspace(moved).check()
    assert findings.counts["error"] == 0
    assert findings.seen["compared"] == 2


@pytest.mark.parametrize("linked", ["jobs", f"jobs/{TASK}"])
def test_links_in_place_of_all_jobs(linked: str, tmp_path: Path) -> None:
    """`jobs/`, or the directory of a task, may be a link into the old root."""
    old = tmp_path / "old"
    run = SmallRun(old)
    run.submit(0)
    run.execute(0)
    store = old / "disk" / "store"
    store.parent.mkdir()
    (old / linked).rename(store)
    (old / linked).symlink_to(store)
    before = rows(old)
    old.rename(tmp_path / "new")
    (after,) = rows(tmp_path / "new")
    assert (after["duration_s"], after["state"], after["started_at"]) == (60, "done", before[0]["started_at"])


def test_links_to_nothing_stay_links_to_nothing(tmp_path: Path) -> None:
    """A link whose target is nowhere costs the times, and no error that was not there before."""
    run = SmallRun(tmp_path / "ws")
    run.submit(0)
    run.directory(0).parent.mkdir(parents=True)
    run.directory(0).symlink_to("/gone/disk/store/" + job_id(0))
    (row,) = rows(tmp_path / "ws")
    assert (row["config.n"], row["started_at"]) == (0, None)


def test_archived_jobs_keep_their_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is only in a folder of experimaestro's settings is read there."""
    root, archive = tmp_path / "ws", tmp_path / "archive"
    run = SmallRun(root)
    run.submit(0)
    directory = run.execute(0)
    kept = archive / "jobs" / TASK / job_id(0)
    kept.parent.mkdir(parents=True)
    shutil.move(directory, kept)
    home = tmp_path / "home"
    settings = home / ".config" / "experimaestro" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    assert rows(root)[0]["duration_s"] is None
    folders = [{"path": str(archive), "mode": "backup"}]
    settings.write_text(json.dumps({"workspaces": [{"id": "main", "path": str(root), "folders": folders}]}))
    (row,) = rows(root)
    assert (row["state"], row["duration_s"]) == ("done", 60)
    assert load(run.path).frame(columns=["duration_s"])["duration_s"].to_list() == [60]
    (run.path / "objects.jsonl").unlink()
    (row,) = rows(root)
    assert (row["config.n"], row["config.out"]) == (0, f"{root}/jobs/{TASK}/{job_id(0)}/model.pt")
    settings.write_text("workspaces: [{folders: 3, path: /}, {")
    assert table("grid", workspace=root, columns="duration_s").to_pylist() == [{"duration_s": None}]


def test_a_root_is_per_job(tmp_path: Path) -> None:
    """A job that was taken over from another workspace has a params.json with the root of that one. Its paths
    mean this workspace, unless the file is only there; the paths of other jobs are left alone.
    """
    other, here = tmp_path / "other", tmp_path / "here"
    (other / "data").mkdir(parents=True)
    (other / "data/corpus").touch()
    run = SmallRun(here)
    for job in (0, 1):
        run.submit(job)
        run.execute(job)
    taken = run.directory(1) / "params.json"
    params = json.loads(taken.read_text())
    params["workspace"] = str(other)
    fields = params["objects"][0]["fields"]
    fields["out"] = {"type": "path", "value": "model.pt", "base": "job"}
    fields["relative"] = {"type": "path", "value": f"jobs/{TASK}/{job_id(0)}/model.pt", "base": "workspace"}
    fields["corpus"] = {"type": "path", "value": "data/corpus", "base": "workspace"}
    fields["old"] = {"type": "path", "value": f"{other}/jobs/{TASK}/{job_id(0)}/model.pt"}
    taken.write_text(json.dumps(params))
    lines = (run.path / "objects.jsonl").read_text().splitlines()
    own = json.loads(lines[0])
    own["fields"]["corpus"] = {"type": "path", "value": f"{other}/data/corpus"}
    own["fields"]["elsewhere"] = {"type": "path", "value": f"{other}/gone"}
    (run.path / "objects.jsonl").write_text(json.dumps(own) + "\n")
    info = load(run.path)
    assert info.errors == []
    job = info.jobs[job_id(1)]
    assert str(job.out) == f"{run.directory(1)}/model.pt"
    assert str(job.relative) == str(job.old) == f"{run.directory(0)}/model.pt"
    assert str(job.corpus) == f"{other}/data/corpus"
    first = info.jobs[job_id(0)]
    assert (str(first.corpus), str(first.elsewhere)) == (f"{other}/data/corpus", f"{other}/gone")


def test_a_former_identifier(tmp_path: Path) -> None:
    """After `deprecated list --fix`, a job is a link to the directory of its former identifier: params.json
    is read, and `check` does not call it unreadable.
    """
    run = SmallRun(tmp_path / "ws")
    run.submit(7)
    former = run.execute(3)
    run.directory(7).symlink_to(former)
    findings = xpframe.Workspace(tmp_path / "ws").check("grid")
    assert [(one.severity, one.kind) for one in findings if one.job_id == job_id(7)] == [
        ("info", "not-what-ran")
    ]
    assert findings.is_clean
    (run.path / "objects.jsonl").unlink()
    (row,) = rows(tmp_path / "ws")
    assert (row["config.n"], row["duration_s"]) == (3, 60)
