"""The workspaces that are measured: made once by gen.py, kept in bench-data."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import gen
import make_results

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "bench-data"
FILES = ("objects.jsonl", "jobs.jsonl")
# how the jobs of `with_directories` ended, of each twenty
ENDS = ("done",) * 18 + ("failed", "pid")
# 2026-03-19T12:10:16.569952 UTC in nanoseconds
ENDED = 1_773_922_216_569_952_000


def run_of(shape: str, jobs: int, name: str | None = None) -> Path:
    """The run directory of a workspace of a shape."""
    made = DATA / f"{name or shape}-{jobs}"
    run = run_in(made, shape)
    if not (run / "status.json").exists():
        print(f"making {made.relative_to(ROOT)}", flush=True)
        gen.generate(shape, jobs, made)
    return run


def run_in(workspace: Path, shape: str) -> Path:
    """Where gen.py puts its run."""
    return workspace / "experiments" / shape / gen.RUN_ID


def size_of(run: Path) -> int:
    """The bytes of the two files that a frame is made of."""
    return sum((run / name).stat().st_size for name in FILES)


def cut(run: Path, jobs: int) -> dict[str, int]:
    """How long the files were when the run had so many jobs, by name of the file."""
    ends = {}
    with (run / "jobs.jsonl").open("rb") as lines:
        line = b""
        for _ in range(jobs):
            line = lines.readline()
        job_id = json.loads(line)["job_id"].encode()
        ends["jobs.jsonl"] = lines.tell()
    with (run / "objects.jsonl").open("rb") as lines:
        needle = b'"identifier":"' + job_id
        for line in iter(lines.readline, b""):
            if needle in line:
                ends["objects.jsonl"] = lines.tell()
                return ends
    raise AssertionError(f"{run}: no object {job_id!r}")


def copy_cut(run: Path, shape: str, jobs: int, into: Path) -> tuple[Path, dict[str, bytes]]:
    """A copy of a run as it was when it had so many jobs, and what came after, by name of the file."""
    ends = cut(run, jobs)
    copied = run_in(into, shape)
    copied.mkdir(parents=True)
    (into / ".__experimaestro__").touch()
    shutil.copy(run / "status.json", copied)
    rest = {}
    for name, end in ends.items():
        content = (run / name).read_bytes()
        (copied / name).write_bytes(content[:end])
        rest[name] = content[end:]
    return copied, rest


def with_directories(jobs: int) -> Path:
    """The run directory of a workspace whose jobs have directories, as experimaestro 2.7.0 leaves them."""
    run = run_of("rich", jobs, "states")
    workspace = run.parents[2]
    if (workspace / "directories").exists():
        return run
    print(f"making the directories of the jobs of {workspace.relative_to(ROOT)}", flush=True)
    with (run / "jobs.jsonl").open() as lines:
        for at, line in enumerate(lines):
            job = json.loads(line)
            make_directory(workspace / "jobs" / job["task_id"] / job["job_id"], job, ENDS[at % len(ENDS)])
    (workspace / "directories").touch()
    return run


def with_results(jobs: int, scalars: int = 500) -> Path:
    """The run directory of a workspace whose jobs have result files, with so many scalars each."""
    run = run_of("grid", jobs, f"results-{scalars}")
    workspace = run.parents[2]
    if not (workspace / "written").exists():
        print(f"making the result files of {workspace.relative_to(ROOT)}", flush=True)
        make_results.make(run, scalars)
        (workspace / "written").touch()
    return run


def make_directory(directory: Path, job: dict[str, str], end: str) -> None:
    """What a job leaves that ended so, its parameters and results aside; some states have no marker."""
    (directory / ".experimaestro").mkdir(parents=True, exist_ok=True)
    state = {"done": "done", "failed": "error", "pid": "running"}.get(end, end)
    status: dict[str, object] = {
        "job_id": job["job_id"],
        "task_id": job["task_id"],
        "path": str(directory),
        "state": state,
        "failure_reason": "FAILED" if end == "failed" else None,
        "scheduler_state": state,
        "scheduler_failure_reason": None,
        "started_time": "2026-03-19T12:00:10.365599",
        "ended_time": "2026-03-19T12:10:16.569952" if end in ENDS and end != "pid" else None,
        "exit_code": None,
        "retry_count": 0,
        "resumable": False,
        "progress": [],
        "process": None,
        "run_group_id": "20260319-120000.95",
        "events_count": 0,
    }
    (directory / ".experimaestro" / "status.json").write_text(json.dumps(status))
    name = job["task_id"].rpartition(".")[2]
    for suffix in ("lock", "out", "err"):
        (directory / f"{name}.{suffix}").touch()
    content = {"failed": '{"code": 1, "reason": "FAILED"}', "pid": '{"type": "local", "pid": 1}', "done": ""}
    if end in content:
        marker = directory / f"{name}.{end}"
        marker.write_text(content[end])
        # `ended_time` is the time of the marker
        os.utime(marker, ns=(ENDED, ENDED))


def environment() -> dict[str, str]:
    """What a process needs to find the modules of this directory, and the module that is measured."""
    paths = [str(ROOT / "benches"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def refuse_slow_build() -> None:
    """An unoptimised module would be measured without a word; `make bench` puts the optimised one first."""
    from importlib.util import find_spec

    found = find_spec("xpframe")
    place = str(found and found.origin)
    if "release-site" not in place and "XPFRAME_BENCH_ANY" not in os.environ:
        raise SystemExit(f"{place} is not the optimised module: use `make bench`")
