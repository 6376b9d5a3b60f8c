"""Measures `parts` and Dask on 64 runs of 20,000 jobs, and writes their section of docs/benchmarks.md.

    python benches/parts.py [--rounds 5] [--quick] [--no-write]

Each reading is done in a fresh process, in turns, imports not counted. First, every part is compared with the
same rows of `scan_xp`, all columns; then each engine must give the same rows for each query. Exits with 1 if
one differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from directory_page import with_sections
from lazy import workspace
from page import PARTS
from units import duration
from workspaces import ROOT, environment, refuse_slow_build

PAGE = ROOT / "docs" / "benchmarks.md"
RUNS, JOBS = 64, 20_000

PROLOGUE = """
import json, os, signal, sys, threading, time, warnings
import dask, pandas as pd, polars as pl, pyarrow
import dask.dataframe as dd
import xpframe, xpframe.pieces, xpframe.lazy.source
from distributed import Client, LocalCluster
warnings.simplefilter("ignore")
workspace = sys.argv[1]
options = dict(workspace=workspace, run="all", quiet=True)

def peak(pid="self"):
    status = open(f"/proc/{pid}/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

def parts():
    return xpframe.parts("rich", rows=20_000, **options)

def scan():
    return xpframe.scan_xp("rich", **options)

lr, name, d_model, seed = "config.optimizer.lr", "config.model.name", "tags.d_model", "tags.seed"

def group(frame):
    return frame.groupby(name).agg({lr: "sum", "job_id": "count"})

def tags(frame):
    return frame.groupby(d_model)[seed].max().to_frame()

def filtered(frame):
    return frame[(frame[seed] == 3) & (frame[lr] < 1e-4)][["job_id", "run", lr]]

LAZY = {
    "group": lambda: scan().filter(pl.col(name).is_not_null()).group_by(name)
        .agg(pl.col(lr).sum(), pl.col("job_id").count()),
    "tags": lambda: scan().filter(pl.col(d_model).is_not_null()).group_by(d_model)
        .agg(pl.col(seed).max()),
    "filtered": lambda: scan().filter((pl.col(seed) == 3) & (pl.col(lr) < 1e-4))
        .select("job_id", "run", lr),
}

def rows(frame):
    # sums of floats depend on the order of the addends
    found = frame.rows() if isinstance(frame, pl.DataFrame) else list(frame.itertuples(index=False))
    plain = [[c.item() if hasattr(c, "item") else c for c in row] for row in found]
    return sorted(tuple(float(f"{c:.12g}") if isinstance(c, float) else c for c in row) for row in plain)

def digest(frame):
    import hashlib
    frame = frame.reset_index() if isinstance(frame, pd.DataFrame) and frame.index.name else frame
    found = rows(frame)
    return [len(found), hashlib.sha256(repr(found).encode()).hexdigest()]

found = {}
def took(what, call):
    start = time.perf_counter()
    out = call()
    found[what] = time.perf_counter() - start
    return out
"""
QUERIES = {
    "group": "group by a parameter, sum and count",
    "tags": "group by a tag, greatest seed",
    "filtered": "filter by a tag and a parameter, three columns",
}
ENGINES = {
    "scan_xp": """
idle = peak()
for query, lazy in LAZY.items():
    frame = took(query, lambda: lazy().collect())
    found[query + ", rows"] = digest(frame)
    found[query + ", MiB"] = peak() - idle
""",
    "threads": """
idle = peak()
pieces = took("parts", parts)
frame = pieces.dask()
with dask.config.set(scheduler="threads"):
    for query, ask in (("group", group), ("tags", tags), ("filtered", filtered)):
        out = took(query, lambda: ask(frame).compute())
        found[query + ", rows"] = digest(out)
        found[query + ", MiB"] = peak() - idle
""",
    "workers": """
pieces = parts()
frame = pieces.dask()
def begin():
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    return cluster, Client(cluster)
cluster, client = took("start", begin)
pids = list(client.run(os.getpid).values())
assert len(set(pids)) == 2
group(frame).compute()  # workers import pandas, Dask and xpframe with the first query
idle = sum(map(peak, pids))
for query, ask in (("group", group), ("tags", tags), ("filtered", filtered)):
    out = took(query, lambda: ask(frame).compute())
    found[query + ", rows"] = digest(out)
    found[query + ", MiB"] = sum(map(peak, pids)) - idle
found["workers killed"] = 0
def kill():
    os.kill(pids[0], signal.SIGKILL)
    found["workers killed"] += 1
killer = threading.Timer(0.5 * found["group"], kill)
killer.start()
out = took("killed", lambda: group(frame).compute())
killer.cancel()
found["killed, rows"] = digest(out)
client.close(), cluster.close()
""",
}
COMPARED = """
pieces = parts()
assert len(pieces) == len({part.path for part in pieces})
rows = 0
for part in pieces:
    run = os.path.basename(part.path)
    expected = scan().filter(pl.col("run") == run).collect()
    got = part.polars()
    assert got.columns == expected.columns
    for column in got.columns:
        ours, theirs = got[column], expected[column]
        if isinstance(theirs.dtype, (pl.Categorical, pl.Enum)) or theirs.dtype == pl.Null:
            ours, theirs = ours.cast(pl.String), theirs.cast(pl.String)
        assert ours.dtype == theirs.dtype, (run, column, ours.dtype, theirs.dtype)
        assert ours.equals(theirs, null_equal=True), (run, column)
    assert (part.pandas().dtypes == pieces.meta.dtypes).all()
    assert part.arrow().schema == pieces.schema
    rows += len(got)
found.update(rows=rows, columns=got.width)
"""
SECTION = """\
## {heading}

Written by `make bench-parts`. Measured on {date}, Linux, {cores} cores: {runs} runs of {jobs:,} jobs of the
shape *rich*, {columns} columns, {total:,} rows; Dask {dask}, a partition a run. Every cell of every part
equals that of `scan_xp`, and all engines gave the same rows for each query, also when one of two workers was
killed.

| query | `scan_xp`, one process | Dask, threads | Dask, two worker processes |
|---|--:|--:|--:|
{queries}
| the group, one of two workers killed half-way | | | {killed} |
| decide names and types over all runs, once | included | {parts} | {parts} |
| start the engine | | | {start} |

The second number is the growth of peak memory up to that query, of both workers together. Other engines, from
an earlier comparison on as many runs and jobs; compare orders of magnitude only:

| engine | group | start | |
|---|--:|--:|---|
| Dask, threads | 1.05 s | | |
| Dask, two worker processes | 2.98 s | 1.7 s | |
| Ray Data | 11.2 s | 5.5 s | |
| Spark | 21.9 s | 11.6 s | reads all columns |
| Daft | 0.61 s | | its call for own sources may change |
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="few small runs, no page: a trial of this script"
    )
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    refuse_slow_build()
    runs, jobs = (4, 500) if asked.quick else (RUNS, JOBS)
    where = workspace(runs, jobs)
    compared = measured(where, COMPARED)
    print(f"parts equal scan_xp: {compared['rows']:,} rows of {compared['columns']} columns", flush=True)
    found: dict[str, list[dict[str, object]]] = {engine: [] for engine in ENGINES}
    for _ in range(asked.rounds):
        for engine, code in ENGINES.items():
            found[engine].append(measured(where, code))
    differing = list(differences(found))
    text = section(found, compared, runs, jobs)
    print(text, *differing, sep="\n")
    if not (asked.quick or asked.no_write or differing):
        PAGE.write_text(with_sections(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    return int(bool(differing))


def measured(where: Path, code: str) -> dict[str, object]:
    """What a fresh process measures."""
    guarded = f"if __name__ == '__main__':\n    exec({code!r})\n    print(json.dumps(found))\n"
    command = [sys.executable, "-c", PROLOGUE + guarded, str(where)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def differences(found: dict[str, list[dict[str, object]]]) -> Iterator[str]:
    """The queries for which an engine gave other rows than `scan_xp`."""
    for engine, rounds in found.items():
        for each in rounds:
            for query in [*QUERIES, *(["killed"] if engine == "workers" else [])]:
                expected = found["scan_xp"][0][f"{query.replace('killed', 'group')}, rows"]
                if each[f"{query}, rows"] != expected:
                    yield f"DIFFERS: {query} of {engine}"
    if any(each["workers killed"] != 1 for each in found["workers"]):
        yield "no worker was killed"


def section(
    found: dict[str, list[dict[str, object]]], compared: dict[str, object], runs: int, jobs: int
) -> str:
    """The lines for the page: medians of all rounds."""

    def middle(engine: str, what: str) -> float:
        return median(float(str(each[what])) for each in found[engine])

    lines = []
    for query, title in QUERIES.items():
        cells = (
            f"{duration(middle(engine, query))}, {middle(engine, f'{query}, MiB'):,.0f} MiB"
            for engine in ENGINES
        )
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return SECTION.format(
        heading=PARTS,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        runs=runs,
        jobs=jobs,
        columns=compared["columns"],
        total=compared["rows"],
        dask=version("dask"),
        queries="\n".join(lines),
        killed=duration(middle("workers", "killed")),
        parts=duration(middle("threads", "parts")),
        start=duration(middle("workers", "start")),
    )


if __name__ == "__main__":
    sys.exit(main())
