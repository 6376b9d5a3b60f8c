"""A table of jobs, as it shows itself: its columns, their types, and the first values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.info import left_out_html
from xpframe.display.style import panel
from xpframe.display.text import html, plural, value_text

if TYPE_CHECKING:
    from xpframe._core import Table

__all__ = ["table_html"]

MOST_COLUMNS = 60
FIRST = 4  # values that are shown
CHEAP = 20_000  # rows of which a column can be read for its first values


def table_html(table: Table) -> str:
    """The columns of a table: name, Arrow type, first values."""
    rows, columns = table.shape
    items = [
        f'<tr><th scope="row"><bdi class="k">{html(name)}</bdi></th><td class="n">{html(kind, 60)}</td>'
        f'<td><bdi class="v">{html(first_values(table, name), 100)}</bdi></td></tr>'
        for name, kind in table.schema[:MOST_COLUMNS]
    ]
    head = "<thead><tr><th>column</th><th>type</th><th>first values</th></tr></thead>"
    title = f'<div class="h"><b>{plural(rows, "job")}</b> <span class="n">{plural(columns, "column")}</span></div>'
    body = f"<tbody>{''.join(items)}{left_out_html(columns - MOST_COLUMNS, 3)}</tbody>"
    return panel(title + f"<table>{head}{body}</table>")


def first_values(table: Table, name: str) -> str:
    if len(table) > CHEAP:
        return ""
    return ", ".join(value_text(value, 40) for value in table.column_values(name)[:FIRST])
