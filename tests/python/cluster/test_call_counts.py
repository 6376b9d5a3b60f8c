"""What a network file system is asked for: each call takes a millisecond there, so all are counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from conftest import SUPPORT
from many_jobs import make_run

KINDS = ("looks", "opens", "reads", "lists", "locks")
FEW, MANY = 40, 140

# {question: calls by kind, and how many there were at the same time}
COUNT = """
    import ctypes, json, sys, warnings
    import xpframe
    warnings.simplefilter("ignore")
    shim, root, delay, *names = sys.argv[1:]
    slow = ctypes.CDLL(shim)
    workspace = xpframe.Workspace(root)
    held = {}

    def info():
        if "info" not in held:
            held["info"] = workspace.load_xp_info("grid")
        return held["info"]

    def lazy():
        if "lazy" not in held:
            held["lazy"] = xpframe.scan_xp("grid", workspace=root)
        return held["lazy"].collect()

    def refreshed():
        before = held.pop("info")
        held["info"] = before.refresh()
        return held["info"].since(before)

    questions = {
        "default": lambda: xpframe.xp_table("grid", workspace=root),
        "state": lambda: xpframe.xp_table("grid", workspace=root, columns=["state"]),
        "parameters": lambda: xpframe.xp_table("grid", workspace=root, columns=["config.*", "tags.*"]),
        "failures": lambda: workspace.load_xp_info("grid").failures(),
        "check": lambda: str(workspace.check("grid")),
        "display": lambda: info()._repr_html_(),
        "display again": lambda: info()._repr_html_(),
        "states": lambda: info().states,
        "states again": lambda: info().states,
        "since": refreshed,
        "lazy": lazy,
        "lazy again": lazy,
        "runs": lambda: xpframe.xp_table("grid", workspace=root, run="all", columns=["config.*"]),
    }
    counted = {}
    for name in names:
        slow.slow_arm(root.encode(), int(delay))
        questions[name]()
        calls, together = (ctypes.c_long * 5)(), ctypes.c_int()
        slow.slow_disarm(calls, ctypes.byref(together))
        counted[name] = [*calls, together.value]
    print(json.dumps(counted))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim that counts calls."""
    path = tmp_path_factory.mktemp("slow") / "slow.so"
    command = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(path)]
    subprocess.run([*command, str(SUPPORT / "faults.c"), "-ldl"], check=True)
    return path


def counted(shim: Path, root: Path, *names: str, delay: int = 0) -> dict[str, list[int]]:
    """The calls of some questions by kind, and last how many there were at the same time."""
    command = [sys.executable, "-c", textwrap.dedent(COUNT), str(shim), str(root), str(delay), *names]
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


class Runs:
    """Runs of few and of many jobs that ended alike, made once."""

    def __init__(self, directory: Path, shim: Path) -> None:
        self.directory, self.shim = directory, shim

    def calls(self, end: str, *names: str, is_recorded: bool = True) -> tuple[dict[str, Any], dict[str, int]]:
        """The calls of questions for each job, by kind; and how many do not depend on the number of jobs."""
        roots = [self.directory / f"{end}-{is_recorded}-{jobs}" for jobs in (FEW, MANY)]
        for root, jobs in zip(roots, (FEW, MANY), strict=True):
            if not root.exists():
                make_run(root, [end] * jobs, is_recorded=is_recorded)
        few, many = (counted(self.shim, root, *names) for root in roots)
        each: dict[str, Any] = {}
        rest = {}
        for name in names:
            pairs = zip(KINDS, few[name], many[name], strict=False)
            shares = {kind: (after - before) / (MANY - FEW) for kind, before, after in pairs}
            each[name] = {kind: share for kind, share in shares.items() if share}
            rest[name] = round(sum(few[name][:5]) - FEW * sum(shares.values()))
        return each, rest


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, shim: Path) -> Runs:
    return Runs(tmp_path_factory.mktemp("counts"), shim)


def look_open_read(looks: int, opens: int, reads: int, lists: int = 0) -> dict[str, int]:
    counts = {"looks": looks, "opens": opens, "reads": reads, "lists": lists}
    return {kind: count for kind, count in counts.items() if count}


# of each job. done: its marker, status.json (look, open, read). Others: the directory is opened and listed,
# then what is in it is opened and read; params.json tells whether a job without marker began
EACH = {
    "done": {
        "default": look_open_read(2, 1, 1),
        "state": look_open_read(1, 0, 0),
        "failures": look_open_read(1, 0, 0),
        "check": look_open_read(3, 3, 2, 1),
    },
    "failed": {
        "default": look_open_read(1, 3, 2, 1),
        "state": look_open_read(0, 2, 1, 1),
        "failures": look_open_read(2, 4, 3, 1),
        "check": look_open_read(2, 4, 3, 1),
    },
    "started": {
        "default": look_open_read(2, 2, 1, 1),
        "state": look_open_read(1, 2, 1, 1),
        "failures": look_open_read(3, 4, 3, 1),
        "check": look_open_read(4, 4, 3, 1),
    },
    "waiting": {
        "default": look_open_read(1, 2, 1, 1),
        "state": look_open_read(1, 2, 1, 1),
        "failures": look_open_read(1, 2, 1, 1),
        "check": look_open_read(1, 2, 1, 1),
    },
}
# more calls than these do not depend on the jobs: names are looked up, and the files of the run read
MOST = {"default": 85, "state": 55, "failures": 90, "check": 105}


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "killed"])
@pytest.mark.parametrize("end", EACH)
def test_calls_for_each_job(end: str, is_recorded: bool, runs: Runs) -> None:
    """A job costs so many calls, whether or not the run recorded how it ended."""
    each, rest = runs.calls(end, *MOST, is_recorded=is_recorded)
    assert each == EACH[end]
    assert {name: count for name, count in rest.items() if count > MOST[name]} == {}


def test_parameters_ask_nothing_of_jobs(runs: Runs) -> None:
    """Without columns of states and times no job's directory is looked at."""
    each, rest = runs.calls("done", "parameters")
    assert each == {"parameters": {}}
    assert rest["parameters"] <= 70


def test_done_jobs_are_looked_at_once(runs: Runs) -> None:
    """Displays, states and queries after the first ask nothing of a job that was done; refresh asks once."""
    each, rest = runs.calls("done", "states", "states again", "since", "lazy", "lazy again")
    once = {"looks": 1}
    assert each == {
        "states": once,
        "states again": {},
        "since": once,
        "lazy": look_open_read(2, 1, 1),
        "lazy again": {},
    }
    assert rest["states again"] == 0
    assert rest["lazy again"] <= 30


def test_unfinished_jobs_are_looked_at_again(runs: Runs) -> None:
    """A job that may still change is asked about each time."""
    each, _ = runs.calls("started", "states", "states again", "lazy", "lazy again")
    assert each["states"] == each["states again"] == EACH["started"]["state"]
    assert each["lazy"] == each["lazy again"] == EACH["started"]["default"]


@pytest.mark.parametrize("end", ["done", "failed"])
def test_threads_wait_together(end: str, runs: Runs) -> None:
    """Where a call takes a millisecond, many wait at the same time, whatever the processors."""
    root = runs.directory / f"{end}-slow"
    make_run(root, [end] * 300)
    questions = ["default", "state", "failures", "check", "display", "lazy"]
    found = counted(runs.shim, root, *questions, delay=1_000)
    assert {name: calls[-1] for name, calls in found.items() if not 24 <= calls[-1] <= 40} == {}


def test_runs_are_waited_for_together(tmp_path: Path, shim: Path) -> None:
    """Small runs are read at the same time where a call takes a millisecond."""
    for number in range(40):
        make_run(tmp_path, ["done"] * 2, run_id=f"20260319_12{number:02}00", first=2 * number)
    assert counted(shim, tmp_path, "runs", delay=1_000)["runs"][-1] >= 16


def test_displays_list_few_directories(tmp_path: Path, shim: Path) -> None:
    """A display lists 64 directories for what jobs wrote, and looks for the states of done jobs once."""
    make_run(tmp_path, ["done"] * 300)
    found = counted(shim, tmp_path, "display", "display again")
    first, again = (sum(found[name][:5]) for name in ("display", "display again"))
    assert first - again >= 300
    assert again <= 2 * 64 + 20
