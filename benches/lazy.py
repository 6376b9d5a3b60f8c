"""Judges lazy queries: many runs as fast as one, few columns for less than all, memory that does not grow.

    python benches/lazy.py [--rounds 5] [--quick]

Every reading is done in a fresh process, in turns, imports not counted; a ratio is the median of the rounds'.
Exits with 1 when one of these is missed:

- 200 runs of 500 jobs take at most 1.3 times as long as one run of 100,000 jobs (the same jobs in all);
- two columns of one run of 100,000 jobs cost at most 0.7 of all columns;
- with `keep_bytes` small, a query that streams to a file takes at most 1.5 times the memory for 200 runs that
  it takes for 40;
- Ctrl-C ends a reading of 100,000 jobs within 100 ms: 95 of 100 times, at moments drawn at random.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import gen
from workspaces import DATA, ROOT, environment, refuse_slow_build

SHAPE = "rich"
RUNS, JOBS = 200, 500

# what a fresh process does: `run` is timed, from `asked` on
PROLOGUE = """
import json, resource, sys, time, warnings
import polars as pl
import xpframe
import xpframe.lazy.source
warnings.simplefilter("ignore")
workspace, out = sys.argv[1:]

def scan(**options):
    return xpframe.scan_xp("rich", workspace=workspace, run="all", **options)

def mebibytes():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

idle, start = mebibytes(), time.perf_counter()
"""
EPILOGUE = """
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "rows": rows, "mebibytes": mebibytes() - idle}))
"""
READINGS = {
    "all columns": "rows = scan().collect().height",
    "all columns, in memory": "rows = scan().collect(engine='in-memory').height",
    "two columns": "rows = scan().select('config.model.name', 'config.epochs').collect().height",
    "two columns, chosen": "rows = scan(columns=['config.model.name', 'config.epochs']).collect().height",
    "a tag": "rows = scan().select('tags.lr').collect().height",
    "a tag, chosen": "rows = scan(columns='tags.*').select('tags.lr').collect().height",
    # polars itself keeps a row group whole, of 262,144 rows if it is not told otherwise
    "to a file": "scan(keep_bytes=1 << 20).sink_parquet(out, row_group_size=2000); rows = -1",
    "eager": "rows = xpframe.xp_frame('rich', workspace=workspace, run='all', backend='polars').height",
}
INTERRUPTED = {
    "xp_frame": "xpframe.xp_frame('rich', workspace=workspace, run='all', backend='polars')",
    "xp_frame, pandas": "xpframe.xp_frame('rich', workspace=workspace, run='all')",
    "load_xp_info": "xpframe.Workspace(workspace).load_xp_info('rich')",
    "scan_xp": "scan()",
    "collect, streaming": "lazy = scan(keep_bytes=0); begin(); lazy.collect(engine='streaming')",
    "collect, in memory": "lazy = scan(keep_bytes=0); begin(); lazy.collect(engine='in-memory')",
}


@dataclass
class Bar:
    """Something that was promised, and what was measured."""

    what: str
    found: float
    most: float
    unit: str = ""

    def met(self) -> bool:
        return self.found <= self.most

    def __str__(self) -> str:
        word = "met   " if self.met() else "MISSED"
        return f"{word} {self.what}: {self.found:.2f}{self.unit}, at most {self.most:g}{self.unit}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--moments", type=int, default=20, help="how often each reading is interrupted")
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs: a trial of this script")
    asked = parser.parse_args()
    refuse_slow_build()
    jobs = JOBS // 10 if asked.quick else JOBS
    many, some, one = (
        workspace(runs, each) for runs, each in ((RUNS, jobs), (RUNS // 5, jobs), (1, RUNS * jobs))
    )
    bars = [
        *times(many, one, asked.rounds),
        memory(many, some, asked.rounds),
        *interruptions(one, many, asked.moments),
    ]
    print(*bars, sep="\n")
    return int(not all(bar.met() for bar in bars))


def times(many: Path, one: Path, rounds: int) -> list[Bar]:
    readings = [("one", one, reading) for reading in READINGS] + [
        ("many", many, reading) for reading in READINGS
    ]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for which, where, reading in readings:
            found.setdefault((which, reading), []).append(read(where, reading))
    for (which, reading), results in found.items():
        seconds, size = (median(result[what] for result in results) for what in ("seconds", "mebibytes"))
        print(f"{which:4} {reading:24} {1000 * seconds:8.0f} ms {size:7.0f} MiB")

    def ratio(over: tuple[str, str], under: tuple[str, str]) -> float:
        pairs = zip(found[over], found[under], strict=True)
        return median(a["seconds"] / b["seconds"] for a, b in pairs)

    return [
        Bar("many runs over one", ratio(("many", "all columns"), ("one", "all columns")), 1.3),
        Bar("two columns over all", ratio(("one", "two columns"), ("one", "all columns")), 0.7),
        Bar(
            "two chosen columns over all", ratio(("one", "two columns, chosen"), ("one", "all columns")), 0.7
        ),
    ]


def memory(many: Path, some: Path, rounds: int) -> Bar:
    pairs = [(read(many, "to a file"), read(some, "to a file")) for _ in range(rounds)]
    more, less = (median(pair[at]["mebibytes"] for pair in pairs) for at in (0, 1))
    return Bar(f"memory of {RUNS} runs ({more:.0f} MiB) over {RUNS // 5} ({less:.0f} MiB)", more / less, 1.5)


def interruptions(one: Path, many: Path, moments: int) -> list[Bar]:
    bars = []
    for which, where in (("one run", one), ("many runs", many)):
        for what, code in INTERRUPTED.items():
            if (which, what) == ("many runs", "load_xp_info"):
                continue  # of many runs it reads the latest, and is over before it can be interrupted
            took = sorted(1000 * late for late in interrupted(where, code, moments))
            words = f"median {median(took):.0f} ms, worst {took[-1]:.0f} ms of {len(took)}"
            print(f"Ctrl-C, {what}, {which}: {words}")
            bars.append(Bar(f"Ctrl-C, {what}, {which}", took[int(0.95 * (len(took) - 1))], 100, " ms"))
    return bars


def interrupted(where: Path, code: str, moments: int) -> list[float]:
    """The seconds from a signal to the KeyboardInterrupt, at moments spread over the reading."""
    body = f"""
def begin():
    print("begun", flush=True)
if "begin()" not in {code!r}:
    begin()
stopped = None
try:
    try:
        {code}
    except KeyboardInterrupt:
        stopped = time.time()
        time.sleep(0.05)
except KeyboardInterrupt:
    stopped = stopped or time.time()  # polars raises, and so does Python at the next step
print(stopped or "finished", flush=True)
"""
    random = Random(code)
    whole, took = signalled(where, body, None), []
    assert whole is not None
    for _ in range(3 * moments):
        late = signalled(where, body, random.uniform(0.02, whole))
        if late is not None:
            took.append(late)
        if len(took) == moments:
            return took
    raise SystemExit(f"{code}: was interrupted {len(took)} times of {moments}, it is over too soon")


def signalled(where: Path, body: str, delay: float | None) -> float | None:
    """The seconds from a signal after `delay` seconds; None if it came too late. Without a delay, those that
    the reading takes."""
    command = [sys.executable, "-c", PROLOGUE + body, str(where), os.devnull]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        sent = time.time()
        if delay is not None:
            time.sleep(delay)
            sent = time.time()
            child.send_signal(signal.SIGINT)
        said = child.stdout.readline().strip()
    if said == "finished":
        return time.time() - sent if delay is None else None
    # what comes while it prints is not counted: it was stopped before
    return float(said) - sent if said else None


def read(where: Path, reading: str) -> dict[str, float]:
    out = where / "out.parquet"
    command = [sys.executable, "-c", f"{PROLOGUE}{READINGS[reading]}\n{EPILOGUE}", str(where), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    found: dict[str, float] = json.loads(done.stdout)
    out.unlink(missing_ok=True)
    return found


def workspace(runs: int, jobs: int) -> Path:
    """A workspace of some runs, made once and kept in bench-data."""
    made = DATA / f"{SHAPE}-{runs}x{jobs}"
    if not (made / "done").exists():
        print(f"making {made.relative_to(ROOT)}", flush=True)
        run_id = gen.RUN_ID
        for run in range(runs):
            gen.RUN_ID = f"20260319_{run:06d}"
            gen.generate(SHAPE, jobs, made, seed=run)
        gen.RUN_ID = run_id
        (made / "done").touch()
    return made


if __name__ == "__main__":
    sys.exit(main())
