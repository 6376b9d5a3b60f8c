"""The sample workspace is real: experimaestro itself reads what xpframe ships."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from xpframe import Workspace, sample_workspace, xp_frame

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = ROOT / "python" / "xpframe" / "_sample" / "workspace.tar.gz"

# what experimaestro says, in a process of its own: the code of the jobs is importable there only
OFFICIAL = """
import json, sys
from pathlib import Path
from experimaestro import load, load_xp_info
run = Path(sys.argv[1])
info = load_xp_info(run)
jobs = list(info.jobs.items())
models = [config.model for _, config in jobs]
print(json.dumps({
    "jobs": [[key, job.model.name, job.model.hidden_size, job.learning_rate] for key, job in jobs],
    "shared": [[models.index(next(other for other in models if other is model))] for model in models],
    "actions": [[key, action.describe()] for key, action in info.actions.items()],
    "saved": load(run / "data" / "default").learning_rate,
}))
"""


def the_run(workspace: Path) -> Path:
    (run,) = workspace.glob("experiments/grid-search/2*")
    return run


def test_experimaestro_agrees(tmp_path: Path) -> None:
    """experimaestro loads the sample: same jobs in the same order, same shared models, same action."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    command = [sys.executable, "-c", OFFICIAL, str(the_run(tmp_path / "sample"))]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "sample")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    official = json.loads(done.stdout)

    info = Workspace(sample_workspace()).load_xp_info("grid-search")
    jobs = list(info.jobs.items())
    models = [config.model for _, config in jobs]
    ours = {
        "jobs": [[key, job.model.name, job.model.hidden_size, job.learning_rate] for key, job in jobs],
        "shared": [[models.index(next(other for other in models if other is model))] for model in models],
        "actions": [[key, action.describe()] for key, action in info.actions.items()],
        "saved": Workspace(sample_workspace()).load("grid-search").learning_rate,
    }
    assert len(official["jobs"]) == 12
    assert len({tuple(group) for group in official["shared"]}) == 4
    assert ours == official


def test_one_job_failed() -> None:
    """Eleven jobs are done and left a metrics file; the twelfth diverged and left none."""
    frame = xp_frame("grid-search", workspace=sample_workspace(), backend="polars")
    states = frame["state"].to_list()
    assert states.count("done") == 11
    (failed,) = [row for row in frame.iter_rows(named=True) if row["state"] != "done"]
    assert (failed["tags.hidden_size"], failed["tags.learning_rate"]) == (512, 0.1)
    metrics = list(sample_workspace().glob("jobs/*/*/metrics.json"))
    assert len(metrics) == 11
    assert all({"loss", "accuracy"} < set(json.loads(file.read_text())) for file in metrics)
    assert failed["job_id"] not in {file.parent.name for file in metrics}
    assert "diverged" in next(sample_workspace().glob(f"jobs/*/{failed['job_id']}/train.err")).read_text()


def test_links_and_hidden_files_survive() -> None:
    """What a wheel would lose is there: links that resolve, hidden files, empty directories."""
    workspace = sample_workspace()
    experiment = workspace / "experiments" / "grid-search"
    assert (experiment / "current").resolve() == the_run(workspace)
    links = list((experiment / "current").glob("jobs/*/*"))
    assert len(links) == 12
    assert all(link.is_symlink() and (link / "params.json").exists() for link in links)
    assert (workspace / ".__experimaestro__").exists()
    assert len(list(workspace.glob("jobs/*/*/.experimaestro/status.json"))) == 12


def test_says_nothing_of_its_maker() -> None:
    """No member of the archive names a directory or the host of the machine that made it; all is small."""
    inside = re.compile(rb"/(?:wor[k]|roo[t]|tm[p]|hom[e]|User[s])/")
    seen = 0
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            if member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                text = content.read()
                seen += 1
                assert not inside.search(text), member.name
                assert set(re.findall(rb'"hostname": "([^"]*)"', text)) <= {b"lab"}, member.name
    assert seen > 80
    assert ARCHIVE.stat().st_size < 60_000


def test_directory_lives_as_long_as_the_process() -> None:
    """One directory a process: the same at each call, whole, gone when the process has ended."""
    code = (
        "from xpframe import sample_workspace as s; assert s() == s()\n"
        "print(s(), len(list(s().glob('jobs/*/*'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    directory, jobs = done.stdout.split()
    assert int(jobs) == 12
    assert directory != str(sample_workspace())
    assert not Path(directory).parent.exists()


def test_a_copy_that_stays(tmp_path: Path) -> None:
    """A named directory gets the same files, links and times, and is never written over."""
    copy = sample_workspace(tmp_path / "deep" / "copy")
    assert copy == tmp_path / "deep" / "copy"
    below = {path.relative_to(copy) for path in copy.rglob("*")}
    assert below == {path.relative_to(sample_workspace()) for path in sample_workspace().rglob("*")}
    frames = [
        xp_frame("grid-search", workspace=root, backend="polars").drop("path")
        for root in (copy, sample_workspace())
    ]
    assert frames[0].equals(frames[1])
    with pytest.raises(FileExistsError):
        sample_workspace(copy)


def test_fork_does_not_take_the_directory_along() -> None:
    """A forked process that ends does not remove its parent's directory, and gets its own when it asks."""
    code = (
        "import os, sys\n"
        "from xpframe import sample_workspace\n"
        "mine = sample_workspace()\n"
        "if os.fork() == 0:\n"
        "    assert sample_workspace() != mine\n"
        "    sys.exit(0)\n"
        "assert os.wait()[1] == 0\n"
        "print((mine / 'jobs').exists())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True"]


def test_recipe_is_what_was_run() -> None:
    """The identifiers in the archive are those of the classes in tests/sample: the recipe is not stale."""
    code = (
        "from lab.tasks import Model, Train\n"
        "for rate in (0.1, 0.01, 0.001):\n"
        "    for size in (64, 128, 256, 512):\n"
        "        train = Train.C(model=Model.C(name='transformer', hidden_size=size), learning_rate=rate)\n"
        "        print(train.__xpm__.identifier)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "sample")}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    with (the_run(sample_workspace()) / "jobs.jsonl").open() as lines:
        recorded = [json.loads(line)["job_id"] for line in lines]
    assert len(recorded) == 12
    assert done.stdout.split() == recorded
