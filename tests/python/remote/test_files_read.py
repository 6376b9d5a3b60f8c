"""Which files xpframe opens, as the system sees them: a pulled copy has each of them, and tells the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import sshd
import xpframe
from conftest import Workspaces, references
from strace import require_strace

pytestmark = pytest.mark.slow

RESULTS = ["metrics.json", "results.csv", "log.jsonl"]
# all that reads a workspace; prints what it gave, without the root
EVERY_READING = r"""
import json, pathlib, sys, warnings
import pandas, polars, pyarrow
import xpframe
warnings.simplefilter("ignore")
root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
print("BEGIN", file=sys.stderr, flush=True)
answers = {}

def note(what, call):
    try:
        answer = call()
    except xpframe.XpFrameError as error:
        answer = type(error).__name__
    answers[what] = str(answer).replace(str(root), "<root>")

def rows(frame):
    return frame.to_dict(as_series=False)

def walk(info):
    return [(job, xpframe.asdict(config)) for job, config in info.jobs.items()]

def walk_saved(saved):
    if isinstance(saved, xpframe.Config):
        return xpframe.asdict(saved)
    parts = saved.values() if isinstance(saved, dict) else saved if isinstance(saved, list) else ()
    return [walk_saved(part) for part in parts] or repr(saved)

def facts(info):
    return [info.status, info.hostname, info.started_at, info.ended_at, info.environment, info.states,
            info.tags, info.dependencies, info.saved, [a.describe() for a in info.actions.values()],
            sorted(info.services)]

workspace = xpframe.Workspace(root)
provider = xpframe.WorkspaceStateProvider(root)
options = {"workspace": root, "backend": "polars", "quiet": True}
for name in workspace.experiments():
    note(f"{name} frame", lambda: rows(xpframe.xp_frame(name, run="all", **options)))
    names = ["*", "retries", "exit_code", "dependencies"]
    note(f"{name} every column", lambda: rows(xpframe.xp_frame(name, run="all", columns=names, **options)))
    for results in RESULTS:
        note(f"{name} {results}", lambda: rows(xpframe.xp_frame(name, results=results, **options)))
        note(f"{name} rows of {results}", lambda: rows(xpframe.xp_series(name, results, **options)))
    failures = {"workspace": root, "run": "all", "backend": "polars"}
    note(f"{name} failures", lambda: rows(xpframe.failures(name, **failures)))
    tasks = set(xpframe.xp_frame(name, columns="task", **options)["task"]) if answers[f"{name} frame"] else ()
    for task in sorted(tasks):
        note(f"{name} up.{task}", lambda: rows(xpframe.xp_frame(name, columns=f"up.{task}.*", **options)))
    for run_id in workspace.runs(name):
        info = workspace.load_xp_info(name, run_id)
        note(f"{name} {run_id} objects", lambda: walk(info))
        note(f"{name} {run_id} facts", lambda: facts(info))
        note(f"{name} {run_id} saved", lambda: [walk_saved(info.load(name)) for name in info.saved])
        page = out / f"{name} {run_id}.html"
        note(f"{name} {run_id} report", lambda: info.report(page, results="metrics.json") and "")
        repr(info), info._repr_html_(), info.refresh().since(info)
    note(f"{name} jobs", lambda: provider.get_jobs(name))
    note(f"{name} provided", lambda: [vars(job) for job in provider.get_jobs(name)])
    note(f"{name} services", lambda: provider.get_services(name))
note("experiments", lambda: [(x.experiment_id, x.status, x.total_jobs) for x in provider.get_experiments()])
note("all jobs", lambda: sorted(job.identifier for job in provider.get_all_jobs()))
note("stray", lambda: len(provider.get_stray_jobs()))
before = dict(answers)
workspace._repr_html_()
note("check", workspace.check)
print("END", file=sys.stderr, flush=True)
print(json.dumps(before))
"""
OPENED = re.compile(r"open(?:at|at2)?\(.*= \d+<(?P<path>/[^>]*)>")


def read_all(root: Path, scratch: Path, *before: str) -> dict[str, str]:
    """What all readings of a workspace give."""
    code = EVERY_READING.replace("RESULTS", repr(RESULTS))
    command = [*before, sys.executable, "-B", "-c", code, str(root), str(scratch)]
    environment = {**os.environ, "HOME": str(scratch), "IPYTHONDIR": str(scratch), "TZ": "UTC"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answers


def opened_files(log: Path, root: Path) -> set[Path]:
    """The files below a workspace that a traced process opened, relative to it; directories are left out."""
    lines = log.read_text(errors="replace").splitlines()
    begin, end = (next(n for n, line in enumerate(lines) if f'"{word}' in line) for word in ("BEGIN", "END"))
    paths = {Path(found["path"]) for line in lines[begin:end] if (found := OPENED.search(line))}
    inside = {path for path in paths if path.is_relative_to(root) and path.is_file()}
    return {path.relative_to(root) for path in inside}


def assert_copy_has_all(root: Path, server: sshd.Server, home: Path) -> tuple[set[Path], Path]:
    """A copy has each file that is opened, and every reading of it gives the same."""
    strace, copy, log = require_strace(), home / "copy", home / "calls"
    trace = [strace, "-f", "-y", "-s", "300", "-e", "trace=open,openat,openat2,write", "-o", str(log)]
    answers = read_all(root, home, *trace)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xpframe.pull(f"127.0.0.1:{root}", copy, results=RESULTS, ssh=server.ssh())
    opened = opened_files(log, root)
    # a lock says something only where it is held: the copy has its own
    assert [str(path) for path in sorted(opened) if path.name != "lock" and not (copy / path).is_file()] == []
    got = read_all(copy, home)
    assert got.keys() == answers.keys()
    assert [what for what, answer in answers.items() if got[what] != answer] == []
    return opened, copy


@pytest.mark.parametrize("name", references())
def test_a_copy_has_every_file_that_is_read(
    name: str, workspaces: Workspaces, server: sshd.Server, tmp_path: Path
) -> None:
    opened, _ = assert_copy_has_all(workspaces.path(name), server, tmp_path)
    assert len(opened) > 5
