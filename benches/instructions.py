"""Counts the instructions of a frame under callgrind, and fails when they are more than they were.

    python benches/instructions.py [--update | --profile [SHAPE]]

Wall time is too noisy to guard against small losses; instructions are not. The program counted is
examples/frame.rs, on one processor, with runs of 10,000 jobs whose bytes are the same wherever they are made.
Two frames are counted: tags and parameters, and the default columns, which may cost 1.5 times as many.
What was counted last is in instructions.json, written by `--update`; the compiler is noted beside it.
`--profile` says instead which functions they are spent in.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gen
from workspaces import ROOT, run_in

PROGRAM = ROOT / "target" / "profiling" / "examples" / "frame"
KEPT = ROOT / "benches" / "instructions.json"
SHAPES = ("grid", "rich", "wide")
JOBS = 10_000
TOLERANCE = 0.03
# the frames that are counted, with the arguments of the program
FRAMES: dict[str, tuple[str, ...]] = {"parameters": (), "default": ("1", "default")}
MOST_FOR_DEFAULT = 1.5


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="keep what is counted now")
    parser.add_argument(
        "--profile", nargs="?", const="rich", choices=SHAPES, help="which functions they are in"
    )
    asked = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is missing: install it (apt-get install valgrind)")
    # how work is cut for threads depends on the processors at hand
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if asked.profile:
        print(profile(asked.profile))
        return 0
    counted = {frame: {shape: count(shape, frame) for shape in SHAPES} for frame in FRAMES}
    compiler = said_by("rustc", "--version")
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if asked.update:
        KEPT.write_text(json.dumps({"compiler": compiler, **counted}, indent=2) + "\n")
        print(f"written: {KEPT.relative_to(ROOT)}")
        return 0
    return judge(counted, kept, compiler)


def judge(counted: dict[str, dict[str, int]], kept: dict[str, Any], compiler: str) -> int:
    """The exit code: 1 when some frame costs more than it did, or too much more than that of parameters."""
    if not kept:
        raise SystemExit(f"{KEPT.relative_to(ROOT)} is missing: make bench-instructions ARGS=--update")
    if kept["compiler"] != compiler:
        print(f"kept counts are of {kept['compiler']}, these of {compiler}: compare with care")
    missed = False
    for frame, shape in [(frame, shape) for frame in FRAMES for shape in SHAPES]:
        number, before = counted[frame][shape], kept[frame][shape]
        change = number / before - 1
        missed |= change > TOLERANCE
        print(
            f"{verdict(change <= TOLERANCE)} {shape}, {frame}: {number:,} instructions, "
            f"{change:+.1%} of {before:,}; at most {TOLERANCE:+.0%}"
        )
        if change < -TOLERANCE:
            print(f"       {shape}, {frame} is better than what is kept: --update keeps that")
    for shape in SHAPES:
        ratio = counted["default"][shape] / counted["parameters"][shape]
        missed |= ratio > MOST_FOR_DEFAULT
        print(
            f"{verdict(ratio <= MOST_FOR_DEFAULT)} {shape}: default / parameters {ratio:.2f}; "
            f"at most {MOST_FOR_DEFAULT}"
        )
    return int(missed)


def verdict(is_met: bool) -> str:
    return "met   " if is_met else "MISSED"


def count(shape: str, frame: str) -> int:
    """The instructions of one frame."""
    with tempfile.TemporaryDirectory() as made:
        out = called(shape, Path(made), *FRAMES[frame])
        found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    assert found, "callgrind tells no total"
    return int(found[1])


def profile(shape: str) -> str:
    """The functions in which most instructions of one full frame are."""
    with tempfile.TemporaryDirectory() as made:
        return said_by("callgrind_annotate", "--threshold=90", str(called(shape, Path(made))))


def called(shape: str, made: Path, *arguments: str) -> Path:
    """What callgrind wrote of one frame."""
    out = made / "callgrind.out"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    command += [str(PROGRAM), str(write_run(made, shape)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    assert "columns until" in done.stdout, done.stdout
    return out


def write_run(workspace: Path, shape: str) -> Path:
    """A run as gen.py makes it, but with paths that do not depend on where it is."""
    run = run_in(workspace, shape)
    run.mkdir(parents=True)
    (workspace / ".__experimaestro__").touch()
    make: Any = gen
    writer = make.Synth(run, Path("/bench"), 0, False)
    for task in make.RECIPES[shape](JOBS, random.Random(0)):
        writer.submit(task)
    writer.close()
    with (run / "jobs.jsonl").open() as lines:
        states = {json.loads(line)["job_id"]: "done" for line in lines}
    status = {"version": 1, "experiment_id": shape, "status": "done", "job_states": states}
    (run / "status.json").write_text(json.dumps(status, indent=2))
    return run


def said_by(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
