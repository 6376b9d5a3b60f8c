"""Prints rows: in a terminal aligned, as many as fit; into a pipe or a file all, separated by tabs."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError
from xpframe.export import escape_formula, json_lines, safe_text, timed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from xpframe import _core

__all__ = ["is_terminal", "show_rows", "show_table"]

# rows and characters of a cell in a terminal
MAX_ROWS = 20
MAX_CELL = 40
# identifiers are shown as in displays; `diff`, `path` and info.jobs[…] take their beginning
MAX_IDENTIFIER = 8
_IDENTIFIER = re.compile("[0-9a-f]{64}")


def is_terminal() -> bool:
    """Whether what is printed goes to a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def _writes_text(options: argparse.Namespace) -> bool:
    """Whether rows are aligned: in a terminal, unless a format or ``-o -`` is asked for."""
    return options.format is None and getattr(options, "output", None) is None and is_terminal()


def show_table(table: _core.Table, options: argparse.Namespace, noun: str) -> None:
    """Prints a table, or writes it to the file of ``--output``; the format is that of the options.

    Raises:
        InvalidArgumentError: The file has an ending for which there is no writer, or a format besides.
    """
    length = len(table)
    if options.limit is not None:
        table = table.head(options.limit)
    if options.output not in (None, "-"):
        if options.format:
            hint = f"the ending of the file is its format; or -o - --{options.format}"
            raise InvalidArgumentError(f"--{options.format} and --output {options.output}", hint=hint)
        table.write(options.output)
    elif options.format == "json":
        for line in json_lines(table):
            print(line)
    elif _writes_text(options):
        shown = table.head(MAX_ROWS) if options.limit is None else table
        print(_aligned(table.column_names, _values(shown)))
        rest = f", the first {len(shown)} shown" if length > len(shown) else ""
        print(f"{_count(length, noun)}, {_count(len(table.column_names), 'column')}{rest}")
    else:
        _print_lines(table.column_names, _values(table), options)


def show_rows(names: list[str], rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Prints rows that are dicts; ``--json`` prints one list."""
    rows = rows[: options.limit]
    if options.format == "json":
        print(json.dumps(rows, ensure_ascii=True))
        return
    values = [[row.get(name) for name in names] for row in rows]
    if not _writes_text(options):
        _print_lines(names, values, options)
    elif rows:
        print(_aligned(names, values))


def _values(table: _core.Table) -> Iterator[Sequence[Any]]:
    columns = [timed(table.column_values(name), kind) for name, kind in table.schema]
    return zip(*columns, strict=True) if columns else iter([()] * len(table))


def _print_lines(names: list[str], rows: Iterable[Sequence[Any]], options: argparse.Namespace) -> None:
    line = _csv_line if options.format == "csv" else _tab_line
    print(line(names))
    for row in rows:
        print(line(row))


def _tab_line(row: Sequence[Any]) -> str:
    """Cells with tabs between them; tabs and other control characters inside are escapes."""
    return "\t".join(safe_text(_plain(value)) for value in row)


def _csv_line(row: Sequence[Any]) -> str:
    """A line as ``write("….csv")`` writes it: quoted where needed, with no formula for a spreadsheet."""
    return ",".join(_csv_cell(value) for value in row)


def _csv_cell(value: Any) -> str:
    text = _plain(value)
    if isinstance(value, str):
        text = escape_formula(text)
    if (not text and value is not None) or re.search('[",\r\n]', text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _plain(value: Any) -> str:
    """A value as text: null is empty, lists are JSON, bools as JSON has them, NaN as polars has it."""
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    if isinstance(value, (bool, list, dict, float)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key} {count}" for key, count in value.items())
    text = safe_text("" if value is None else str(value))
    if _IDENTIFIER.fullmatch(text):
        return text[:MAX_IDENTIFIER]
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


def _aligned(names: list[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as aligned text. Columns that do not fit into the terminal are left out, with a count."""
    cells = [[_cell(value) for value in row] for row in (names, *rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(names))]
    room, shown = shutil.get_terminal_size((120, 24)).columns, 0
    while shown < len(widths) and (shown == 0 or room >= widths[shown]):
        room -= widths[shown] + 2
        shown += 1
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row[:shown], widths, strict=False)).rstrip()
        for row in cells
    ]
    hidden = len(widths) - shown
    return "\n".join([*lines, f"({_count(hidden, 'more column')})"] if hidden else lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
