"""Measures xpframe against the ways people read a workspace today, and writes docs/benchmarks.md.

    python benches/compare.py [--shapes rich grid wide] [--jobs 1000 10000] [--rounds 5] [--bar 30]

Every reader runs in a fresh process, the readers take turns within a round, and a ratio is the median of the
rounds' ratios: the machine may be noisy, the comparison is not. Exits with 1 when, on the rich shape with
10,000 jobs or more, the first call of xpframe's slower reader takes more than 1/BAR of experimaestro's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import gen
import readers

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "bench-data"
PAGE = ROOT / "docs" / "benchmarks.md"
BASE = "experimaestro"
BAR_JOBS = 10_000
CALLS = {"experimaestro": 2, "orjson": 4, "xpframe": 12, "xpframe_all": 12}
TITLES = {
    "experimaestro": "experimaestro: `load_xp_info`, tags, loop, DataFrame",
    "orjson": "orjson, references followed by hand, DataFrame",
    "xpframe": "`xp_frame(run, columns={…})`: the same columns",
    "xpframe_all": '`xp_frame(run, columns=["job_id", "task", "submitted_at", "tags.*", "config.*"])`',
}


@dataclass
class Case:
    """One workspace and what each reader took on it, a round after the other."""

    shape: str
    jobs: int
    size: int
    rounds: dict[str, list[dict[str, Any]]]

    def median(self, reader: str, what: str) -> float:
        return median(found[what] for found in self.rounds[reader])

    def ratio(self, reader: str, what: str) -> float:
        """How many times faster than experimaestro: the median of the rounds' ratios."""
        pairs = zip(self.rounds[BASE], self.rounds[reader], strict=True)
        return median(base[what] / found[what] for base, found in pairs)


def main() -> int:
    asked = arguments()
    refuse_slow_build()
    cases = []
    for shape in asked.shapes:
        for jobs in asked.jobs:
            run = workspace(shape, jobs)
            check_equal(run, shape)
            cases.append(measure(run, shape, jobs, asked.rounds))
            print(table(cases[-1]), flush=True)
    if not asked.no_write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(cases, asked.rounds), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return verdict(cases, asked)


def verdict(cases: list[Case], asked: argparse.Namespace) -> int:
    """The exit code: 1 when the bar was missed. A bar that was not measured is not met in silence."""
    judged = [case for case in cases if case.shape == "rich" and case.jobs >= BAR_JOBS]
    if not judged:
        print(f"the bar is about the shape rich with {BAR_JOBS:,} jobs, which was not measured")
    for case in judged:
        word = "met" if achieved(case) >= asked.bar else "MISSED"
        print(
            f"bar {word}: rich, {case.jobs:,} jobs: {achieved(case):.1f} times faster, {asked.bar:g} is asked"
        )
    return int(any(achieved(case) < asked.bar for case in judged))


def achieved(case: Case) -> float:
    """The least of xpframe's ratios: the first call, of the slower reader."""
    return min(case.ratio(reader, "first") for reader in ("xpframe", "xpframe_all"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=sorted(gen.RECIPES), default=["rich", "grid", "wide"])
    parser.add_argument("--jobs", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bar", type=float, default=30.0)
    parser.add_argument("--no-write", action="store_true", help="print only")
    return parser.parse_args()


def refuse_slow_build() -> None:
    """An unoptimised module would be measured without a word; `make bench` puts the optimised one first."""
    import xpframe

    if "release-site" not in str(xpframe.__file__) and "XPFRAME_BENCH_ANY" not in os.environ:
        raise SystemExit(f"{xpframe.__file__} is not the optimised module: use `make bench`")


def workspace(shape: str, jobs: int) -> Path:
    """The run directory of a workspace made once and kept in bench-data."""
    made = DATA / f"{shape}-{jobs}"
    run = made / "experiments" / shape / gen.RUN_ID
    if not (run / "status.json").exists():
        print(f"making {made.relative_to(ROOT)}", flush=True)
        gen.generate(shape, jobs, made)
    return run


def check_equal(run: Path, shape: str) -> None:
    """All readers give the same frame of the chosen columns; in another process: this one stays small."""
    code = (
        "import sys; from pathlib import Path; import readers\n"
        "from polars.testing import assert_frame_equal\n"
        "run, shape = Path(sys.argv[1]), sys.argv[2]\n"
        "want = readers.experimaestro(run, shape)\n"
        "assert want.height and want.width > 3, want.shape\n"
        "for name in ('orjson', 'xpframe'):\n"
        "    assert_frame_equal(readers.READERS[name](run, shape), want, check_dtypes=False)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(run), shape], check=True, env=environment())


def measure(run: Path, shape: str, jobs: int, rounds: int) -> Case:
    found: dict[str, list[dict[str, Any]]] = {reader: [] for reader in readers.READERS}
    for _ in range(rounds):
        for reader, results in found.items():
            command = [
                sys.executable,
                str(Path(readers.__file__)),
                reader,
                shape,
                str(run),
                str(CALLS[reader]),
            ]
            start = time.perf_counter()
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
            results.append(json.loads(done.stdout) | {"process": time.perf_counter() - start})
    for reader, results in found.items():
        assert {result["rows"] for result in results} == {jobs}, (reader, results)
    size = sum((run / name).stat().st_size for name in ("objects.jsonl", "jobs.jsonl"))
    return Case(shape, jobs, size, found)


def environment() -> dict[str, str]:
    paths = [str(ROOT / "benches"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def table(case: Case) -> str:
    lines = [
        f"### {case.shape}, {case.jobs:,} jobs ({case.size / 2**20:.1f} MiB)",
        "",
        "| reader | columns | first call, ms | later, ms | times faster (first / later) | memory, MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for reader in case.rounds:
        first, again = (1000 * case.median(reader, what) for what in ("first", "again"))
        ratio = " / ".join(f"{case.ratio(reader, what):.0f}" for what in ("first", "again"))
        columns = f"{case.median(reader, 'columns'):.0f}"
        memory = f"{case.median(reader, 'mebibytes'):.0f}"
        lines.append(f"| {TITLES[reader]} | {columns} | {first:,.1f} | {again:,.1f} | {ratio} | {memory} |")
    return "\n".join(lines) + "\n"


def page(cases: list[Case], rounds: int) -> str:
    names = ("xpframe", "experimaestro", "polars", "orjson")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    head = f"""\
# Benchmarks

Written by `make bench`; do not edit. {datetime.now(UTC):%Y-%m-%d}, {machine()},
Python {platform.python_version()}, {versions}.

Workspaces are made by `benches/gen.py`, which writes what experimaestro 2.7.0 writes. Files are in the page
cache. Each reader runs in a fresh process, its imports not counted, {rounds} rounds in turn. Times are
medians; *times faster* is the median of the rounds' ratios to experimaestro. *Memory* is the growth of the
process' peak over all its calls. The first three readers give equal frames: checked before measuring.
"""
    return "\n".join([head, *(table(case) for case in cases)])


def machine() -> str:
    """The processor and the cores at hand; no name of a host."""
    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = (line.partition(":") for line in facts.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if key.startswith("model name")), model)
    return f"{platform.system()}, {model}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
