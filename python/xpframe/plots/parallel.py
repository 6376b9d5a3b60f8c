"""Parallel coordinates: an axis for each column in which jobs differ, a line for each job."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any

from xpframe.display.style import COLOURS
from xpframe.errors import InvalidArgumentError
from xpframe.plots.canvas import INK, PALETTE, Canvas, blend, cut, gradient, width_of
from xpframe.plots.columns import Factor, Scope, agree, factor_of, label_of, measure, scope_of, task_scopes
from xpframe.plots.picture import Picture
from xpframe.plots.ruler import ruler
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xpframe._core import Run
    from xpframe.options import Results

__all__ = ["colours", "draw_key", "parallel"]

MAX_AXES = 8
MAX_LABELS = 12
MAX_LINES = 400  # more are a density
MAX_BANDS = 1_500
MAX_NAME = 34
SCALE_WIDTH, SCALE_STEPS = 220.0, 40
MAX_OFF_SCALE = 5  # values that have no position on a scale: none, NaN, infinite
OFF_SCALE_SHARE = 0.08  # of the height, for each of these values
TOP, BOTTOM = 74.0, 310.0
STEP = 130.0


@dataclass(slots=True)
class Axis:
    """A column as a vertical axis: the position of each value, from 0 (bottom) to 1, and labels."""

    factor: Factor
    position: Callable[[Any], float]
    labels: list[tuple[float, str]]


def parallel(
    run: Run, color: str, columns: Sequence[str] | None, results: Results | None, task: str | None
) -> Picture:
    """Draws the picture; by default over the columns in which jobs differ."""
    scope = scope_of(run, task)
    axes = [scope.factor(name, results) for name in columns] if columns else first_axes(scope)
    if task is None and not columns:
        narrow = ((of_task, first_axes(of_task)) for of_task in task_scopes(run, axes))
        scope, axes = next((choice for choice in narrow if choice[1]), (scope, axes))
    if not axes:
        if not run.row_count():
            raise InvalidArgumentError("the run has no jobs", hint="its driver submitted none, or not yet")
        hint = "name columns: plot.parallel(columns=[…])"
        raise InvalidArgumentError("the jobs differ in no column", hint=hint)
    colouring = scope.factor(color, results)
    # axes chosen here may all be of one task: jobs of other tasks would get a line through "none" only
    no_values = (None,) * len(axes)
    values_of_jobs = zip(*(column.values for column in axes), strict=True)
    has_values = [bool(columns) or values != no_values for values in values_of_jobs]
    shown = [
        factor_of(column.name, list(compress(column.values, has_values))) for column in (*axes, colouring)
    ]
    count = sum(has_values)
    names = ", ".join(column.name for column in axes)
    jobs_in_words = f"{plural(count, 'job')}{scope.of_task}"
    words = f"{jobs_in_words} over {names}, coloured by {colouring.name}"
    if count:
        canvas = draw([axis_of(column) for column in shown[:-1]], shown[-1])
    else:
        canvas = Canvas(360, 30)
        canvas.text(6, 18, "no jobs")
    if rest := len(has_values) - count:
        jobs_in_words += f"; {number(rest)} more have none of these"
        words += f"; {number(rest)} more have none of these"
    if count:
        canvas.text(6, 16, cut(jobs_in_words, 80), bold=True, size=12)
    if others := scope.in_words():
        canvas.text(6, canvas.height - 6, cut(others, 110), size=10)
        words += f"; {others}"

    def data() -> list[dict[str, Any]]:
        names = [column.name for column in shown]
        rows = zip(*(column.values for column in shown), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    return Picture(canvas.svg(words), f"<picture: {visible(words, 400)}>", data)


def draw(axes: list[Axis], colouring: Factor) -> Canvas:
    """Draws the lines of jobs, equal ones as one thicker line, or bands of many; then the axes over them."""
    colour, key = colours(colouring)
    label_width = max(width_of(label) for _, label in axes[0].labels)
    margin = max(40.0 + label_width, 8 + width_of(cut(axes[0].factor.name, MAX_NAME)) * 0.55)
    canvas = Canvas(margin + STEP * (len(axes) - 1) + 130, BOTTOM + 66)
    places_of = [{value: round(axis.position(value), 3) for value in axis.factor.different} for axis in axes]
    across = [
        [places[value] for value in axis.factor.values] for places, axis in zip(places_of, axes, strict=True)
    ]
    shades = {value: colour(value) for value in colouring.different}
    lines = Counter(zip(*across, [shades[value] for value in colouring.values], strict=True))
    curves = Canvas(canvas.width, canvas.height)
    if len(lines) <= MAX_LINES:
        draw_lines(curves, margin, lines)
    else:
        draw_bands(curves, margin, lines, mixed=colouring.is_measured)
        words = "bands: the wider, the more jobs"
        canvas.text(margin, BOTTOM + 58, words, size=10)
        canvas.height += 12
    for index, axis in enumerate(axes):
        hide_behind_labels(canvas, margin + STEP * index, axis)
    canvas.elements.append(canvas.masked(curves.elements))
    for index, axis in enumerate(axes):
        draw_axis(canvas, margin + STEP * index, axis, raised=bool(index % 2))
    draw_key(canvas, margin, colouring.name, key, BOTTOM + 26)
    return canvas


def draw_lines(curves: Canvas, margin: float, lines: Counter[tuple[Any, ...]]) -> None:
    """Draws a line for each (positions…, colour)."""
    for (*places, stroke), count in lines.items():
        points = [(margin + STEP * index, height(position)) for index, position in enumerate(places)]
        width = 1.3 + min(4.0, 0.6 * math.log2(count))
        curves.curve(smooth(points), stroke, width=width, opacity=0.35 + 0.4 / (1 + len(lines) / 60))


def draw_bands(curves: Canvas, margin: float, lines: Counter[tuple[Any, ...]], *, mixed: bool) -> None:
    """Draws a band from each part of an axis to each part of the next: the wider, the more jobs it has.

    Together the bands between two axes are hardly as wide as these are high, so that much stays uncovered.
    """
    bands = bands_of(lines, mixed=mixed)
    sizes = {band: sum(count.values()) for band, count in bands.items()}
    total, most = sum(lines.values()), max(sizes.values())
    # thin ones last, so that rare states stay visible
    for band in sorted(bands, key=lambda band: -sizes[band]):
        index, start, end, *_ = band
        points = [(margin + STEP * index, height(start)), (margin + STEP * (index + 1), height(end))]
        width = max(0.6, min(10.0, 0.8 * (BOTTOM - TOP) * sizes[band] / total))
        curves.curve(
            smooth(points), blend(bands[band]), width=width, opacity=0.35 + 0.35 * sizes[band] / most
        )


def bands_of(lines: Counter[tuple[Any, ...]], *, mixed: bool) -> dict[tuple[Any, ...], Counter[str]]:
    """The jobs of each band by colour. A band is named by the index of its first axis, its positions on both
    axes and, unless colours are ``mixed``, its colour. Axes have so many parts that ``MAX_BANDS`` are enough.
    """
    bands: dict[tuple[Any, ...], Counter[str]] = {}
    for parts in (24, 18, 14, 10, 7, 5):
        bands = {}
        for (*places, stroke), count in lines.items():
            # an axis alone has short lines, as for few jobs
            ends = places if len(places) > 1 else places * 2
            rounded = [round(place * (parts - 1)) / (parts - 1) for place in ends]
            for index, (start, end) in enumerate(pairwise(rounded)):
                name = (index, start, end) if mixed else (index, start, end, stroke)
                bands.setdefault(name, Counter())[stroke] += count
        if len(bands) <= MAX_BANDS:
            break
    return bands


def first_axes(scope: Scope) -> list[Factor]:
    """The default axes: tags first, without parameters that equal a tag on all jobs that have both.

    Columns with values in far fewer jobs than the fullest column, as of a rare task, are left out.
    """
    chosen: list[Factor] = []
    candidates = scope.varying(MAX_LABELS)
    minimum = max((count for _, count in candidates), default=0) / 2
    for candidate in (column for column, count in candidates if count >= minimum):
        if len(chosen) < MAX_AXES and not any(agree(column, candidate) for column in chosen):
            chosen.append(candidate)
    return chosen


def axis_of(column: Factor) -> Axis:
    """An axis: a scale for many numbers or times, evenly spaced for other values and for few numbers."""
    different = column.different
    measured = {value: position for value in different if (position := measure(value)) is not None}
    off_scale = [value for value in different if value not in measured]
    if column.is_measured and len(measured) > MAX_LABELS and len(off_scale) <= MAX_OFF_SCALE:
        return scale(column, measured, off_scale)
    places = {value: index / max(1, len(different) - 1) for index, value in enumerate(different)}
    every = max(1, -(-len(different) // MAX_LABELS))
    labels = [(position, cut(label_of(value), 14)) for value, position in places.items()][::every]
    return Axis(column, places.__getitem__, labels)


def scale(column: Factor, measured: dict[Any, float], off_scale: list[Any]) -> Axis:
    """A linear or logarithmic axis with round numbers; values without a position on it stand above."""
    top = 1 - OFF_SCALE_SHARE * len(off_scale)
    share, marks = ruler(measured)
    places = {value: top * share(number) for value, number in measured.items()}
    places |= {value: 1 - OFF_SCALE_SHARE * index for index, value in enumerate(reversed(off_scale))}
    labels = [(top * share(index), label) for index, label in marks]
    return Axis(
        column, places.__getitem__, labels + [(places[value], label_of(value)) for value in off_scale]
    )


@dataclass(slots=True)
class Key:
    """What colours mean: labels with their colours, and for numbers and times the labels of a scale."""

    swatches: list[tuple[str, str]]
    scale: list[tuple[float, str]]


def colours(column: Factor) -> tuple[Callable[[Any], str], Key]:
    """The colour of each value of a column, and what the colours mean."""
    different = [value for value in column.different if value is not None]
    if column.name == "state":
        swatches = [(state, COLOURS[state]) for state in COLOURS if state in different]
        return lambda state: COLOURS[state], Key(swatches, [])
    measured = {value: position for value in different if (position := measure(value)) is not None}
    if column.is_measured and len(measured) > 1:
        share, marks = ruler(measured)

        def shade(value: Any) -> str:
            return gradient(share(measured[value])) if value in measured else INK

        off_scale = [value for value in column.different if value not in measured]
        swatches = [(label_of(value), INK) for value in off_scale[:MAX_OFF_SCALE]]
        return shade, Key(swatches, [(share(mark), label) for mark, label in marks])
    shades = {value: PALETTE[index % len(PALETTE)] for index, value in enumerate(different)}
    swatches = [(cut(label_of(value), 16), shade) for value, shade in shades.items()]
    return lambda value: shades.get(value, INK), Key(swatches[: len(PALETTE)], [])


def height(position: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * position


def smooth(points: list[tuple[float, float]]) -> str:
    """A path through points, flat where it crosses an axis."""
    (x, y), rest = points[0], points[1:]
    path = f"M{x:.0f} {y:.1f}"
    if not rest:
        return f"{path}h24"
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        path += f"C{middle:.0f} {y:.1f} {middle:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}"
        x, y = to_x, to_y
    return path


def hide_behind_labels(canvas: Canvas, x: float, axis: Axis) -> None:
    for position, label in axis.labels:
        width = width_of(label) * 0.9 + 4
        canvas.hide(x - 4 - width, height(position) - 7, width + 3.5, 14)


def draw_axis(canvas: Canvas, x: float, axis: Axis, *, raised: bool) -> None:
    canvas.line(x, TOP - 6, x, BOTTOM + 6, faint=False)
    # neighbours at two heights: long names do not run into each other
    canvas.text(x, 40 if raised else 56, cut(axis.factor.name, MAX_NAME), anchor="middle", bold=True)
    for position, label in axis.labels:
        canvas.text(x - 6, height(position) + 4, label, anchor="end", size=10)


def draw_key(canvas: Canvas, x: float, name: str, key: Key, y: float) -> None:
    """Draws the name of a column and the colours of its values in one line, whose baseline is at ``y``; the
    ticks of a scale stand below it.
    """
    canvas.text(x, y, cut(name, 40), bold=True)
    x += width_of(cut(name, 40)) + 16
    if key.scale:
        draw_scale(canvas, x, y, key.scale)
        x += SCALE_WIDTH + 30
    for label, colour in key.swatches:
        canvas.rectangle(x, y - 9, 10, 10, colour)
        canvas.text(x + 14, y, label)
        x += 14 + width_of(label) + 12
    canvas.width = max(canvas.width, x)


def draw_scale(canvas: Canvas, x: float, y: float, marks: list[tuple[float, str]]) -> None:
    """A bar of all colours from low to high, with its labelled ticks."""
    step = SCALE_WIDTH / SCALE_STEPS
    for index in range(SCALE_STEPS):
        colour = gradient((index + 0.5) / SCALE_STEPS)
        canvas.rectangle(x + step * index, y - 9, step + 0.3, 9, colour, corner=0)
    free_from = x - 20
    for share, label in marks:
        middle, half = x + SCALE_WIDTH * share, width_of(label) * 0.46
        if middle - half < free_from:
            continue
        canvas.line(middle, y, middle, y + 4)
        canvas.text(middle, y + 15, label, anchor="middle", size=10)
        free_from = middle + half + 4
