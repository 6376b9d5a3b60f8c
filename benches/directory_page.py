"""The two sections of docs/benchmarks.md about the directories of jobs: on a local disk, and on a network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from contests import Contest
from units import duration, milliseconds

FLOOR = "default_floor"
TITLES = {
    "default_polars": '`xp_frame(run, backend="polars")`: all default columns',
    "default_pandas": "`xp_frame(run)`: the same, pandas",
    "default_experimaestro": "experimaestro: its loop, and states and times from its provider",
    "default_failures": "`load_xp_info(run).failures()`: one of twenty jobs failed",
    "default_results": '`xp_frame(run, columns=["result.*"], results="metrics.json")`',
    "default_check": "`Workspace(…).check(…)`: every config compared with its params.json",
    FLOOR: "the floor: the files that the default call reads, opened and read by C on two threads",
}
LOCAL = """\
## What do the directories of jobs cost on a local disk?

Measured on {date}. {jobs:,} jobs of the shape *rich* with markers, status.json, logs, params and results.
"""
NETWORK = """\
## What do they cost on a network?

Measured on {date}. Each call below the workspace takes a millisecond longer; 2,000 jobs of the shape *grid*
have directories. 32 threads wait for the answers, whatever the processors.
"""
# how the jobs ended, question, the most seconds it may take
LIMITS = {
    ("done", "default"): 0.6,
    ("done", "state"): 0.15,
    ("failed", "default"): 0.8,
    ("failed", "state"): 0.4,
    ("no marker", "default"): 0.8,
    ("no marker", "state"): 0.4,
    ("done", "display"): 0.25,
    ("done", "filtered scan"): 0.15,
    ("done", "collected again"): 0.15,
    ("done", "check"): 0.8,
    ("done", "refresh, since"): 0.15,
}


def directory_sections(held: dict[str, Contest]) -> Iterator[str]:
    """The lines of both sections, of those that were measured."""
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    if "default" in held:
        yield LOCAL.format(date=date, jobs=held["default"].jobs)
        yield from local_lines(held["default"])
        yield ""
    slow = {key.partition("-")[2]: contest for key, contest in held.items() if key.startswith("slow-")}
    if slow:
        yield NETWORK.format(date=date)
        yield from network_lines(slow)
        yield ""


def local_lines(contest: Contest) -> Iterator[str]:
    """A line a question, each beside the floor."""
    yield "| | first, ms | relative to the floor |"
    yield "|---|--:|--:|"
    for name, title in TITLES.items():
        seconds = contest.median(name, "first") or 0.0
        ratio = median(contest.ratios((name, "first"), (FLOOR, "first")))
        yield f"| {title} | {milliseconds(seconds)} | {ratio:.2f} |"


def network_lines(slow: dict[str, Contest]) -> Iterator[str]:
    """A line a question: how many calls, how long, and how long at most."""
    yield "| jobs | question | calls | time | limit |"
    yield "|---|---|--:|--:|--:|"
    for end, contest in slow.items():
        for name in [name for name in contest.found[0]["slow"] if not name.endswith(", calls")]:
            calls, seconds = (contest.median("slow", what) or 0.0 for what in (f"{name}, calls", name))
            limit = LIMITS.get((end, name))
            missed = " **MISSED**" if limit is not None and seconds > limit else ""
            most = "" if limit is None else f"{limit} s{missed}"
            yield f"| {end} | {name} | {calls:,.0f} | {duration(seconds)} | {most} |"


def with_sections(page: str, text: str) -> str:
    """The page with sections in the place of those of the same headings, or before the method."""
    for section in filter(None, text.split("## ")):
        heading = section.partition("\n")[0]
        start = page.find(f"## {heading}\n")
        end = page.find("\n## ", start + 1) + 1
        if start < 0:
            start = end = page.index("## How is it measured?\n")
        page = f"{page[:start]}## {section.rstrip()}\n\n{page[end:]}"
    return page


def section_of(page: str, heading: str) -> str:
    """A section of the page with its heading; empty if the page has none."""
    start = page.find(f"## {heading}\n")
    return page[start : page.find("\n## ", start + 1) + 1] if start >= 0 else ""
