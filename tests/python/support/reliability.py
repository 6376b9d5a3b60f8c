"""The effort of the tests of broken, hostile and failing files, and the page of their figures.

`make reliability` sets `$XPFRAME_RELIABILITY` to a directory. Tests then make their full effort and leave
figures there, from which `python tests/python/support/reliability.py DIRECTORY` writes docs/reliability.md.
Without it they make a small effort.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

HOME = os.environ.get("XPFRAME_RELIABILITY")


def effort(little: int, everything: int) -> int:
    """The number of cases to try: a few, or, for the page, all."""
    return everything if HOME else little


def figures(name: str, values: Mapping[str, int | float | str]) -> None:
    """Stores the figures of a test for the page."""
    if HOME:
        Path(HOME).mkdir(parents=True, exist_ok=True)
        (Path(HOME) / f"{name}.json").write_text(json.dumps(values))


HEAD = """# Reliability

What xpframe does with truncated, damaged and hostile files, with failing disks, and with runs that grow
while they are read. The tests require that it neither crashes nor hangs, returns everything that is still
readable, and reports every loss.

The figures come from the last run of each test. `tests/python/support/reliability.py` wrote this page on
{date}; do not edit it. `make reliability` runs all of these tests. [SECURITY.md](../SECURITY.md) lists the
guarantees.
"""


def page(home: Path) -> str:
    """The page of the figures in a directory."""
    figures_by_test = {p.stem: json.loads(p.read_text()) for p in sorted(home.glob("*.json"))}
    parts = [HEAD.format(date=datetime.now(UTC).date().isoformat())]
    for title, text, prefix in SECTIONS:
        rows = [(name, values) for name, values in figures_by_test.items() if name.startswith(prefix)]
        if rows:
            parts.append(f"## {title}\n\n{text}\n{table(rows, prefix)}")
    return "\n".join(parts)


# title, text, and the prefix of the names of its figures
SECTIONS = [
    (
        "What if a file is truncated?",
        """\
The files of the runs of `v270_full` and `v230_full`, with and without the params.json of their jobs, are
truncated at one byte position after the other. xpframe never fails. Every job with a whole line keeps its
config, and the partial line is one error with file and line. A last event without a line end, which a
driver may still be writing, is skipped without an error.
""",
        "cuts",
    ),
    (
        "What if a file is damaged?",
        """\
The same files with flipped bytes; with doubled, dropped or reordered lines; with garbage, zeros or copied
blocks; or empty. xpframe never fails, loses no job of another line, and reports each broken line once. In
the rows with a name, `cargo test` calls the fuzz target of that name with damaged seeds.
""",
        "mutations",
    ),
    (
        "What if the disk fails?",
        """\
Each system call below the workspace fails, once or for good, while a run is loaded and its table is
built. *reported*: an entry in `errors`; *raised*: an error that names the path; *no loss*: the result is
complete. Nothing is lost silently, except for files that vanish (ENOENT): they look as if they had never
existed.
""",
        "faults",
    ),
    (
        "What if a file is hostile?",
        """\
Each case runs in its own process and does everything that a user can do with a run: table, objects,
display, `==`, `hash`, `pickle`, `asdict`, strict. No crash, no hang, memory in proportion to the files.
""",
        "hostile",
    ),
    (
        "What if the run is being written?",
        """\
One driver writes while readers read. Every frame is a prefix of the final one, no value is wrong, no call
fails.
""",
        "soak",
    ),
    (
        "What does the operating system see?",
        """\
strace records calls of every public name, the command line and the magic. Nothing below the workspace is
written, created, renamed, removed or touched; no socket is opened, no program started, no module of a
file's name imported.
""",
        "trace",
    ),
    (
        "What did fuzzing find?",
        """\
libFuzzer with the address sanitizer (`make fuzz`). The counts add up all runs during development; crashes
include timeouts, and two readings of one input that differ.
""",
        "fuzz",
    ),
]
# names that tests give their figures, where the page uses another
TITLES = {
    "told": "reported",
    "errors told": "errors reported",
    "tried": "failures injected",
    "same": "no loss",
    "slowest_ms": "slowest, ms",
    "changed": "files changed",
    "errors of lines being written": "errors of partial lines",
    "memory grown, KiB, at most": "memory growth, KiB",
    "below the workspace": "of these below the workspace",
}


def table(rows: list[tuple[str, Mapping[str, object]]], prefix: str) -> str:
    """A Markdown table with one row per set of figures."""
    columns = list(dict.fromkeys(name for _, values in rows for name in values))
    titles = [TITLES.get(column, column) for column in columns]
    lines = ["| | " + " | ".join(titles) + " |", "|---|" + "---:|" * len(columns)]
    for name, values in rows:
        label = name.removeprefix(prefix).removeprefix("-") or "all"
        if prefix == "hostile":
            label = label.replace("_", " ")
        cells = (f"{values[c]:,}" if isinstance(values.get(c), int | float) else "" for c in columns)
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page(Path(sys.argv[1]))
    Path(__file__).resolve().parents[3].joinpath("docs", "reliability.md").write_text(text)
