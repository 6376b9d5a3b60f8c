"""Measures xpframe against other ways to read a workspace, and writes docs/benchmarks.md.

    python benches/compare.py [--quick | --large] [--shapes rich grid wide] [--jobs 1000 10000 100000]
                              [--rounds N] [--only GLOB] [--no-write]

`--large` adds runs of a million jobs (2.4 GB of files). `--quick` tries everything on small runs within two
minutes. `--only` chooses contests by name: rich-100000, growth-grid, cold, lazy, reload, attributes, loop,
states, displays, default, slow-done; of the page it writes only the sections about directories. `--quick`
writes none. Exits with 1 if a limit of bars.py is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import gen
import result_readers
from bars import BARS
from contests import HUGE, LARGE, MIDDLE, SMALL, Contest, contests
from directory_page import directory_sections, section_of, with_sections
from page import PARTS, bars, details, page
from workspaces import ROOT, environment, refuse_slow_build, run_of, with_results

PAGE = ROOT / "docs" / "benchmarks.md"
RAW = ROOT / "target" / "benchmarks.json"


def main() -> int:
    asked = arguments()
    refuse_slow_build()
    sizes = asked.jobs or ([SMALL, MIDDLE] if asked.quick else [SMALL, MIDDLE, LARGE])
    sizes = sizes + [HUGE] * (asked.large and HUGE not in sizes)
    for shape in asked.shapes if asked.only == "*" else ():
        check_equal(shape, min(sizes))
    if asked.only == "*" or asked.only.startswith("results"):
        result_readers.equal(with_results(30))
    held: dict[str, Contest] = {}
    for contest in contests(asked.shapes, sizes, asked.rounds, asked.only, quick=asked.quick):
        start = time.perf_counter()
        contest.hold()
        held[contest.key] = contest
        print(*details({contest.key: contest}), *directory_sections({contest.key: contest}), sep="\n")
        print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)
    print(*(line for line in bars(held) if "not measured" not in line), sep="\n")
    if asked.quick:
        print("\nnothing is judged: these runs are smaller than those of the limits")
    RAW.write_text(json.dumps({key: contest.found for key, contest in held.items()}, indent=1))
    if not (asked.no_write or asked.quick or asked.only != "*"):
        # `make bench-parts` writes a section of its own
        kept = section_of(PAGE.read_text(encoding="utf-8"), PARTS)
        PAGE.write_text(with_sections(page(held), kept), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    elif not (asked.no_write or asked.quick):
        sections = "\n".join(directory_sections(held))
        PAGE.write_text(with_sections(PAGE.read_text(encoding="utf-8"), sections), encoding="utf-8")
    return int(any(bar.verdict(held) == "MISSED" for bar in BARS))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=sorted(gen.RECIPES), default=["grid", "rich", "wide"])
    parser.add_argument("--jobs", nargs="+", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="*", help="a glob of names of contests")
    parser.add_argument("--large", action="store_true", help="a million jobs too")
    parser.add_argument("--quick", action="store_true", help="small runs, two rounds, no page")
    parser.add_argument("--no-write", action="store_true", help="print only")
    return parser.parse_args()


def check_equal(shape: str, jobs: int) -> None:
    """Readers of the same columns give the same frame; in another process: this one stays small."""
    code = "import sys, warnings; from pathlib import Path; import readers; warnings.simplefilter('ignore')\n"
    code += "readers.equal(Path(sys.argv[1]), sys.argv[2])"
    command = [sys.executable, "-c", code, str(run_of(shape, jobs)), shape]
    subprocess.run(command, check=True, env=environment())


if __name__ == "__main__":
    sys.exit(main())
