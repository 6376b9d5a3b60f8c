"""Parallel coordinates: an axis for each column in which jobs differ, a line for each job."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any
from zlib import crc32

from xpframe.display.style import COLOURS
from xpframe.errors import InvalidArgumentError
from xpframe.plots.canvas import INK, PALETTE, Canvas, cut, gradient, width_of
from xpframe.plots.columns import Factor, agree, factor, factor_of, label_of, measure, varying
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
MAX_LINES = 700
MAX_OFF_SCALE = 5  # values that have no position on a scale: none, NaN, infinite
OFF_SCALE_SHARE = 0.08  # of the height, for each of these values
TOP, BOTTOM = 64.0, 300.0
STEP = 130.0


@dataclass(slots=True)
class Axis:
    """A column as a vertical axis: the position of each value, from 0 (bottom) to 1, and labels."""

    factor: Factor
    position: Callable[[Any], float]
    labels: list[tuple[float, str]]


def parallel(run: Run, color: str, columns: Sequence[str] | None, results: Results | None) -> Picture:
    """Draws the picture; by default over the columns in which jobs differ."""
    axes = [factor(run, name, results) for name in columns] if columns else first_axes(run)
    if not axes:
        hint = "name columns: plot.parallel(columns=[…])"
        raise InvalidArgumentError("the jobs differ in no column", hint=hint)
    colouring = factor(run, color, results)
    # axes chosen here may all be of one task: jobs of other tasks would get a line through "none" only
    no_values = (None,) * len(axes)
    values_of_jobs = zip(*(column.values for column in axes), strict=True)
    has_values = [bool(columns) or values != no_values for values in values_of_jobs]
    shown = [
        factor_of(column.name, list(compress(column.values, has_values))) for column in (*axes, colouring)
    ]
    count = sum(has_values)
    names = ", ".join(column.name for column in axes)
    words = f"{plural(count, 'job')} over {names}, coloured by {colouring.name}"
    if count:
        canvas = draw([axis_of(column) for column in shown[:-1]], shown[-1])
    else:
        canvas = Canvas(360, 30)
        canvas.text(6, 18, "no jobs")
    if rest := len(has_values) - count:
        canvas.text(6, 14, f"{plural(count, 'job')}; {number(rest)} more have none of these", size=10)
        words += f"; {number(rest)} more have none of these"

    def data() -> list[dict[str, Any]]:
        names = [column.name for column in shown]
        rows = zip(*(column.values for column in shown), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    return Picture(canvas.svg(words), f"<picture: {visible(words, 400)}>", data)


def draw(axes: list[Axis], colouring: Factor) -> Canvas:
    """Draws the lines of jobs, equal ones as one thicker line, then the axes over them."""
    colour, key = colours(colouring)
    margin = 40.0 + max(width_of(label) for _, label in axes[0].labels)
    canvas = Canvas(margin + STEP * (len(axes) - 1) + 130, BOTTOM + 44)
    places_of = [{value: round(axis.position(value), 3) for value in axis.factor.different} for axis in axes]
    across = [
        [places[value] for value in axis.factor.values] for places, axis in zip(places_of, axes, strict=True)
    ]
    shades = {value: colour(value) for value in colouring.different}
    lines = Counter(zip(*across, [shades[value] for value in colouring.values], strict=True))
    curves = Canvas(canvas.width, canvas.height)
    for (*places, stroke), count in sample_lines(list(lines.items())):
        points = [(margin + STEP * index, height(position)) for index, position in enumerate(places)]
        width = 1.3 + min(4.0, 0.6 * math.log2(count))
        curves.curve(smooth(points), stroke, width=width, opacity=0.35 + 0.4 / (1 + len(lines) / 60))
    for index, axis in enumerate(axes):
        hide_behind_labels(canvas, margin + STEP * index, axis)
    canvas.elements.append(canvas.masked(curves.elements))
    for index, axis in enumerate(axes):
        draw_axis(canvas, margin + STEP * index, axis, raised=bool(index % 2))
    draw_key(canvas, margin, colouring.name, key, BOTTOM + 26)
    if len(lines) > MAX_LINES:
        rest = f"… {number(len(lines) - MAX_LINES)} more lines not shown"
        canvas.text(margin, BOTTOM + 40, rest, size=10)
    return canvas


def sample_lines(lines: list[Any]) -> list[Any]:
    """At most ``MAX_LINES`` lines, spread over all of them, and the same ones each time."""
    # in a grid, the first lines have values in common, and so has every n-th line
    sampled = sorted(range(len(lines)), key=lambda index: crc32(str(index).encode()))[:MAX_LINES]
    return [lines[index] for index in sorted(sampled)]


def first_axes(run: Run) -> list[Factor]:
    """The default axes: tags first, without parameters that equal a tag on all jobs that have both.

    Columns with values in far fewer jobs than the fullest column, as of a rare task, are left out.
    """
    chosen: list[Factor] = []
    candidates = varying(run, MAX_LABELS)
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


def colours(column: Factor) -> tuple[Callable[[Any], str], list[tuple[str, str]]]:
    """The colour of each value of a column, and the legend as (label, colour) pairs."""
    different = [value for value in column.different if value is not None]
    if column.name == "state":
        return lambda state: COLOURS[state], [
            (state, COLOURS[state]) for state in COLOURS if state in different
        ]
    measured = {value: position for value in different if (position := measure(value)) is not None}
    if column.is_measured and len(measured) > len(PALETTE):
        share, marks = ruler(measured)

        def shade(value: Any) -> str:
            return gradient(share(measured[value])) if value in measured else INK

        return shade, [(label, gradient(share(index))) for index, label in marks]
    shades = {value: PALETTE[index % len(PALETTE)] for index, value in enumerate(different)}
    if column.is_measured and len(measured) > 2:
        shades = {value: gradient(index / (len(measured) - 1)) for index, value in enumerate(measured)}
    key = [(cut(label_of(value), 16), shade) for value, shade in shades.items()][: len(PALETTE)]
    return lambda value: shades.get(value, INK), key


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
        canvas.hide(x - 4 - width, height(position) - 6, width, 13)


def draw_axis(canvas: Canvas, x: float, axis: Axis, *, raised: bool) -> None:
    canvas.line(x, TOP - 6, x, BOTTOM + 6, faint=False)
    # neighbours at two heights: long names do not run into each other
    canvas.text(x, 32 if raised else 48, cut(axis.factor.name, 34), anchor="middle", bold=True)
    for position, label in axis.labels:
        canvas.text(x - 6, height(position) + 4, label, anchor="end", size=10)


def draw_key(canvas: Canvas, x: float, name: str, key: list[tuple[str, str]], y: float) -> None:
    """Draws the name of a column and the colours of its values in one line, whose baseline is at ``y``."""
    canvas.text(x, y, cut(name, 40), bold=True)
    x += width_of(cut(name, 40)) + 16
    for label, colour in key:
        canvas.rectangle(x, y - 9, 10, 10, colour)
        canvas.text(x + 14, y, label)
        x += 14 + width_of(label) + 12
    canvas.width = max(canvas.width, x)
