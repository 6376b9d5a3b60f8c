"""Jobs by state, over the values of two columns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from xpframe.display.style import COLOURS, SYMBOLS
from xpframe.display.summary import STATES
from xpframe.display.text import number, plural, visible
from xpframe.plots.canvas import Canvas, cut, width_of
from xpframe.plots.columns import Factor, factor, label_of, varying
from xpframe.plots.picture import Picture

if TYPE_CHECKING:
    from xpframe._core import Run

__all__ = ["legend", "states"]

MOST = 40  # rows and columns
CELL_HEIGHT = 28.0


def states(run: Run, x: str | None, y: str | None) -> Picture:
    """The picture; without names, the first two columns in which jobs differ."""
    across, down = chosen(run, x, y)
    state = factor(run, "state")
    counts = Counter(zip(across.values, down.values, state.values, strict=True))
    columns, rows = across.different[:MOST], down.different[:MOST]
    left = 16 + max([width_of(cut(label_of(value))) for value in rows] + [0])
    cell = min(130.0, max([44.0] + [width_of(cut(label_of(value), 16)) + 12 for value in columns]))
    canvas = Canvas(max(360, left + cell * len(columns) + 10), 64 + CELL_HEIGHT * len(rows) + 34)
    canvas.text(left, 14, cut(across.name, 70), bold=True)
    canvas.text(0, 36, cut(down.name, 40), bold=True)
    for at, value in enumerate(columns):
        canvas.text(left + cell * (at + 0.5), 54, cut(label_of(value), 16), anchor="middle")
    for row, of_row in enumerate(rows):
        top = 62 + CELL_HEIGHT * row
        canvas.text(left - 8, top + 18, cut(label_of(of_row)), anchor="end")
        for at, of_column in enumerate(columns):
            here = {
                state: counts[of_column, of_row, state]
                for state in COLOURS
                if counts[of_column, of_row, state]
            }
            draw_cell(canvas, left + cell * at, top, cell, here, f"{label_of(of_column)}, {label_of(of_row)}")
    bottom = 62 + CELL_HEIGHT * len(rows)
    legend(canvas, left, bottom + 20, Counter(state.values))
    left_out = max(0, len(across.different) - MOST) + max(0, len(down.different) - MOST)
    if left_out:
        canvas.text(left, bottom + 32, f"… {plural(left_out, 'more value')} not shown", size=10)
    words = f"{plural(len(state.values), 'job')} by state over {across.name} and {down.name}"
    return Picture(canvas.svg(words), f"<picture: {visible(words)}>", as_data(counts, across, down))


def chosen(run: Run, x: str | None, y: str | None) -> tuple[Factor, Factor]:
    """The two columns: those asked for, else those in which jobs differ, else the task."""
    free = [found for found in varying(run, MOST)] if x is None or y is None else []
    free.sort(key=lambda found: len(found.different) > MOST // 2)
    across = factor(run, x) if x else free.pop(0) if free else factor(run, "task")
    free = [found for found in free if found.name != across.name and found.values != across.values]
    down = factor(run, y) if y else free[0] if free else factor(run, "task")
    return across, down


def draw_cell(canvas: Canvas, x: float, y: float, width: float, counts: dict[str, int], where: str) -> None:
    """A cell whose area the states share; the counts stand in it, with signs where there are several states."""
    inner, height = width - 4, CELL_HEIGHT - 4
    total = sum(counts.values())
    if not total:
        canvas.frame(x + 2, y + 2, inner, height, dashed=True)
        return
    at = x + 2
    tip = f"{where}: " + ", ".join(f"{number(count)} {state}" for state, count in counts.items())
    for state, count in counts.items():
        canvas.rectangle(at, y + 2, inner * count / total, height, COLOURS[state], tip=tip, corner=3)
        at += inner * count / total
    words = " ".join(f"{number(count)}{SYMBOLS[state]}" for state, count in counts.items())
    words = words if width_of(words) < inner else number(total)
    canvas.text(x + width / 2, y + 18, words, anchor="middle", bold=True, colour="#fff")


def legend(canvas: Canvas, x: float, y: float, counts: Counter[str]) -> None:
    """The states that occur, with their colours, signs and counts, in one line."""
    for state in dict.fromkeys(STATES.values()):
        if not counts[state]:
            continue
        words = f"{state} {SYMBOLS[state]} {number(counts[state])}"
        canvas.rectangle(x, y - 9, 10, 10, COLOURS[state])
        canvas.text(x + 15, y, words)
        x += 15 + width_of(words) + 14


def as_data(counts: Counter[tuple[Any, Any, str]], across: Factor, down: Factor) -> list[dict[str, Any]]:
    if across.name == down.name:
        return [{across.name: x, "state": state, "jobs": count} for (x, _, state), count in counts.items()]
    return [
        {across.name: x, down.name: y, "state": state, "jobs": count}
        for (x, y, state), count in counts.items()
    ]
