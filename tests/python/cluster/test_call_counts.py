"""What a network file system is asked for: each call takes a millisecond there, so calls are counted, exactly."""

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
    import pandas, polars, pyarrow
    import xpframe
    warnings.simplefilter("ignore")
    library, root, delay, *names = sys.argv[1:]
    slow = ctypes.CDLL(library)
    workspace = xpframe.Workspace(root)
    held = {}

    def info():
        return held.setdefault("info", workspace.load_xp_info("grid"))

    def lazy():
        return held.setdefault("lazy", xpframe.scan_xp("grid", workspace=root)).collect()

    def refreshed():
        before = held.pop("info")
        held["info"] = before.refresh()
        return held["info"].since(before)

    questions = {
        "default": lambda: xpframe.xp_frame("grid", workspace=root),
        "state": lambda: xpframe.xp_frame("grid", workspace=root, columns=["state"]),
        "parameters": lambda: xpframe.xp_frame("grid", workspace=root, columns=["config.*", "tags.*"]),
        "failures": lambda: workspace.load_xp_info("grid").failures(),
        "check": lambda: str(workspace.check("grid")),
        "display": lambda: info()._repr_html_(),
        "display again": lambda: info()._repr_html_(),
        "states": lambda: info().states,
        "since": refreshed,
        "lazy": lazy,
        "lazy again": lazy,
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
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that counts calls."""
    path = tmp_path_factory.mktemp("slow") / "slow.so"
    command = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(path)]
    subprocess.run([*command, str(SUPPORT / "faults.c"), "-ldl"], check=True)
    return path


def counted(library: Path, root: Path, *names: str, delay: int = 0) -> dict[str, list[int]]:
    """The calls of some questions by kind, and last how many there were at the same time."""
    command = [sys.executable, "-c", textwrap.dedent(COUNT), str(library), str(root), str(delay), *names]
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


class Runs:
    """Runs of few and of many jobs that ended alike, made once."""

    def __init__(self, directory: Path, library: Path) -> None:
        self.directory, self.library = directory, library

    def calls(self, end: str, *names: str, is_recorded: bool = True) -> tuple[dict[str, Any], dict[str, int]]:
        """The calls of questions for each job, by kind; and those that do not depend on the number of jobs."""
        roots = [self.directory / f"{end}-{is_recorded}-{jobs}" for jobs in (FEW, MANY)]
        for root, jobs in zip(roots, (FEW, MANY), strict=True):
            if not root.exists():
                make_run(root, [end] * jobs, is_recorded=is_recorded)
        few, many = (counted(self.library, root, *names) for root in roots)
        each: dict[str, Any] = {}
        rest = {}
        for name in names:
            pairs = zip(KINDS, few[name], many[name], strict=False)
            shares = {kind: (after - before) / (MANY - FEW) for kind, before, after in pairs}
            each[name] = {kind: share for kind, share in shares.items() if share}
            rest[name] = round(sum(few[name][:5]) - FEW * sum(shares.values()))
        return each, rest


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Runs:
    return Runs(tmp_path_factory.mktemp("counts"), library)


def test_print(runs: Runs) -> None:
    for end in ("done", "failed", "started", "waiting"):
        for recorded in (True, False):
            names = ("default", "state", "parameters", "failures", "check", "display", "display again", "states", "since", "lazy", "lazy again")
            each, rest = runs.calls(end, *names, is_recorded=recorded)
            for name in names:
                print(end, recorded, name, each[name], rest[name])
