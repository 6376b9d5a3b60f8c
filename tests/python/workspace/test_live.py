"""Real experimaestro runs a grid search; xpframe reads it, code present or not, moved or not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import changes, listing
from engine import differences, dump, load, table
from expected import expected_table
from grid_search import TASKS
from oracle import Dump, WitnessView
from witness import Run

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow
Known = dict[str, tuple[int, str, int, float]]


@pytest.fixture(scope="module")
def grid_search(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Known]:
    """A workspace in which the grid search ran, the module of its tasks, and what the driver knew."""
    home = tmp_path_factory.mktemp("live")
    code, workspace, known = home / "code", home / "ws", home / "known.json"
    code.mkdir()
    (code / "grid_tasks.py").write_text(TASKS)
    call = "import sys, grid_tasks; grid_tasks.search(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", call, str(workspace), str(known)],
        cwd=code,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert known.exists(), done.stderr
    return workspace, code / "grid_tasks.py", json.loads(known.read_text())


def check(workspace: Path, known: Known) -> None:
    """All that xpframe says of the grid search is what the driver knew and what the witness reads."""
    before = listing(workspace)
    path = xpframe.Workspace(workspace).runs("grid-search")[0]
    run_dir = next(workspace.glob("experiments/grid-search/2*"))
    info = load(run_dir)
    assert info.errors == []
    assert path
    assert list(info.jobs) == list(known)
    models: dict[int, Any] = {}
    for job_id, (model, name, size, rate) in known.items():
        job = info.jobs[job_id]
        assert (job.model.name, job.model.hidden_size, job.learning_rate) == (name, size, rate)
        assert models.setdefault(model, job.model) is job.model
        assert xpframe.tags(job) == {"hidden_size": size, "learning_rate": rate}
        assert xpframe.typename(job) == "grid_tasks.Train"
    assert models[0] is not models[1]
    (action,) = info.actions.values()
    assert action.describe() == "Export m64"
    assert action.model is models[0]
    saved = xpframe.Workspace(workspace).load("grid-search", saved="results")
    assert xpframe.identifier(saved["best"]) == list(known)[1]
    assert saved["best"].model is saved["models"][0]
    frame = table(
        "grid-search", workspace=workspace, columns=["job_id", "state", "hidden_size", "learning_rate"]
    )
    assert frame.column_names == ["job_id", "state", "tags.hidden_size", "tags.learning_rate"]
    states = ["error" if rate > 1 else "done" for _, _, _, rate in known.values()]
    sizes = [size for _, _, size, _ in known.values()]
    assert frame["state"].to_pylist() == states
    assert frame["tags.hidden_size"].to_pylist() == sizes
    run = Run(run_dir, workspace)
    mine = Dump(WitnessView())
    witnessed = {k: mine.value(v, k, []) for k, v in run.jobs.items()}
    assert dump(dict(info.jobs)) == (witnessed, mine.sharing())
    expected = {c.name: c for c in expected_table([run]) if c.name != "submitted_at"}
    assert differences(table(run_dir, columns=["dependencies"]), [expected.pop("dependencies")]) == []
    assert differences(table(run_dir), expected.values()) == []
    assert changes(before, listing(workspace)) == []


def test_grid_search_is_read_wherever_and_whatever_remains(grid_search: tuple[Path, Path, Known]) -> None:
    """As it ran; after the module of the tasks is deleted; after the workspace was moved."""
    workspace, module, known = grid_search
    assert len(known) == 6
    assert "grid_tasks" not in sys.modules
    check(workspace, known)
    module.unlink()
    check(workspace, known)
    moved = workspace.with_name("elsewhere") / "deeper"
    moved.parent.mkdir()
    shutil.move(workspace, moved)
    check(moved, known)
    paths = table("grid-search", workspace=moved)["path"].to_pylist()
    assert all(p.startswith(f"{moved}/jobs/") for p in paths)
    assert "grid_tasks" not in sys.modules


def test_a_run_that_has_just_begun(tmp_path: Path) -> None:
    """A run is listed as soon as its directory is there: by name it has no jobs yet."""
    (tmp_path / ".__experimaestro__").touch()
    run = tmp_path / "experiments" / "grid" / "20260101_000000"
    run.mkdir(parents=True)
    info = xpframe.Workspace(tmp_path).load_xp_info("grid", quiet=True)
    assert (len(info.jobs), info.states, len(info.frame(quiet=True))) == (0, {}, 0)
    assert info.refresh().path == run
