"""Writes docs/benchmarks.md from the measurements."""

from __future__ import annotations

import os
import platform
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from textwrap import fill

from bars import BARS, Bar
from contests import Contest
from directory_page import directory_sections
from units import duration, milliseconds
from workspaces import ROOT

OURS = "xpframe_all"
PARTS = "What if one machine is not enough?"
TITLES = {
    "experimaestro": "experimaestro: `load_xp_info`, tags, loop, DataFrame",
    "orjson": "orjson, references resolved by hand, the same columns, DataFrame",
    "orjson_all": "orjson, references resolved by hand, all columns, DataFrame",
    "read_ndjson": "`polars.read_ndjson`: resolves nothing",
    "duckdb": "DuckDB `read_json_auto`: resolves nothing",
    "xpframe": "xpframe: the columns of experimaestro's loop",
    "xpframe_all": "xpframe: **full frame**, polars",
    "xpframe_pandas": "xpframe: full frame, pandas",
    "lazy_two": "`scan_xp(run).select(two parameters).collect()`",
    "loop_experimaestro": "experimaestro: `load_xp_info`, loop over attributes",
    "loop_xpframe": "xpframe: `load_xp_info`, the same loop",
    "states_xpframe": '`xp_frame(run, columns=["state"])`',
    "states_scandir": "`os.scandir` of each job directory, `stat` of its marker",
    "python": "`python -c pass`",
    "polars": "`import polars`",
    "frame": '`xp_frame(run, backend="polars")`, 30 jobs',
    "attribute": "`load_xp_info(run)`, an attribute of each of 30 jobs printed",
    "read": "read both files into fresh memory",
    "map": "map both files, touch each cache line",
    "lines": "find the line ends (memchr), in memory",
    "lazy": "sonic-rs: heads of the objects, fields skipped; in memory",
    "typed": "sonic-rs: every field into the struct of its class; in memory",
    "typed_mapped": "the same, mapping the files for each call",
    "of_config": "an attribute of a config",
    "of_plain": "an attribute of a plain Python object",
    "reload_objects": "after 1 % was appended: reload the objects",
    "reload_frame": "after 1 % was appended: reload all columns, polars",
    "full_objects": "a full read of the objects",
    "full_frame": "a full read of all columns, polars",
    "board_xpframe": '`xp_series(run, "runs/events.out.tfevents.*")`',
    "board_floor": "open and read the event files",
    "board_accumulator": "TensorBoard's `EventAccumulator`, all points",
    "board_tbparse": "tbparse",
    "board_stream": "`scan_series(…).sink_parquet(…)`, 50 M scalars",
    "csv_xpframe": '`xp_series(run, "results.csv")`',
    "csv_polars": "`polars.scan_csv` of a glob",
    "csv_pandas": "`pandas.read_csv` in a loop, `concat`",
    "json_xpframe": '`xp_frame(run, results="metrics.json")`',
    "json_floor": "open and read the JSON files",
    "json_normalize": "json in a loop, `pandas.json_normalize`",
    "info": "an ExperimentInfo as HTML",
    "jobs": "its jobs as HTML",
    "config": "a config as HTML",
    "load": "loading the run, for comparison",
}
# operation, contest, measurement of xpframe, what it is compared with, measurement of that
EVERYDAY = (
    (
        "load 10,000 jobs, loop over attributes",
        "loop",
        ("loop_xpframe", "first"),
        "experimaestro",
        ("loop_experimaestro", "first"),
    ),
    (
        "reload the objects after 1 % was appended",
        "reload",
        ("reload", "reload_objects"),
        "a full read",
        ("reload", "full_objects"),
    ),
    ("two parameters of 100,000 jobs, lazily", "lazy", ("lazy_two", "first"), "all columns", (OURS, "first")),
    (
        "states of 20,000 job directories",
        "states",
        ("states_xpframe", "first"),
        "`os.scandir` and `stat`",
        ("states_scandir", "first"),
    ),
    (
        "400,000 rows of CSV files of 2,000 jobs",
        "results-csv",
        ("csv_xpframe", "first"),
        "a loop over `pandas.read_csv`",
        ("csv_pandas", "first"),
    ),
    (
        "1 M scalars of TensorBoard files of 2,000 jobs",
        "results-tensorboard",
        ("board_xpframe", "first"),
        "`EventAccumulator`",
        ("board_accumulator", "first"),
    ),
    (
        "a process that reads 30 jobs as objects",
        "cold",
        ("attribute", "first"),
        "`python -c pass`",
        ("python", "first"),
    ),
    (
        "a process that reads 30 jobs into polars",
        "cold",
        ("frame", "first"),
        "`import polars`",
        ("polars", "first"),
    ),
)


def page(held: dict[str, Contest]) -> str:
    """The whole page: gains first, limits for developers last."""
    return "\n".join(
        [
            HEAD.format(
                date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine(), versions=fill(versions(), 110)
            ),
            *gains(held),
            "",
            *directory_sections(held),
            METHOD,
            *details(held),
            LIMITS,
            *bars(held),
            "",
        ]
    )


HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. {date}, {machine}.
{versions}.

## What do I gain?

The time and memory from a run on disk to a DataFrame. xpframe returns the **full frame**: every tag,
every parameter and the fields of jobs.jsonl. experimaestro stands for `load_xp_info` and a loop over
fewer columns. *grid* is the example of its documentation with 8 columns; *rich* has 108 columns over five
levels and many shared objects; *wide* has 192 columns from 20 tasks whose fields of one name have several
types.
"""
METHOD = """\
## How is it measured?

`benches/gen.py` makes the workspaces, as experimaestro 2.7.0 writes them. Files are in the page cache. Each
reader runs in a fresh process, in turns, and first reads a run of 30 jobs, so that imports do not count.
Then its **first** reading of the run counts; *later* is the median of the next ones. A ratio is the median
of the ratios of all rounds. *Memory* is the growth of resident memory during the first reading; for whole
processes, their peak. Before the measurement, readers of the same columns must return equal frames for the
smallest run of each shape.

sonic-rs is the limit to compare with, and does far less. It parses each line of the two files, already in
memory, on one thread into a struct of its class: each field into an integer, a float, a borrowed string,
a reference, a list or a dictionary. The result is dropped, no reference is resolved, nothing is built
(`benches/limits/`).

## Measurements
"""
LIMITS = """\
## Limits for developers

`make bench` fails if a limit is missed. *must* is the limit, *aim* the goal; brackets have the least and the
greatest ratio of all rounds; *memory* has both sides.

* The orjson loop resolves references by hand. sonic-rs, `polars.read_ndjson` and DuckDB resolve none: their
  ratios are above, and no limit.
* Attributes of configs are measured after the first access, loops with loading, processes with imports.
* Peak memory is counted from the start of the process; *files + Arrow* is the size of both files and of the
  Arrow buffers.
* Growth is linear within 20 % if ten times the jobs take at most twelve times as long.
"""


def gains(held: dict[str, Contest]) -> Iterator[str]:
    """What users gain: times and memory beside experimaestro, other readers, and in everyday work."""
    frames = [
        contest for contest in held.values() if OURS in contest.tasks and "experimaestro" in contest.tasks
    ]
    yield "| run | xpframe | experimaestro | times faster | memory, xpframe | memory, experimaestro |"
    yield "|---|--:|--:|--:|--:|--:|"
    for contest in frames:
        both = (OURS, "experimaestro")
        seconds = [duration(contest.median(task, "first")) for task in both]
        memory = [mebibytes(contest.median(task, "mebibytes")) for task in both]
        cells = [*seconds, times(contest, ("experimaestro", "first")), *memory]
        yield f"| {contest.shape}, {contest.jobs:,} jobs | {' | '.join(cells)} |"
    yield from others(frames)
    yield from everyday(held)


def others(frames: list[Contest]) -> Iterator[str]:
    """Other readers of the same files, as multiples of xpframe's time."""
    readers = ("orjson_all", "read_ndjson", "duckdb")
    yield ""
    yield "Other readers of the same files, as a multiple of xpframe's time. Only the orjson loop resolves"
    yield "references. An empty cell: polars refuses fields of several types."
    yield ""
    yield "| run | orjson loop | `polars.read_ndjson` | DuckDB `read_json_auto` |"
    yield "|---|--:|--:|--:|"
    for contest in frames:
        if contest.jobs == max(frame.jobs for frame in frames):
            cells = [times(contest, (name, "first")) if name in contest.tasks else "" for name in readers]
            yield f"| {contest.shape}, {contest.jobs:,} jobs | {' | '.join(cells)} |"


def everyday(held: dict[str, Contest]) -> Iterator[str]:
    """Everyday operations, each beside what it competes with."""
    yield ""
    yield "Everyday operations, on *rich* (processes: on *grid*):"
    yield ""
    yield "| operation | xpframe | compared with | |"
    yield "|---|--:|---|--:|"
    for operation, key, ours, label, other in EVERYDAY:
        if key in held:
            seconds, theirs = (duration(held[key].median(*measured)) for measured in (ours, other))
            yield f"| {operation} | {seconds} | {label} | {theirs} |"


def bars(held: dict[str, Contest]) -> Iterator[str]:
    """A table of all limits, also of those that were not measured."""
    yield "| ratio | must | aim | reached | memory, MiB | verdict |"
    yield "|---|--:|--:|--:|--:|---|"
    for bar in BARS:
        ratios = bar.ratios(held)
        reached = f"{short(median(ratios))} ({short(min(ratios))} to {short(max(ratios))})" if ratios else ""
        sign = "≥" if bar.least else "≤"
        aim = "" if bar.aim is None else short(bar.aim)
        verdict = bar.verdict(held)
        verdict = f"**{verdict}**" if verdict == "MISSED" else verdict
        cells = [bar.measure, f"{sign} {short(bar.must)}", aim, reached, memories(bar, held), verdict]
        yield f"| {' | '.join(cells)} |"


def memories(bar: Bar, held: dict[str, Contest]) -> str:
    """The memory of both sides, if it was measured."""
    if bar.contest not in held or not bar.ratios(held):
        return ""
    both = [held[bar.contest].median(task, "mebibytes") for task, _ in (bar.over, bar.under)]
    return " / ".join("?" if one is None else f"{one:.0f}" for one in both) if any(both) else ""


def details(held: dict[str, Contest]) -> Iterator[str]:
    """One table per contest."""
    for key, contest in held.items():
        if key == "default" or key.startswith("slow-"):
            continue
        yield f"### {heading(key, contest)}"
        yield ""
        yield "| | columns | first, ms | later, ms | relative to the full frame | memory, MiB |"
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
    """The line of a reader, or one line per measurement of an errand or of the limits."""
    if name in ("bytes", "gibibyte"):
        return
    if contest.median(name, "first") is not None:
        yield reader_line(contest, name)
        return
    for measure in contest.found[0][name]:
        seconds = contest.median(name, measure) or 0.0
        ratio = times(contest, (name, measure))
        yield f"| {TITLES.get(measure, measure)} | | {milliseconds(seconds)} | | {ratio} | |"


def reader_line(contest: Contest, name: str) -> str:
    title = TITLES.get(name) or f"all columns of {int(name):,} jobs"
    columns, later, memory = (contest.median(name, key) for key in ("columns", "later", "mebibytes"))
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
    """As a multiple of the time of the full frame; empty if the contest has none."""
    if OURS not in contest.tasks:
        return ""
    return short(median(contest.ratios(over, (OURS, "first"))))


def mebibytes(number: float | None) -> str:
    return "" if number is None else f"{number:.0f} MiB"


def short(number: float) -> str:
    """At most three digits."""
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
    """The processor, cores and memory, without the name of the host."""
    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = (line.partition(":") for line in facts.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if key.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.system()}, {model}, {os.cpu_count()} cores, {memory:.0f} GiB"
