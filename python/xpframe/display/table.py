"""A table: its columns, their types, and the first values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.parts import table_html as rows_html
from xpframe.display.parts import title_html
from xpframe.display.style import panel
from xpframe.summary import brief
from xpframe.text import at_microseconds, html, instant, number, plural

if TYPE_CHECKING:
    from xpframe._core import Table

__all__ = ["table_html"]

MAX_COLUMNS = 60
SHOWN_VALUES = 4
MAX_TASKS = 12
MAX_ROWS_TO_READ = 20_000  # values of larger tables are not shown: whole columns would be converted


def table_html(table: Table) -> str:
    """The columns of a table: name, Arrow type, first values."""
    rows, columns = table.shape
    items = [
        f'<tr><th scope="row"><bdi class="k">{html(name)}</bdi></th><td class="n">{html(kind, 60)}</td>'
        f'<td><bdi class="v">{html(first_values(table, name, kind), 100)}</bdi></td></tr>'
        for name, kind in table.schema[:MAX_COLUMNS]
    ]
    head = "<th>column</th><th>type</th><th>first values</th>"
    title = title_html(plural(rows, "job"), plural(columns, "column"))
    return panel(title + tasks_html(table) + rows_html(head, items, columns - MAX_COLUMNS))


def tasks_html(table: Table) -> str:
    """The tasks of the jobs, if there are several, and how to get one of them."""
    if "task" not in table.column_names:
        return ""
    counts = [(str(task), count) for (task,), count in table.value_counts(["task"])]
    if len(counts) < 2:
        return ""
    words = ", ".join(f"{task.rpartition('.')[2]} {number(count)}" for task, count in counts[:MAX_TASKS])
    rest = f", … {len(counts) - MAX_TASKS} more" if len(counts) > MAX_TASKS else ""
    example = max(counts, key=lambda pair: pair[1])[0].rpartition(".")[2]
    hint = f"one at a time: <code>task={html(repr(example))}</code>"
    return f'<div class="o">{len(counts)} tasks: {html(words, 600)}{rest} · {hint}</div>'


def first_values(table: Table, name: str, kind: str) -> str:
    if len(table) > MAX_ROWS_TO_READ:
        return ""
    values = table.column_values(name)[:SHOWN_VALUES]
    if kind.startswith("Timestamp"):
        return ", ".join("None" if value is None else instant(at_microseconds(value)) for value in values)
    return ", ".join(brief(value, 30) for value in values)
