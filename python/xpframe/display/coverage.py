"""The cells of a grid as a mosaic: a table for each task, a tile for each cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from xpframe.display.parts import legend, title_html
from xpframe.display.style import SYMBOLS, panel
from xpframe.summary import brief
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cell", "coverage_html", "coverage_text", "heading"]

MAX_TASKS = 20
MAX_ROWS = 60
MAX_TILES = 40  # in a row
MAX_MISSING = 20  # missing cells that are named
MISSING = "□"
# a cell with jobs in several states shows the first of these
URGENCY = ("error", "lost", "running", "scheduled", "ready", "waiting", "unscheduled", "transient", "done")
TILE = "display:inline-block;min-width:18px;padding:0 3px;border-radius:3px;text-align:center"


@dataclass(slots=True)
class Cell:
    """A cell: its task, the values of its factors, its jobs by state."""

    task: str
    values: dict[str, Any]
    n: int
    states: dict[str, int]

    @property
    def state(self) -> str:
        """The state that a tile shows; empty where it is not known."""
        return next((state for state in URGENCY if self.states.get(state)), "")

    @property
    def sign(self) -> str:
        """What a tile says."""
        if not self.n:
            return MISSING
        return f"{SYMBOLS.get(self.state, '•')}{self.n if self.n > 1 else ''}"

    def in_words(self) -> str:
        """The values of its factors."""
        values = (f"{name}={brief(value, 40)}" for name, value in self.values.items() if value is not None)
        return ", ".join(values) or "all jobs"

    def counts_in_words(self) -> str:
        """Its jobs."""
        states = ", ".join(f"{number(count)} {state}" for state, count in self.states.items())
        return states or (plural(self.n, "job") if self.n else "missing")


@dataclass(slots=True)
class Mosaic:
    """The cells of a task: rows of tiles.

    Attributes:
        task: The task.
        down: The factors that name a row.
        across: The factor that names a column of tiles; empty if there is none.
        heads: Its values.
        rows: For each row, the values that name it, and its cells by their value of ``across``.
    """

    task: str
    down: list[str]
    across: str
    heads: list[Any]
    rows: list[tuple[tuple[Any, ...], dict[Any, Cell]]]


def mosaics(cells: Sequence[Cell], factors: Sequence[str]) -> Iterator[Mosaic]:
    """A mosaic for each task. Across goes the last factor that has a few values."""
    by_task: dict[str, list[Cell]] = {}
    for cell in cells:
        by_task.setdefault(cell.task, []).append(cell)
    for task, here in by_task.items():
        # a list is no key: its text is
        levels = {name: list(dict.fromkeys(key_of(cell.values[name]) for cell in here)) for name in factors}
        varying = [name for name in factors if len(levels[name]) > 1]
        across = next((name for name in reversed(varying) if len(levels[name]) <= MAX_TILES), "")
        down = [name for name in varying if name != across]
        rows: dict[tuple[Any, ...], tuple[tuple[Any, ...], dict[Any, Cell]]] = {}
        for cell in here:
            key = tuple(key_of(cell.values[name]) for name in down)
            named = tuple(cell.values[name] for name in down)
            column = key_of(cell.values[across]) if across else ""
            rows.setdefault(key, (named, {}))[1][column] = cell
        yield Mosaic(task, down, across, levels[across] if across else [""], list(rows.values()))


def key_of(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else brief(value, 200)


def heading(cells: Sequence[Cell]) -> str:
    missing = sum(not cell.n for cell in cells)
    return (
        f"{plural(len(cells), 'cell')}: {number(len(cells) - missing)} with jobs, {number(missing)} missing"
    )


def counts_of(cells: Sequence[Cell]) -> dict[str, int]:
    counts = {state: sum(cell.states.get(state, 0) for cell in cells) for state in SYMBOLS}
    return {state: count for state, count in counts.items() if count}


def coverage_html(cells: Sequence[Cell], factors: Sequence[str], notes: Sequence[str]) -> str:
    """The cells for a notebook: tiles in the colour of their state, the missing ones outlined.

    Args:
        cells: The cells of all tasks.

        factors: The names of the factors that may name rows and columns.

        notes: What there is to say of them, as that some are no grid.
    """
    parts = [title_html("coverage", heading(cells))]
    parts += [f'<div class="e">{html(note, 500)}</div>' for note in notes]
    parts.append(legend(counts_of(cells), sum(cell.n for cell in cells)))
    shown = list(islice(mosaics(cells, factors), MAX_TASKS + 1))
    parts += [mosaic_html(mosaic) for mosaic in shown[:MAX_TASKS]]
    if len(shown) > MAX_TASKS:
        parts.append('<div class="m">… and more tasks</div>')
    missing = [cell for cell in cells if not cell.n]
    if missing:
        names = "".join(
            f'<li><bdi class="t">{html(cell.task)}</bdi> '
            f'<bdi class="v">{html(cell.in_words(), 400)}</bdi></li>'
            for cell in missing[:MAX_MISSING]
        )
        if len(missing) > MAX_MISSING:
            names += f'<li class="m">… and {number(len(missing) - MAX_MISSING)} more</li>'
        parts.append(f"<details><summary>{number(len(missing))} missing</summary><ul>{names}</ul></details>")
    return panel("".join(parts))


def mosaic_html(mosaic: Mosaic) -> str:
    heads = "".join(f'<th><bdi class="k">{html(name, 60)}</bdi></th>' for name in mosaic.down)
    # a mosaic of one column has no name for it
    named = "".join(f"<th>{html(head)}</th>" for head in heads_text(mosaic))
    caption = (
        f' <span class="n">across: <bdi class="k">{html(mosaic.across)}</bdi></span>' if mosaic.across else ""
    )
    body = []
    for values, tiles in mosaic.rows[:MAX_ROWS]:
        row = "".join(f'<td><bdi class="v">{html(brief(value, 40))}</bdi></td>' for value in values)
        body.append(f"<tr>{row}{''.join(tile_html(tiles.get(key)) for key in mosaic.heads)}</tr>")
    if len(mosaic.rows) > MAX_ROWS:
        span = len(mosaic.down) + len(mosaic.heads)
        body.append(
            f'<tr><td class="m" colspan="{span}">… and {number(len(mosaic.rows) - MAX_ROWS)} more</td></tr>'
        )
    table = f"<table><thead><tr>{heads}{named}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return f'<div><bdi class="t">{html(mosaic.task)}</bdi>{caption}{table}</div>'


def tile_html(cell: Cell | None) -> str:
    if cell is None:  # no such cell: another set of tags
        return "<td></td>"
    tip = html(f"{cell.in_words()}: {cell.counts_in_words()}", 400)
    if not cell.n:
        style = f"{TILE};outline:1px dashed var(--warn);color:var(--warn)"
        return f'<td><span style="{style}" title="{tip}">{MISSING}</span></td>'
    colour = f' class="s-{cell.state}"' if cell.state else ""
    style = f"{TILE};color:#fff" if cell.state else f"{TILE};background:var(--wash)"
    return f'<td><span{colour} style="{style}" title="{tip}">{html(cell.sign)}</span></td>'


def coverage_text(cells: Sequence[Cell], factors: Sequence[str], notes: Sequence[str]) -> str:
    """The same for a terminal."""
    lines = [heading(cells), *(visible(note, 500) for note in notes)]
    shown = list(islice(mosaics(cells, factors), MAX_TASKS + 1))
    for mosaic in shown[:MAX_TASKS]:
        across = f"  (across: {visible(mosaic.across)})" if mosaic.across else ""
        lines += ["", f"{visible(mosaic.task)}{across}", *mosaic_text(mosaic)]
    if len(shown) > MAX_TASKS:
        lines.append("… and more tasks")
    missing = [cell for cell in cells if not cell.n]
    if missing:
        lines += ["", "missing"]
        lines += [
            f"  {visible(cell.task)}  {visible(cell.in_words(), 400)}" for cell in missing[:MAX_MISSING]
        ]
        if len(missing) > MAX_MISSING:
            lines.append(f"  … and {number(len(missing) - MAX_MISSING)} more")
    return "\n".join(lines)


def mosaic_text(mosaic: Mosaic) -> list[str]:
    table = [[*(visible(name, 40) for name in mosaic.down), *heads_text(mosaic)]]
    for values, tiles in mosaic.rows[:MAX_ROWS]:
        signs = [cell.sign if (cell := tiles.get(key)) else "" for key in mosaic.heads]
        table.append([*(brief(value, 40) for value in values), *signs])
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    lines = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
    if len(mosaic.rows) > MAX_ROWS:
        lines.append(f"  … and {number(len(mosaic.rows) - MAX_ROWS)} more")
    return lines


def heads_text(mosaic: Mosaic) -> list[str]:
    return [brief(value, 16) if mosaic.across else "" for value in mosaic.heads]
