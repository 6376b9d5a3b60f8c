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
from xpframe.plots.columns import Factor, agree, factor, given, label_of, measure, varying
from xpframe.plots.picture import Picture
from xpframe.plots.ruler import ruler
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xpframe._core import Run

__all__ = ["parallel"]

MOST_AXES = 8
MOST_LABELS = 12
MOST_LINES = 700
MOST_APART = 5  # values beside a scale: none, NaN, infinite
APART = 0.08  # of the height, for each of those
TOP, BOTTOM = 64.0, 300.0
STEP = 130.0


@dataclass(slots=True)
class Axis:
    """A column as a vertical axis: where its values stand, from 0 at the bottom to 1, and labels."""

    factor: Factor
    place: Callable[[Any], float]
    labels: list[tuple[float, str]]


def parallel(run: Run, color: str, columns: Sequence[str] | None) -> Picture:
    """The picture; without columns, of those in which jobs differ."""
    found = [factor(run, name) for name in columns] if columns else first_axes(run)
    if not found:
        hint = "name some: plot.parallel(columns=[…])"
        raise InvalidArgumentError("the jobs differ in no column", hint=hint)
    colouring = factor(run, color)
    # where the axes were chosen here, jobs of other tasks would stand at none of all of them
    nothing = (None,) * len(found)
    kept = [bool(columns) or job != nothing for job in zip(*(one.values for one in found), strict=True)]
    shown = [given(one.name, list(compress(one.values, kept))) for one in (*found, colouring)]
    count = sum(kept)
    words = (
        f"{plural(count, 'job')} over {', '.join(one.name for one in found)}, coloured by {colouring.name}"
    )
    if count:
        canvas = draw([axis_of(one) for one in shown[:-1]], shown[-1])
    else:
        canvas = Canvas(360, 30)
        canvas.text(6, 18, "no jobs")
    if rest := len(kept) - count:
        canvas.text(6, 14, f"{plural(count, 'job')}; {number(rest)} more have none of these", size=10)
        words += f"; {number(rest)} more have none of these"

    def data() -> list[dict[str, Any]]:
        names = [one.name for one in shown]
        rows = zip(*(one.values for one in shown), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    return Picture(canvas.svg(words), f"<picture: {visible(words, 400)}>", data)


def draw(axes: list[Axis], colouring: Factor) -> Canvas:
    """Draws the lines of jobs, those that are alike as one thicker line, then the axes over them."""
    colour, key = colours(colouring)
    margin = 40.0 + max(width_of(label) for _, label in axes[0].labels)
    canvas = Canvas(margin + STEP * (len(axes) - 1) + 130, BOTTOM + 44)
    places_of = [{value: round(axis.place(value), 3) for value in axis.factor.different} for axis in axes]
    across = [
        [places[value] for value in axis.factor.values] for places, axis in zip(places_of, axes, strict=True)
    ]
    shades = {value: colour(value) for value in colouring.different}
    lines = Counter(zip(*across, [shades[value] for value in colouring.values], strict=True))
    curves = Canvas(canvas.width, canvas.height)
    for (*places, stroke), count in some(list(lines.items())):
        points = [(margin + STEP * at, height(place)) for at, place in enumerate(places)]
        width = 1.3 + min(4.0, 0.6 * math.log2(count))
        curves.curve(smooth(points), stroke, width=width, opacity=0.35 + 0.4 / (1 + len(lines) / 60))
    for at, axis in enumerate(axes):
        hide_behind_labels(canvas, margin + STEP * at, axis)
    canvas.elements.append(canvas.masked(curves.elements))
    for at, axis in enumerate(axes):
        draw_axis(canvas, margin + STEP * at, axis, raised=bool(at % 2))
    draw_key(canvas, margin, colouring.name, key)
    if len(lines) > MOST_LINES:
        rest = f"… {number(len(lines) - MOST_LINES)} more lines not shown"
        canvas.text(margin, BOTTOM + 40, rest, size=10)
    return canvas


def some(lines: list[Any]) -> list[Any]:
    """As many lines as are drawn, spread over all; the same each time."""
    # neither the first ones nor every n-th: in a grid, those have values in common
    kept = sorted(range(len(lines)), key=lambda at: crc32(str(at).encode()))[:MOST_LINES]
    return [lines[at] for at in sorted(kept)]


def first_axes(run: Run) -> list[Factor]:
    """Tags first; of a tag and a parameter that say the same for the jobs that have both, the tag.

    Columns that many fewer jobs have than another, as those of a rarer task, are left out.
    """
    kept: list[Factor] = []
    candidates = varying(run, MOST_LABELS)
    least = max((count for _, count in candidates), default=0) / 2
    for candidate in (one for one, count in candidates if count >= least):
        if len(kept) < MOST_AXES and not any(agree(one, candidate) for one in kept):
            kept.append(candidate)
    return kept


def axis_of(column: Factor) -> Axis:
    """An axis: a scale for many numbers or times, evenly spaced for anything else and for few of them."""
    different = column.different
    measured = {value: place for value in different if (place := measure(value)) is not None}
    apart = [value for value in different if value not in measured]
    if column.is_measured and len(measured) > MOST_LABELS and len(apart) <= MOST_APART:
        return scale(column, measured, apart)
    places = {value: at / max(1, len(different) - 1) for at, value in enumerate(different)}
    every = max(1, -(-len(different) // MOST_LABELS))
    labels = [(place, cut(label_of(value), 14)) for value, place in places.items()][::every]
    return Axis(column, places.__getitem__, labels)


def scale(column: Factor, measured: dict[Any, float], apart: list[Any]) -> Axis:
    """A linear or logarithmic axis with round numbers; what has no place on it stands above."""
    top = 1 - APART * len(apart)
    share, marks = ruler(measured)
    places = {value: top * share(number) for value, number in measured.items()}
    places |= {value: 1 - APART * at for at, value in enumerate(reversed(apart))}
    labels = [(top * share(at), label) for at, label in marks]
    return Axis(column, places.__getitem__, labels + [(places[value], label_of(value)) for value in apart])


def colours(column: Factor) -> tuple[Callable[[Any], str], list[tuple[str, str]]]:
    """The colour of each value of a column, and the key to them as (label, colour) pairs."""
    different = [value for value in column.different if value is not None]
    if column.name == "state":
        return lambda state: COLOURS[state], [
            (state, COLOURS[state]) for state in COLOURS if state in different
        ]
    measured = {value: place for value in different if (place := measure(value)) is not None}
    if column.is_measured and len(measured) > len(PALETTE):
        share, marks = ruler(measured)

        def shade(value: Any) -> str:
            return gradient(share(measured[value])) if value in measured else INK

        return shade, [(label, gradient(share(at))) for at, label in marks]
    shades = {value: PALETTE[at % len(PALETTE)] for at, value in enumerate(different)}
    if column.is_measured and len(measured) > 2:
        shades = {value: gradient(at / (len(measured) - 1)) for at, value in enumerate(measured)}
    key = [(cut(label_of(value), 16), shade) for value, shade in shades.items()][: len(PALETTE)]
    return lambda value: shades.get(value, INK), key


def height(place: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * place


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
    for place, label in axis.labels:
        width = width_of(label) * 0.9 + 4
        canvas.hide(x - 4 - width, height(place) - 6, width, 13)


def draw_axis(canvas: Canvas, x: float, axis: Axis, *, raised: bool) -> None:
    canvas.line(x, TOP - 6, x, BOTTOM + 6, faint=False)
    # neighbours at two heights: long names do not run into each other
    canvas.text(x, 32 if raised else 48, cut(axis.factor.name, 34), anchor="middle", bold=True)
    for place, label in axis.labels:
        canvas.text(x - 6, height(place) + 4, label, anchor="end", size=10)


def draw_key(canvas: Canvas, x: float, name: str, key: list[tuple[str, str]]) -> None:
    canvas.text(x, BOTTOM + 26, cut(name, 40), bold=True)
    x += width_of(cut(name, 40)) + 16
    for label, colour in key:
        canvas.rectangle(x, BOTTOM + 17, 10, 10, colour)
        canvas.text(x + 14, BOTTOM + 26, label)
        x += 14 + width_of(label) + 12
    canvas.width = max(canvas.width, x)
