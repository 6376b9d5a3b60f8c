"""Curves of what jobs wrote, step by step: a panel for each metric, a line for each job or group of jobs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.errors import InvalidArgumentError
from xpframe.plots.canvas import Canvas, cut
from xpframe.plots.columns import Factor, agree, factor, factor_of, label_of, varying
from xpframe.plots.parallel import colours, draw_key
from xpframe.plots.picture import Picture
from xpframe.plots.ruler import ruler
from xpframe.request import table_request
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xpframe._core import Run, Table
    from xpframe.results import Result

__all__ = ["series"]

MAX_PANELS = 6
MAX_LINES = 120  # of a panel
MAX_POINTS = 400  # of a line: its least and greatest values in each of half as many stretches
MAX_ALL_POINTS = 12_000  # of all lines and bands together
PANEL_WIDTH, PANEL_HEIGHT = 340.0, 190.0
MARGIN, GAP, HEAD, FOOT = 54.0, 26.0, 44.0, 34.0
# columns that count the rows of a file
STEPS = ("step", "epoch", "iteration", "iter", "batch")

Points = list[tuple[float, float]]
Band = list[tuple[float, float, float]]


@dataclass
class Line:
    """The values of one metric of a job, or the mean over some jobs with a standard deviation."""

    metric: str
    jobs: list[str]
    colour: Any
    points: Points
    band: Band


def series(
    run: Run,
    handle: str | Result,
    *,
    metrics: str | Sequence[str] | None,
    color: str,
    over: str | Sequence[str] | None,
) -> Picture:
    """Draws the picture."""
    table = _core.read_series(
        [run], table_request({"columns": ["job_id"]}), handle, metrics, backend="polars"
    )
    curves = curves_of(table, metrics)
    job_ids = factor(run, "job_id").values
    colouring = factor(run, color)
    colour_of = dict(zip(job_ids, colouring.values, strict=True))
    lines = [Line(metric, [job], colour_of[job], points, []) for (metric, job), points in curves.items()]
    if over is not None:
        lines = averaged(
            lines, groups(run, job_ids, colouring, [over] if isinstance(over, str) else list(over))
        )
    names = list(dict.fromkeys(line.metric for line in lines))
    count = len({job for line in lines for job in line.jobs})
    shown = ", ".join(names[:MAX_PANELS]) or "nothing"
    words = f"{shown} of {plural(count, 'job')}, coloured by {colouring.name}"
    if over is not None:
        words += ", mean and standard deviation"
    if lines:
        canvas = draw(lines, names[:MAX_PANELS], colouring, table)
    else:
        canvas = Canvas(360, 30)
        canvas.text(6, 18, "no job wrote such a series")
    if (rest := len(names) - MAX_PANELS) > 0:
        canvas.text(6, canvas.height - 4, f"… {plural(rest, 'more metric')} not shown", size=10)

    def data() -> list[dict[str, Any]]:
        return [row for line in lines for row in rows_of(line, colouring.name)]

    return Picture(canvas.svg(words), f"<picture: {visible(words, 400)}>", data)


# --- the values ---


def curves_of(table: Table, metrics: str | Sequence[str] | None) -> dict[tuple[str, str], Points]:
    """The points of each metric of each job, by step, without NaN and infinities; of two points at one step,
    the later one.
    """
    names = table.column_names
    if {"measure", "query"} <= set(names):
        raise InvalidArgumentError("measures of queries have no steps", hint="draw them from xp_series(…)")
    if "metric" in names:
        columns = [table.column_values(name) for name in ("job_id", "metric", "step", "value")]
        rows = zip(*columns, strict=True)
    else:
        rows = rows_of_files(table, metrics)
    curves: dict[tuple[str, str], dict[float, float]] = {}
    for job, metric, step, value in rows:
        if step is not None and value is not None and math.isfinite(step) and math.isfinite(value):
            curves.setdefault((metric, job), {})[step] = value
    return {key: sorted(points.items()) for key, points in curves.items()}


def rows_of_files(table: Table, metrics: str | Sequence[str] | None) -> Any:
    """(job, column, step, value) of the columns of files that have numbers."""
    numbers = [name for name, kind in table.schema if kind.startswith(("Int", "UInt", "Float"))]
    step = next((name for name in STEPS if name in numbers), None)
    patterns = [metrics] if isinstance(metrics, str) else metrics
    chosen = [
        name
        for name in numbers
        if name != step
        and (patterns is None or any(_core.glob_matches(pattern, name) for pattern in patterns))
    ]
    jobs = table.column_values("job_id")
    steps = table.column_values(step) if step else positions(jobs)
    for name in chosen:
        for job, at, value in zip(jobs, steps, table.column_values(name), strict=True):
            yield job, name, at, value


def positions(jobs: list[str]) -> list[int]:
    """The number of each row among those of its job, from 1."""
    counts: dict[str, int] = {}
    numbers = []
    for job in jobs:
        counts[job] = counts.get(job, 0) + 1
        numbers.append(counts[job])
    return numbers


def groups(run: Run, job_ids: list[str], colouring: Factor, over: list[str]) -> dict[str, Any]:
    """The group of each job: jobs that differ in the columns ``over``, and in those that agree with them."""
    left_out = [factor(run, name) for name in over]
    factors = [column for column, _ in varying(run, len(job_ids))]
    kept = [
        column
        for column in factors
        if not any(column.name == other.name or agree(column, other) for other in left_out)
    ]
    return dict(
        zip(job_ids, zip(*(column.values for column in [colouring, *kept]), strict=True), strict=True)
    )


def averaged(lines: list[Line], group_of: dict[str, Any]) -> list[Line]:
    """The mean and the standard deviation of the lines of each group, at the steps that any of them has."""
    members: dict[tuple[str, Any], list[Line]] = {}
    for line in lines:
        members.setdefault((line.metric, group_of[line.jobs[0]]), []).append(line)
    means = []
    for (metric, _), group in members.items():
        values: dict[float, list[float]] = {}
        for line in group:
            for step, value in line.points:
                values.setdefault(step, []).append(value)
        points, band = [], []
        for step, some in sorted(values.items()):
            mean = math.fsum(some) / len(some)
            spread = math.sqrt(math.fsum((value - mean) ** 2 for value in some) / max(1, len(some) - 1))
            points.append((step, mean))
            band.append((step, mean - spread, mean + spread))
        means.append(Line(metric, [line.jobs[0] for line in group], group[0].colour, points, band))
    return means


def rows_of(line: Line, colouring: str) -> list[dict[str, Any]]:
    """What a line shows, a row a point."""
    spreads = {step: (low, high) for step, low, high in line.band}
    rows = []
    for step, value in line.points:
        low, high = spreads.get(step, (None, None))
        row = {"metric": line.metric, "jobs": len(line.jobs), "job_id": line.jobs[0], colouring: line.colour}
        rows.append({**row, "step": step, "value": value, "low": low, "high": high})
    return rows


# --- the picture ---


def draw(lines: list[Line], metrics: list[str], colouring: Factor, table: Table) -> Canvas:
    """Draws a panel for each metric, and the key."""
    across = min(2, len(metrics))
    down = -(-len(metrics) // across)
    canvas = Canvas(across * (MARGIN + PANEL_WIDTH + GAP), down * (HEAD + PANEL_HEIGHT + FOOT) + 46)
    shown = factor_of(colouring.name, [line.colour for line in lines])
    colour, key = colours(shown)
    step_name = next((name for name in STEPS if name in table.column_names), "row")
    has_bands = any(line.band for line in lines)
    count = sum(min(MAX_LINES, sum(line.metric == metric for line in lines)) for metric in metrics)
    most = max(8, min(MAX_POINTS, MAX_ALL_POINTS // (count * (3 if has_bands else 1))))
    for index, metric in enumerate(metrics):
        x = (index % across) * (MARGIN + PANEL_WIDTH + GAP) + MARGIN
        y = (index // across) * (HEAD + PANEL_HEIGHT + FOOT) + HEAD
        of_metric = [line for line in lines if line.metric == metric]
        draw_panel(canvas, (x, y), of_metric, colour, step_name, most)
    bottom = down * (HEAD + PANEL_HEIGHT + FOOT) + 20
    draw_key(canvas, MARGIN, cut(colouring.name, 40), key, bottom)
    return canvas


def draw_panel(
    canvas: Canvas,
    corner: tuple[float, float],
    lines: list[Line],
    colour: Callable[[Any], str],
    step_name: str,
    most: int,
) -> None:
    """Draws the lines of one metric, of at most so many points each, with its axes."""
    x, y = corner
    steps = {step: float(step) for line in lines for step, _ in line.points}
    values = {value: float(value) for line in lines for _, value in line.points}
    values |= {bound: bound for line in lines for _, *bounds in line.band for bound in bounds}
    across, marks = ruler(steps)
    up, levels = ruler(values)
    canvas.text(x, y - 12, cut(lines[0].metric, 50), bold=True)
    for level, label in levels:
        height = y + PANEL_HEIGHT * (1 - up(level))
        canvas.line(x, height, x + PANEL_WIDTH, height)
        canvas.text(x - 6, height + 4, label, anchor="end", size=10)
    for mark, label in marks:
        canvas.text(x + PANEL_WIDTH * across(mark), y + PANEL_HEIGHT + 16, label, anchor="middle", size=10)
    canvas.text(x + PANEL_WIDTH + 4, y + PANEL_HEIGHT + 28, step_name, anchor="end", size=10)

    def place(step: float, value: float) -> tuple[float, float]:
        return x + PANEL_WIDTH * across(step), y + PANEL_HEIGHT * (1 - up(value))

    drawn = lines[:MAX_LINES]
    opacity = 0.35 + 0.5 / (1 + len(drawn) / 20)
    for line in drawn:
        band = thinned_band(line.band, most)
        edge = [place(step, high) for step, _, high in band]
        edge += [place(step, low) for step, low, _ in reversed(band)]
        if len(band) > 1 and len(line.jobs) > 1:
            canvas.area(path_of(edge), colour(line.colour), opacity=0.18)
    for line in drawn:
        points = [place(step, value) for step, value in thinned(line.points, most)]
        of_jobs = line.jobs[0][:8] if len(line.jobs) == 1 else plural(len(line.jobs), "job")
        tip = f"{label_of(line.colour)}: {of_jobs}"
        if len(points) == 1:
            canvas.rectangle(points[0][0] - 2, points[0][1] - 2, 4, 4, colour(line.colour), tip=tip)
        else:
            canvas.curve(path_of(points), colour(line.colour), width=1.6, opacity=opacity, tip=tip)
    if rest := len(lines) - len(drawn):
        canvas.text(x, y + PANEL_HEIGHT + 28, f"… {number(rest)} more lines not shown", size=10)


def thinned(points: Points, most: int) -> Points:
    """About so many points of a line at most: the least and the greatest value of each stretch."""
    if len(points) <= most:
        return points
    size = -(-2 * len(points) // most)
    kept: Points = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def thinned_band(band: Band, most: int) -> Band:
    """About so many steps of a band at most, each with the least and the greatest value of its stretch."""
    size = -(-len(band) // most) or 1
    stretches = (band[start : start + size] for start in range(0, len(band), size))
    return [
        (some[0][0], min(low for _, low, _ in some), max(high for *_, high in some)) for some in stretches
    ]


def path_of(points: Points) -> str:
    """A path of straight lines."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
