"""Jobs by state, over the values of two columns."""

from __future__ import annotations

from collections import Counter
from math import fsum
from typing import TYPE_CHECKING, Any

from xpframe.display.style import COLOURS, SYMBOLS
from xpframe.errors import InvalidArgumentError
from xpframe.plots.canvas import Canvas, cut, gradient, text_on, width_of
from xpframe.plots.columns import Factor, Scope, agree, label_of, measure, scope_of, task_scopes
from xpframe.plots.picture import Picture
from xpframe.summary import STATES
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from xpframe._core import Run
    from xpframe.options import Results

__all__ = ["legend", "states"]

MAX_VALUES = 40  # rows, and columns
MAX_WIDTH = 1_100.0  # of all columns together
MAX_DEFAULT_VALUES = 20  # distinct values of a column that is chosen by default
CELL_HEIGHT = 28.0
HEAD = 84.0

Cells = dict[tuple[Any, Any], dict[str, int]]


def states(
    run: Run,
    x: str | None,
    y: str | None,
    metric: str | None,
    results: Results | None,
    task: str | None,
) -> Picture:
    """Draws the picture; by default over two columns in which many jobs differ."""
    scope = scope_of(run, task)
    across, down = choose_columns(scope, x, y)
    if task is None and not (x and y):
        narrow = task_scopes(run, (across, down))
        scope = next((of_task for of_task in narrow if of_task.varying(MAX_DEFAULT_VALUES)), scope)
        across, down = choose_columns(scope, x, y) if scope.task else (across, down)
    state = scope.factor("state")
    jobs = Counter(zip(across.values, down.values, state.values, strict=True))
    cells: Cells = {}
    for of_column in across.different[:MAX_VALUES]:
        for of_row in down.different[:MAX_VALUES]:
            cells[of_column, of_row] = {
                state: count for state in COLOURS if (count := jobs[of_column, of_row, state])
            }
    canvas = Canvas(360, HEAD + CELL_HEIGHT * len(down.different[:MAX_VALUES]) + 34)
    drawn, right = draw_grid(canvas, across, down, cells)
    legend(canvas, 6, canvas.height - 14, Counter(state.values))
    left_out = len(across.different) - drawn + max(0, len(down.different) - MAX_VALUES)
    if left_out:
        canvas.height += 12
        canvas.text(6, canvas.height - 6, f"… {plural(left_out, 'more value')} not shown", size=10)
    jobs_in_words = f"{plural(len(state.values), 'job')}{scope.of_task}"
    words = f"{jobs_in_words} by state over {across.name} and {down.name}"
    canvas.text(6, 16, cut(words, 120), bold=True, size=12)
    canvas.width = max(canvas.width, 12 + width_of(cut(words, 120)) * 1.12)
    if others := scope.in_words():
        canvas.height += 14
        canvas.text(6, canvas.height - 6, cut(others, 110), size=10)
        canvas.width = max(canvas.width, 12 + width_of(cut(others, 110)))
        words += f"; {others}"
    names = (across.name, down.name, "state", "jobs")
    means: dict[tuple[Any, Any], float] = {}
    if metric is not None:
        measured = scope.factor(metric, results)
        means = means_of(across, down, measured)
        shown = across.different[:drawn], down.different[:MAX_VALUES]
        draw_means(canvas, right + 24, *shown, means, measured.name)
        words += f", beside the mean of {measured.name}"

    def data() -> list[dict[str, Any]]:
        rows = [dict(zip(names, (*cell, count), strict=True)) for cell, count in jobs.items()]
        if metric is not None:
            for row in rows:
                row["mean"] = means.get((row[across.name], row[down.name]))
        return rows

    return Picture(canvas.svg(words), f"<picture: {visible(words)}>", data)


def means_of(across: Factor, down: Factor, measured: Factor) -> dict[tuple[Any, Any], float]:
    """The mean of the finite numbers of a column in each cell that has one."""
    if measured.different not in ([], [None]) and not measured.is_measured:
        raise InvalidArgumentError(f"{measured.name} is no number", hint="metric= is a column of numbers")
    numbers: dict[tuple[Any, Any], list[float]] = {}
    for *cell, value in zip(across.values, down.values, measured.values, strict=True):
        if (at := measure(value)) is not None:
            numbers.setdefault((cell[0], cell[1]), []).append(at)
    return {cell: fsum(some) / len(some) for cell, some in numbers.items()}


def draw_means(
    canvas: Canvas,
    left: float,
    columns: list[Any],
    rows: list[Any],
    means: dict[tuple[Any, Any], float],
    name: str,
) -> None:
    """Draws a second grid: the mean of each cell, in a colour by its size."""
    labels = {mean: f"{mean:.4g}" for mean in means.values()}
    heads = [width_of(cut(label_of(value), 20)) + 12 for value in columns]
    width = min(160.0, max([52.0, *(width_of(label) + 14 for label in labels.values()), *heads]))
    low, high = min(labels, default=0.0), max(labels, default=0.0)
    canvas.text(left + 2, 36, f"mean of {cut(name, 60)}", bold=True)
    for index, of_column in enumerate(columns):
        x = left + width * index
        canvas.text(x + width / 2, HEAD - 8, cut(label_of(of_column), 20), anchor="middle")
        for row, of_row in enumerate(rows):
            y = HEAD + CELL_HEIGHT * row
            mean = means.get((of_column, of_row))
            if mean is None:
                canvas.frame(x + 2, y + 2, width - 4, CELL_HEIGHT - 4, dashed=True)
                continue
            tip = f"{label_of(of_column)}, {label_of(of_row)}: {mean!r}"
            shade = gradient((mean - low) / (high - low) if high > low else 0.5)
            canvas.rectangle(x + 2, y + 2, width - 4, CELL_HEIGHT - 4, shade, tip=tip, corner=3)
            canvas.text(
                x + width / 2, y + 18, labels[mean], anchor="middle", bold=True, colour=text_on(shade)
            )
    title = left + width_of(f"mean of {cut(name, 60)}") + 10
    canvas.width = max(canvas.width, left + width * len(columns) + 10, title)


def choose_columns(scope: Scope, x: str | None, y: str | None) -> tuple[Factor, Factor]:
    """The named columns; by default tags before parameters, of these the ones in which most jobs have a
    value, else state and task.
    """
    few = MAX_DEFAULT_VALUES
    candidates = (
        [] if x and y else [column for column, _ in scope.varying(few) if len(column.different) <= few]
    )
    across = scope.factor(x or fallback_column(y)) if x or not candidates else max(candidates, key=rank)
    candidates = [column for column in candidates if column.name != across.name and not agree(column, across)]
    if y or not candidates:
        down = scope.factor(y or fallback_column(across.name))
    else:
        down = max(candidates, key=lambda column: rank(column, across))
    return across, down


def rank(column: Factor, *others: Factor) -> tuple[bool, int, int]:
    """Tags first, then the columns in which most jobs have a value, then those of fewer values."""
    return column.is_tag, *filled(column, *others)


def fallback_column(name: str | None) -> str:
    """The column if there are no candidates: the task, or the state beside the task."""
    return "state" if name in ("task", None) else "task"


def filled(*columns: Factor) -> tuple[int, int]:
    """The number of jobs with a value in all columns, and minus the number of values of the first."""
    with_gaps = [column.values for column in columns if None in column.different]
    if len(with_gaps) > 1:
        complete = sum(None not in job for job in zip(*with_gaps, strict=True))
    else:
        complete = len(columns[0].values) - sum(values.count(None) for values in with_gaps)
    return complete, -len(columns[0].different)


def draw_grid(canvas: Canvas, across: Factor, down: Factor, cells: Cells) -> tuple[int, float]:
    """Draws names, values and a cell for each pair of values; returns the number of values drawn across, and
    where the last of them ends.
    """
    columns, rows = across.different[:MAX_VALUES], down.different[:MAX_VALUES]
    left = 18 + max((width_of(cut(label_of(value))) for value in rows), default=0.0)
    counts = [sum(needed(number(count)) for count in cell.values()) + 8 for cell in cells.values()]
    labels = [width_of(cut(label_of(value), 20)) + 12 for value in columns]
    width = min(160.0, max([44.0, *counts, *labels]))
    columns = columns[: int(MAX_WIDTH / width)]
    canvas.width = max(canvas.width, left + width * len(columns) + 10)
    canvas.text(left + 2, 36, cut(across.name, 70), bold=True)
    canvas.text(6, 58, cut(down.name, 40), bold=True)
    for index, of_column in enumerate(columns):
        canvas.text(left + width * (index + 0.5), HEAD - 8, cut(label_of(of_column), 20), anchor="middle")
    for row, of_row in enumerate(rows):
        top = HEAD + CELL_HEIGHT * row
        canvas.text(left - 8, top + 18, cut(label_of(of_row)), anchor="end")
        for index, of_column in enumerate(columns):
            cell_name = f"{label_of(of_column)}, {label_of(of_row)}"
            draw_cell(canvas, left + width * index, top, width, cells[of_column, of_row], cell_name)
    return len(columns), left + max(width * len(columns), width_of(cut(across.name, 70)))


def needed(count: str) -> float:
    """The width of a count with the sign of its state."""
    return width_of(count) + 17


def draw_cell(
    canvas: Canvas, x: float, y: float, width: float, counts: dict[str, int], cell_name: str
) -> None:
    """Draws a cell divided among the states, with their counts and signs if all of them fit."""
    inner, height = width - 4, CELL_HEIGHT - 4
    total = sum(counts.values())
    if not total:
        canvas.frame(x + 2, y + 2, inner, height, dashed=True)
        return
    tip = f"{cell_name}: " + ", ".join(f"{number(count)} {state}" for state, count in counts.items())
    rooms = {state: needed(number(count)) for state, count in counts.items()}
    spare = inner - sum(rooms.values())
    fits = spare >= 0
    left = x + 2
    for state, count in counts.items():
        part = rooms[state] + spare * count / total if fits else inner * count / total
        canvas.rectangle(left, y + 2, part, height, COLOURS[state], tip=tip, corner=3)
        if fits:
            canvas.signed(left + part / 2, y + 18, number(count), SYMBOLS[state])
        left += part


def legend(canvas: Canvas, x: float, y: float, counts: Counter[str]) -> None:
    """Draws the states that occur, with their colours, signs and counts, in one line."""
    for state in STATES:
        if not counts[state]:
            continue
        words = f"{number(counts[state])} {state}"
        canvas.rectangle(x, y - 10, 13, 13, COLOURS[state], corner=3)
        canvas.text(x + 6.5, y, SYMBOLS[state], anchor="middle", size=10, colour="#fff")
        canvas.text(x + 18, y, words)
        x += 18 + width_of(words) + 14
    canvas.width = max(canvas.width, x)
