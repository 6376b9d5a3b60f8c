"""docs/benchmarks.md, written from what was measured."""

from __future__ import annotations

import os
import platform
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bars import BARS, Bar
from contests import Contest
from workspaces import ROOT

OURS = "xpframe_all"
TITLES = {
    "experimaestro": "experimaestro: `load_xp_info`, tags, loop, DataFrame",
    "orjson": "orjson, references followed by hand for the same columns, DataFrame",
    "orjson_all": "orjson, references followed by hand for all columns, DataFrame",
    "read_ndjson": "`polars.read_ndjson`: resolves nothing",
    "duckdb": "DuckDB `read_json_auto`: resolves nothing",
    "xpframe": "`xp_frame(run, columns={…})`: the columns of experimaestro's loop",
    "xpframe_all": '`xp_frame(run, columns=[…, "tags.*", "config.*"])`: **all columns**, polars',
    "xpframe_pandas": "the same, pandas",
    "lazy_two": "`scan_xp(run).select(two parameters).collect()`",
    "loop_experimaestro": "experimaestro: `load_xp_info`, loop",
    "loop_xpframe": "xpframe: `load_xp_info`, the same loop",
    "states_xpframe": '`xp_frame(run, columns=["state"])`',
    "states_scandir": "`os.scandir` of each job's directory, `stat` of its marker",
    "python": "`python -c pass`",
    "polars": "`import polars`",
    "frame": '`xp_frame(run, backend="polars")`, 30 jobs',
    "attribute": "`load_xp_info(run)`, an attribute of each of 30 jobs printed",
    "read": "read both files into fresh memory",
    "map": "map both files, look at each cache line",
    "lines": "find the line ends (memchr), in memory",
    "lazy": "sonic-rs: heads of the objects, fields skipped; in memory",
    "typed": "sonic-rs: every field into the struct of its class; in memory",
    "typed_mapped": "the same, of files mapped anew",
    "of_config": "an attribute of a config",
    "of_plain": "an attribute of a plain Python object",
    "reload_objects": "1 % appended: the objects again",
    "reload_frame": "1 % appended: all columns again, polars",
    "full_objects": "a full read of the objects",
    "full_frame": "a full read of all columns, polars",
    "info": "an ExperimentInfo as HTML",
    "jobs": "its jobs as HTML",
    "config": "a config as HTML",
    "load": "loading the run, for comparison",
}


def page(held: dict[str, Contest]) -> str:
    """The whole page."""
    head = f"""\
# Benchmarks

Written by `make bench`; do not edit. {datetime.now(UTC):%Y-%m-%d}, {machine()}.
{versions()}.

Workspaces are made by `benches/gen.py`, which writes what experimaestro 2.7.0 writes: *grid* is the
example of its documentation, *rich* has 108 columns over five levels and strong sharing, *wide* has 20
tasks whose fields of one name have several types. Files are in the page cache. Each thing is done in a
fresh process, in turns; a ratio is the median of the rounds' ratios, in brackets the least and the
largest. A reader first reads a run of 30 jobs, so that imports do not count; then its **first** reading
of the run is what is compared. *Memory* is how far resident memory rose in it; of whole processes, their
peak. "Ours" and "full polars frame" is every tag, every parameter, and what jobs.jsonl says. Readers of
the same columns were found to give equal frames, on the smallest run of each shape, before they were
measured.

sonic-rs parses each line of the two files on one thread, from memory, into a struct of its class: each
field into an integer, a float, a borrowed string, a reference, a list or a dictionary. What was parsed
is dropped: nothing is resolved, nothing built (`benches/limits/`).
"""
    return "\n".join([head, "## What it must show", "", *bars(held), "", "## Measured", "", *details(held)])


def bars(held: dict[str, Contest]) -> Iterator[str]:
    """A line a bar, also of what was not measured."""
    yield "| measure | must | aim | reached | memory, MiB | verdict |"
    yield "|---|--:|--:|--:|--:|---|"
    for bar in BARS:
        ratios = bar.ratios(held)
        reached = f"{short(median(ratios))} ({short(min(ratios))} to {short(max(ratios))})" if ratios else ""
        sign = "≥" if bar.least else "≤"
        aim = "" if bar.aim is None else short(bar.aim)
        verdict = bar.verdict(held)
        verdict = f"**{verdict}**" if verdict == "MISSED" else verdict
        cells = [bar.what, f"{sign} {short(bar.must)}", aim, reached, memories(bar, held), verdict]
        yield f"| {' | '.join(cells)} |"


def memories(bar: Bar, held: dict[str, Contest]) -> str:
    """The memory of both sides, where it says something."""
    if bar.contest not in held or not bar.ratios(held):
        return ""
    both = [held[bar.contest].median(task, "mebibytes") for task, _ in (bar.over, bar.under)]
    return " / ".join("?" if one is None else f"{one:.0f}" for one in both) if any(both) else ""


def details(held: dict[str, Contest]) -> Iterator[str]:
    """A table a contest."""
    for key, contest in held.items():
        yield f"### {heading(key, contest)}"
        yield ""
        yield "| | columns | first, ms | later, ms | as a multiple of ours | memory, MiB |"
        yield "|---|--:|--:|--:|--:|--:|"
        for name in contest.tasks:
            yield from lines(contest, name)
        yield ""


def heading(key: str, contest: Contest) -> str:
    about = [key.partition("-")[0]]
    if contest.shape and contest.shape not in about:
        about.append(contest.shape)
    if contest.jobs:
        about.append(f"{contest.jobs:,} jobs")
        about.append(f"{contest.size / 1e6:.1f} MB in two files")
    return ", ".join(about)


def lines(contest: Contest, name: str) -> Iterator[str]:
    """A line of a reader, or one of each thing that an errand or the limits tell."""
    if name == "bytes":
        return
    if contest.median(name, "first") is not None:
        yield reader_line(contest, name)
        return
    for what in contest.found[0][name]:
        seconds = contest.median(name, what) or 0.0
        ratio = times(contest, (name, what))
        yield f"| {TITLES.get(what, what)} | | {milliseconds(seconds)} | | {ratio} | |"


def reader_line(contest: Contest, name: str) -> str:
    title = TITLES.get(name) or f"all columns of {int(name):,} jobs"
    columns, later, memory = (contest.median(name, what) for what in ("columns", "later", "mebibytes"))
    cells = [
        title,
        f"{columns:.0f}" if columns else "",
        milliseconds(contest.median(name, "first") or 0.0),
        "" if later is None else milliseconds(later),
        times(contest, (name, "first")),
        "" if memory is None else f"{memory:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def times(contest: Contest, over: tuple[str, str]) -> str:
    """As a multiple of ours, where ours takes part."""
    if OURS not in contest.tasks:
        return ""
    return short(median(contest.ratios(over, (OURS, "first"))))


def milliseconds(seconds: float) -> str:
    if seconds < 1e-6:
        return f"{1e9 * seconds:.1f} ns"
    return f"{1000 * seconds:,.1f}" if seconds >= 1e-4 else f"{1000 * seconds:.3f}"


def short(number: float) -> str:
    """Three digits, no more."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def versions() -> str:
    lock = tomllib.loads((ROOT / "benches" / "limits" / "Cargo.lock").read_text())
    sonic = next(package["version"] for package in lock["package"] if package["name"] == "sonic-rs")
    names = ("xpframe", "experimaestro", "polars", "pandas", "duckdb", "orjson")
    listed = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {listed}, sonic-rs {sonic}"


def machine() -> str:
    """The processor, the cores and the memory at hand; no name of a host."""
    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = (line.partition(":") for line in facts.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if key.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.system()}, {model}, {os.cpu_count()} cores, {memory:.0f} GiB"
