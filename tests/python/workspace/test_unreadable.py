"""One directory that cannot be read does not hide the others. Root's right to read everything is dropped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from small_runs import SmallRun, job_id

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
HEAD = """
import json, sys, warnings
import xpframe
warnings.simplefilter("ignore", xpframe.XpFrameWarning)
root = sys.argv[1]
def told(errors):
    return [f"{type(error).__name__}: {error.file}" for error in errors]
def tell(**facts):
    print(json.dumps(facts))
"""


def run_without_rights(root: Path, code: str) -> Any:
    """What a program says that may not read everything."""
    done = subprocess.run(
        [*PREFIX, sys.executable, "-c", HEAD + code, str(root)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """Three experiments, `b` of which cannot be listed; `c` has a run that cannot be entered."""
    root = tmp_path / "ws"
    SmallRun(root, experiment="a").submit(0)
    bad = SmallRun(root, experiment="b")
    bad.submit(1)
    bad.execute(1)
    SmallRun(root, experiment="c").submit(2)
    locked = SmallRun(root, run_id="20260102_120000", experiment="c")
    locked.submit(3)
    (root / "experiments/c/current").symlink_to("20260101_120000")
    directories = [bad.path.parent, locked.path]
    for directory in directories:
        directory.chmod(0)
    yield root
    for directory in directories:
        directory.chmod(0o755)


def test_frames_of_all_experiments(workspace: Path) -> None:
    """Globs and lists give everything that can be read; `.errors` has the rest."""
    code = """
for experiment in ("*", ["a", "b", "c"]):
    table = xpframe.xp_table(experiment, workspace=root, columns=["experiment", "job_id"])
    tell_now = [table.column_values("experiment"), told(table.errors)]
    seen = globals().setdefault("seen", [])
    seen.append(tell_now)
tell(seen=seen)
"""
    bad = f"ReadError: {workspace}/experiments/b/current"
    assert run_without_rights(workspace, code) == {"seen": [[["a", "c"], [bad]]] * 2}


def test_all_runs_and_scans(workspace: Path) -> None:
    """With all runs, one unreadable run and one unreadable experiment are told, lazily too."""
    code = """
table = xpframe.xp_table("*", workspace=root, run="all", columns=["experiment", "run", "job_id"])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    lazy = xpframe.scan_xp("*", workspace=root, run="all", columns=["experiment", "job_id"])
    frame = lazy.collect()
tell(eager=table.column_values("experiment"), lazy=frame["experiment"].to_list(), errors=told(table.errors),
     caught=sorted({told_one for one in caught for told_one in told(one.message.errors)}))
"""
    said = run_without_rights(workspace, code)
    assert said["eager"] == said["lazy"] == ["a", "c"]
    assert f"ReadError: {workspace}/experiments/b" in said["errors"]
    locked = f"{workspace}/experiments/c/20260102_120000"
    assert any(locked in error for error in said["errors"])
    assert set(said["errors"]) <= set(said["caught"])


def test_lists_and_checks(workspace: Path) -> None:
    """`experiments`, `errors`, `failures`, `check`, the display of a workspace; `ls` says what is missing."""
    code = """
import io, contextlib
from xpframe.cli import main
opened = xpframe.Workspace(root)
findings = opened.check()
out, err = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main(["ls", "-w", root, "--json"])
failures = xpframe.failures("*", workspace=root, backend="polars")
tell(experiments=opened.experiments(), errors=told(opened.errors), html=len(opened._repr_html_()),
     text=repr(opened), runs=findings.seen["runs"], failures=len(failures),
     orphans=sum(one.kind == "orphan-job" for one in findings),
     found=[[one.kind, one.file] for one in findings if one.kind == "unreadable-file"],
     code=code, ls=json.loads(out.getvalue()), err=err.getvalue())
"""
    said = run_without_rights(workspace, code)
    bad = f"{workspace}/experiments/b"
    assert said["experiments"] == ["a", "b", "c"]
    assert said["errors"] == [f"ReadError: {bad}"]
    assert said["runs"] == 3
    assert said["failures"] == 0
    assert ["unreadable-file", bad] in said["found"]
    # the run that lists the job may be the one that cannot be read
    assert said["orphans"] == 0
    assert said["code"] == 0
    assert {row["experiment"]: row["runs"] for row in said["ls"]} == {"a": 1, "b": None, "c": 2}
    assert bad in said["err"]


def test_experiments_that_cannot_be_listed_are_told_once(workspace: Path) -> None:
    """Where no experiment can be listed, the error is enough: no warning says the same."""
    code = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        xpframe.Workspace(root).experiments()
    except xpframe.XpFrameError as error:
        tell(said=told([error]), warned=len(caught))
"""
    (workspace / "experiments").chmod(0)
    try:
        said = run_without_rights(workspace, code)
    finally:
        (workspace / "experiments").chmod(0o755)
    assert said == {"said": [f"ReadError: {workspace}/experiments"], "warned": 0}


def test_jobs_are_found_by_their_ids(workspace: Path) -> None:
    """A job is found among the experiments that can be read."""
    code = """
from xpframe.analysis.diff import find_job
tell(job=find_job(sys.argv[2], root).n)
"""
    code = code.replace("sys.argv[2]", repr(job_id(2)))
    assert run_without_rights(workspace, code) == {"job": 2}


def test_what_is_asked_by_its_name_raises(workspace: Path) -> None:
    """The only experiment that was asked for is an error, and so is a strict read of all."""
    code = """
said = []
for call in (lambda: xpframe.xp_frame("b", workspace=root), lambda: xpframe.xp_frame(["b"], workspace=root),
             lambda: xpframe.xp_frame("*", workspace=root, strict=True),
             lambda: xpframe.Workspace(root).runs("b")):
    try:
        call()
        said.append("nothing")
    except xpframe.XpFrameError as error:
        said += told([error])
tell(said=said)
"""
    bad = f"ReadError: {workspace}/experiments/b"
    assert run_without_rights(workspace, code) == {"said": [*[f"{bad}/current"] * 3, bad]}


def test_job_directories_that_cannot_be_listed(workspace: Path) -> None:
    """Without the right to list `jobs/`, rows keep their parameters, and the loss is told."""
    (workspace / "jobs").mkdir(exist_ok=True)
    (workspace / "jobs").chmod(0)
    code = """
table = xpframe.xp_table("a", workspace=root, columns=["job_id", "state", "config.n"])
tell(rows=[table.column_values(name) for name in table.column_names], errors=told(table.errors))
"""
    try:
        said = run_without_rights(workspace, code)
    finally:
        (workspace / "jobs").chmod(0o755)
    assert (said["rows"][0], said["rows"][2]) == ([job_id(0)], [0])
    assert said["errors"]


def test_what_cannot_be_read_is_not_gone(workspace: Path) -> None:
    """`check` has one finding for a directory of jobs that cannot be read: no job is gone, nor is a path."""
    run = SmallRun(workspace, experiment="d")
    for number in range(5, 8):
        run.submit(number)
        run.execute(number)
    tasks = [path for path in (workspace / "jobs").iterdir() if path.name.endswith("train")]
    code = """
found = xpframe.Workspace(root).check("d")
tell(found=sorted([one.kind, one.file] for one in found if one.severity != "info"))
"""
    for path in tasks:
        path.chmod(0)
    try:
        said = run_without_rights(workspace, code)
    finally:
        for path in tasks:
            path.chmod(0o755)
    assert said == {"found": [["unreadable-file", str(path)] for path in tasks]}


def test_result_files_tell_what_cannot_be_listed(workspace: Path) -> None:
    """The files of the other jobs are listed, and one warning names the directory that cannot be."""
    run = SmallRun(workspace, experiment="d")
    directories = []
    for number in (5, 6):
        run.submit(number)
        directories.append(run.execute(number))
        (directories[-1] / "metrics.json").write_text("{}")
    directories[0].chmod(0)
    code = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    found = xpframe.result_files("d", workspace=root)
tell(found=[[one.handle, one.files] for one in found], warned=[str(one.message) for one in caught])
"""
    try:
        said = run_without_rights(workspace, code)
    finally:
        directories[0].chmod(0o755)
    assert said["found"] == [["out", 1], ["metrics.json", 1]]
    told = f"could not be read: {directories[0]}: cannot be listed: Permission denied"
    assert said["warned"] == [told]


def test_a_whole_experiment_is_told_first(workspace: Path) -> None:
    """The warning names an experiment that cannot be read, not a job of one that is read before it."""
    run = SmallRun(workspace, experiment="a", run_id="20260103_120000")
    run.submit(5)
    directory = run.execute(5)
    directory.chmod(0)
    code = """
table = xpframe.xp_table(["a", "b"], workspace=root)
tell(errors=told(table.errors))
"""
    try:
        said = run_without_rights(workspace, code)
    finally:
        directory.chmod(0o755)
    assert said["errors"][0] == f"ReadError: {workspace}/experiments/b/current"
    assert len(said["errors"]) > 1


def test_an_unreadable_log_is_told_once(workspace: Path) -> None:
    """A failed job whose log cannot be read is one failure, and one error."""
    run = SmallRun(workspace, experiment="logs")
    run.submit(9)
    log = run.execute(9, marker="failed") / "train.err"
    log.write_text("Traceback")
    log.chmod(0)
    code = """
from xpframe.failed_jobs import named_failures
found = named_failures("logs", workspace=root)
tell(failures=len(found), errors=told(found.errors))
"""
    assert run_without_rights(workspace, code) == {"failures": 1, "errors": [f"ReadError: {log}"]}


def test_the_provider_leaves_out_what_it_cannot_read(workspace: Path) -> None:
    """Lists leave out one experiment with a warning; a name raises; orphans and strays are not guessed."""
    code = """
provider = xpframe.WorkspaceStateProvider(root)
def ask(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = call()
        except xpframe.XpFrameError as error:
            return told([error])
    return [answer, [name for one in caught for name in told(one.message.errors)]]
tell(lists={
        "get_experiments": ask(lambda: [run.experiment_id for run in provider.get_experiments()]),
        "get_jobs": ask(lambda: [job.experiment_id for job in provider.get_jobs()]),
        "get_all_jobs": ask(lambda: [job.experiment_id for job in provider.get_all_jobs()]),
        "get_services": ask(lambda: ["a", "c", *provider.get_services()]),
    },
    named={name: ask(lambda: getattr(provider, name)("b")) for name in
        ("get_experiment", "get_current_run", "get_experiment_runs", "get_jobs", "get_services",
         "load_xp_info")},
    guesses=[ask(provider.get_orphan_jobs), ask(provider.get_stray_jobs)],
)
"""
    said = run_without_rights(workspace, code)
    bad = f"ReadError: {workspace}/experiments/b"
    assert [answer[0] for answer in said["lists"].values()] == [["a", "c"]] * 4
    assert all(len(answer[1]) == 1 and answer[1][0].startswith(bad) for answer in said["lists"].values())
    answers = [*said["named"].values(), *said["guesses"]]
    assert all(len(answer) == 1 and str(answer[0]).startswith(bad) for answer in answers)
