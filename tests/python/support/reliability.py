"""How much the tests of broken, hostile and failing files do, and the page that their figures make.

`make reliability` sets `$XPFRAME_RELIABILITY` to a directory: tests then do all that is promised and
leave figures there, from which `python tests/python/support/reliability.py DIRECTORY` writes
docs/reliability.md. Without it they do a little.
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
    """How much to do: little, or, for the page, everything."""
    return everything if HOME else little


def figures(name: str, values: Mapping[str, int | float | str]) -> None:
    """Leaves the figures of a test for the page."""
    if HOME:
        Path(HOME).mkdir(parents=True, exist_ok=True)
        (Path(HOME) / f"{name}.json").write_text(json.dumps(values))


HEAD = """# Reliability

Figures that the tests of broken, hostile and failing files left behind, each when it was run last; a script
wrote them down on {date}, and nobody edits them. `make reliability` runs all of these tests.
What the words promise is in [SECURITY.md](../SECURITY.md).
"""


def page(home: Path) -> str:
    """The page of the figures in a directory."""
    found = {p.stem: json.loads(p.read_text()) for p in sorted(home.glob("*.json"))}
    parts = [HEAD.format(date=datetime.now(UTC).date().isoformat())]
    for title, text, names in SECTIONS:
        rows = [(name, values) for name, values in found.items() if name.startswith(names)]
        if rows:
            parts.append(f"## {title}\n\n{text}\n\n{table(rows)}")
    return "\n".join(parts)


SECTIONS = [
    (
        "Cuts",
        (
            "Files of the runs of `v270_full` and `v230_full`, with and without the params.json of "
            "their jobs, cut at a byte each time: no failure, every whole line's job is there with "
            "the config that it had, the cut line is one error with file and line. A last event "
            "without its line end, which a driver may be writing, is left out in silence."
        ),
        "cuts",
    ),
    (
        "Mutations",
        (
            "The same files with flipped bytes, doubled, dropped or reordered lines, garbage, zeros, "
            "copied blocks or nothing at all: no failure, no other line's job lost, each broken line "
            "told once. `mutations-…` are the fuzz targets called with damaged seeds by `cargo test`."
        ),
        "mutations",
    ),
    (
        "Reads that fail",
        (
            "Each system call below the workspace fails, once or for good, while a run is loaded and "
            "its table is built. *told*: an entry in `errors`; *raised*: an error that names the "
            "path; *same*: nothing was lost. None was silent, but "
            "for files that vanish (ENOENT): they are as ones that never were."
        ),
        "faults",
    ),
    (
        "Hostile files",
        (
            "Each in a process of its own in which everything is done that a user can do with a run "
            "(table, objects, display, `==`, `hash`, `pickle`, `asdict`, strict): no crash, no hang, "
            "memory in proportion to the files."
        ),
        "hostile",
    ),
    (
        "A driver and its readers",
        ("Every frame was a prefix of the final one, no value was wrong, no call failed."),
        "soak",
    ),
    (
        "What the system saw",
        (
            "Calls of every public name, the command line and the magic under strace: nothing below "
            "the workspace was written, created, renamed, removed or touched; no socket, no other "
            "program, no module that a file names."
        ),
        "trace",
    ),
    (
        "Fuzzing",
        ("libFuzzer with the address sanitizer (`make fuzz`)."),
        "fuzz-",
    ),
]


def table(rows: list[tuple[str, Mapping[str, object]]]) -> str:
    """A Markdown table, a row for each set of figures."""
    columns = list(dict.fromkeys(name for _, values in rows for name in values))
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, values in rows:
        cells = (f"{values[c]:,}" if isinstance(values.get(c), int | float) else "" for c in columns)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page(Path(sys.argv[1]))
    Path(__file__).resolve().parents[3].joinpath("docs", "reliability.md").write_text(text)
