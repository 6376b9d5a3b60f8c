"""Judges lineage: columns of the jobs upstream, on 100,000 jobs of three levels.

    python benches/lineage.py [--rounds 7] [--jobs 100000]

Each reading is done in a fresh process, in turns, imports not counted; a ratio is the median of the rounds'.
Exits with 1 if a frame with lineage takes more than 1.3 times as long as the same frame without.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from workspaces import DATA, environment, refuse_slow_build

LIMIT = 1.3
READING = """
import json, sys, time, warnings
import polars, xpframe
warnings.simplefilter("ignore")
workspace, arguments = sys.argv[1], json.loads(sys.argv[2])
xpframe.xp_frame("small", workspace=workspace, backend="polars")
start = time.perf_counter()
frame = xpframe.xp_frame("levels", workspace=workspace, backend="polars", quiet=True, **arguments)
print(time.perf_counter() - start, frame.width, frame.height)
"""
UPSTREAM = ["up.learn.config.lr", "up.learn.config.model.name", "up.prepare.config.size", "trained@job"]
SHORT = ["up.learn.lr", "up.learn.model.name", "up.prepare.size", "trained@job.epochs"]
PARAMETERS = ["job_id", "task", "tags.*", "config.*"]
READINGS: dict[str, list[str] | None] = {
    "default columns": None,
    "default columns, lineage": ["*", *UPSTREAM],
    "default columns, lineage by short names": ["*", *SHORT],
    "parameters": PARAMETERS,
    "parameters, lineage": [*PARAMETERS, *UPSTREAM],
    "parameters, lineage by short names": [*PARAMETERS, *SHORT],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=100_000)
    asked = parser.parse_args()
    refuse_slow_build()
    workspace = made(asked.jobs)
    seconds: dict[str, list[float]] = {name: [] for name in READINGS}
    for number in range(asked.rounds):
        names = list(READINGS)[:: 1 if number % 2 else -1]
        for name in names:
            seconds[name].append(read(workspace, READINGS[name]))
    missed = False
    for name, times in seconds.items():
        base = name.partition(",")[0]
        ratio = median(a / b for a, b in zip(times, seconds[base], strict=True))
        judged = name.endswith("lineage") and base == "default columns"
        missed |= judged and ratio > LIMIT
        print(f"{name}: {median(times) * 1000:.0f} ms, {ratio:.2f} of {base}")
    return int(missed)


def read(workspace: Path, columns: list[str] | None) -> float:
    """The seconds of one reading in a process of its own."""
    arguments = {} if columns is None else {"columns": columns}
    command = [sys.executable, "-c", READING, str(workspace), json.dumps(arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def made(jobs: int) -> Path:
    """A workspace of three levels, prepare → learn → evaluate, made once."""
    workspace = DATA / f"lineage-{jobs}"
    if not workspace.exists():
        write(workspace / "experiments" / "levels" / "20260101_000000", jobs)
        write(workspace / "experiments" / "small" / "20260101_000000", 30)
        (workspace / ".__experimaestro__").touch()
    return workspace


def write(run: Path, jobs: int) -> None:
    """Writes a run: one hundredth of the jobs prepare, half of the others learn, half evaluate."""
    run.mkdir(parents=True)
    lines: list[str] = []
    rows: list[str] = []

    def add(kind: str, fields: dict[str, object], name: str, **more: object) -> dict[str, object]:
        identity = 140_000_000_000_000 + 16 * len(lines)
        head = {"id": identity, "module": "lab", "type": kind, "typename": f"lab.{kind}"}
        identifier = hashlib.sha256(name.encode()).hexdigest()
        line = {**head, "identifier": identifier, **more, "fields": fields}
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
        if kind in ("Prepare", "Learn", "Evaluate"):
            row = {"job_id": identifier, "task_id": f"lab.{kind.lower()}", "tags": {"seed": len(rows) % 10}}
            rows.append(json.dumps({**row, "timestamp": 1.79e9 + len(rows)}) + "\n")
        return {"type": "python", "value": identity}

    models = [add("Model", {"name": f"m{n}", "width": 2**n}, f"model {n}") for n in range(8)]
    prepared = []
    for number in range(max(1, jobs // 100)):
        job = add("Prepare", {"size": 1000 + number, "path": f"/data/{number}"}, f"prepare {number}")
        prepared.append(add("Data", {"split": "train"}, f"data {number}", task=job["value"]))
    for number in range((jobs - len(prepared)) // 2):
        fields: dict[str, object] = {"model": models[number % 8], "data": prepared[number % len(prepared)]}
        fields |= {"lr": 0.1 / (1 + number % 7), "epochs": 10, "seed": number % 10}
        job = add("Learn", fields, f"learn {number}")
        path = {"type": "path", "value": f"/ws/jobs/lab.learn/{number}/model.pt"}
        output = {"model": models[number % 8], "path": path}
        trained = add("Learned", output, f"learned {number}", task=job["value"])
        add("Evaluate", {"trained": trained, "testset": "far", "limit": number}, f"evaluate {number}")
    (run / "objects.jsonl").write_text("".join(lines))
    (run / "jobs.jsonl").write_text("".join(rows))


if __name__ == "__main__":
    sys.exit(main())
