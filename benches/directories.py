"""Runs whose jobs have directories, for default calls on a local disk and on one that takes 1 ms a call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from workspaces import ROOT, environment, make_directory, run_of

BUILT = ROOT / "target" / "bench-c"
FAULTS = ROOT / "tests" / "python" / "support" / "faults.c"
FLOOR = ROOT / "benches" / "floor.c"
# how the jobs of `slow_run` ended, all of them alike
SLOW_ENDS = {"done": "done", "failed": "failed", "no marker": "unscheduled"}
DELAY = 1_000
# what the status.json of the run says of a job, if not the word itself
RECORDED = {"failed": "error:FAILED", "pid": "running"}


def whole_run(jobs: int) -> Path:
    """A run whose jobs have markers, status.json, logs, params.json, metrics.json; one of twenty failed."""
    run = run_of("rich", jobs, "whole")
    workspace = run.parents[2]
    if not (workspace / "directories").exists():
        print(f"making the directories of the jobs of {workspace.relative_to(ROOT)}", flush=True)
        fill(run, lambda at: "failed" if at % 20 == 19 else "done")
        (workspace / "directories").touch()
    return run


def slow_run(end: str, jobs: int) -> Path:
    """A run whose jobs all ended so."""
    run = run_of("grid", jobs, f"slow-{SLOW_ENDS[end]}")
    workspace = run.parents[2]
    if not (workspace / "directories").exists():
        fill(run, lambda _: SLOW_ENDS[end])
        (workspace / "directories").touch()
    return run


def fill(run: Path, end: Callable[[int], str]) -> None:
    """Makes the directories of all jobs of a run, with the params.json that each was executed with."""
    workspace = run.parents[2]
    objects: dict[int, dict[str, Any]] = {}
    roots, states = {}, {}
    with (run / "objects.jsonl").open() as lines:
        for config in map(json.loads, lines):
            objects[config["id"]] = config
            roots[config["identifier"]] = config["id"]
    with (run / "jobs.jsonl").open() as lines:
        for at, job in enumerate(map(json.loads, lines)):
            directory = workspace / "jobs" / job["task_id"] / job["job_id"]
            make_directory(directory, job, end(at))
            states[job["job_id"]] = RECORDED.get(end(at), end(at))
            if end(at) != "unscheduled":
                used: dict[int, dict[str, Any]] = {}
                collect(objects, roots[job["job_id"]], used)
                params = {"workspace": str(workspace), "version": 2, "objects": list(used.values())}
                (directory / "params.json").write_text(json.dumps(params))
            metrics = {"loss": at / 1_000, "accuracy": 1 - 1 / (at + 1), "eval": {"f1": 0.5}}
            (directory / "metrics.json").write_text(json.dumps(metrics))
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "job_states": states}))


def collect(objects: dict[int, Any], number: int, used: dict[int, Any]) -> None:
    """Adds an object and those below it, children first."""
    if number in used:
        return
    config = objects[number]
    for reference in references([config["fields"], config.get("init-tasks", []), config.get("task")]):
        if reference != number:
            collect(objects, reference, used)
    used[number] = config


def references(value: Any) -> list[int]:
    if isinstance(value, dict):
        if value.get("type") == "python":
            return [value["value"]]
        return [number for item in value.values() for number in references(item)]
    return [number for item in value for number in references(item)] if isinstance(value, list) else []


def compiled(source: Path, *options: str) -> Path:
    """A C program or library, compiled once."""
    made = BUILT / source.stem
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", *options, "-o", str(made), str(source), "-ldl", "-lpthread"], check=True)
    return made


def floor(run: Path) -> Callable[[], dict[str, float]]:
    """Opens and reads the files that a default call reads, on two threads."""
    listed = BUILT / f"{run.parents[2].name}.txt"
    program = compiled(FLOOR)
    of_jobs = (run.parents[2] / "jobs").glob("*/*/.experimaestro/status.json")
    of_run = [run / name for name in ("jobs.jsonl", "objects.jsonl", "status.json")]
    listed.write_text("".join(f"{path}\n" for path in [*of_run, *of_jobs]))

    def once() -> dict[str, float]:
        done = subprocess.run([str(program), str(listed)], check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    return once


# {question: seconds and calls}, each question asked once after a run of the same kind of 30 jobs
SLOW = """
    import ctypes, json, sys, time, warnings
    import pandas, polars, pyarrow
    import xpframe
    warnings.simplefilter("ignore")
    library, run, delay, *names = sys.argv[1:]
    root, experiment = run.split("/experiments/")[0], run.split("/")[-2]
    slow = ctypes.CDLL(library)
    held = {}

    def info():
        if "info" not in held:
            held["info"] = xpframe.load_xp_info(run)
        return held["info"]

    def lazy():
        if "lazy" not in held:
            chosen = polars.col("tags.hidden_size") == held["size"]
            held["lazy"] = xpframe.scan_xp(experiment, workspace=root).filter(chosen)
        return held["lazy"].collect().height

    def refreshed():
        before = held.pop("info")
        held["info"] = before.refresh()
        return held["info"].since(before)

    questions = {
        "default": lambda: xpframe.xp_frame(experiment, workspace=root),
        "state": lambda: xpframe.xp_frame(experiment, workspace=root, columns=["state"]),
        "failures": lambda: xpframe.load_xp_info(run).failures(),
        "results": lambda: xpframe.xp_frame(experiment, workspace=root, results="metrics.json"),
        "check": lambda: str(xpframe.Workspace(root).check(experiment)),
        "display": lambda: info()._repr_html_(),
        "displayed again": lambda: info()._repr_html_(),
        "refresh, since": refreshed,
        "filtered scan": lazy,
        "collected again": lazy,
    }
    held["size"] = xpframe.xp_frame(run, columns=["tags.hidden_size"], backend="polars")[0, 0]
    for name in names:  # imports are nobody's merit
        questions[name]()
    held = {"size": held["size"]}
    found = {}
    for name in names:
        slow.slow_arm(root.encode(), int(delay))
        start = time.perf_counter()
        questions[name]()
        found[name] = time.perf_counter() - start
        calls, together = (ctypes.c_long * 5)(), ctypes.c_int()
        slow.slow_disarm(calls, ctypes.byref(together))
        found[name + ", calls"] = sum(calls)
    print(json.dumps(found))
"""
QUESTIONS = {
    "done": (
        "default",
        "state",
        "failures",
        "results",
        "check",
        "display",
        "displayed again",
        "refresh, since",
        "filtered scan",
        "collected again",
    ),
    "failed": ("default", "state", "failures"),
    "no marker": ("default", "state"),
}


def waiting(end: str, jobs: int) -> Callable[[], dict[str, float]]:
    """What questions take where each call takes a millisecond."""
    return partial(ask_slowly, slow_run(end, jobs), QUESTIONS[end])


def ask_slowly(run: Path, names: tuple[str, ...]) -> dict[str, float]:
    library = compiled(FAULTS, "-shared", "-fPIC")
    command = [sys.executable, "-c", textwrap.dedent(SLOW), str(library), str(run), str(DELAY), *names]
    preloaded = {**os.environ, **environment(), "LD_PRELOAD": str(library)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=preloaded)
    found: dict[str, float] = json.loads(done.stdout)
    return found
