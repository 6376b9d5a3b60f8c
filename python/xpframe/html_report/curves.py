"""Curves of what jobs wrote step by step: a picture for each metric, a line for each job."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.plots.canvas import INK, PALETTE, Canvas, cut, gradient
from xpframe.request import table_request
from xpframe.text import html, number, plural, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe._core import Run
    from xpframe.html_report.jobs_table import ReportJobs

__all__ = ["curves_html"]

MAX_METRICS = 12
MAX_LINES = 200
MAX_POINTS = 40_000  # on the whole page
MIN_POINTS_OF_LINE = 8
MAX_COLOURS = len(PALETTE)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 360.0, 210.0, 46.0, 26.0, 22.0
STEP = re.compile(r"(global_?)?(step|epoch|iter(ation)?|batch)s?", re.IGNORECASE)
OF_JOBS = ("job_id", "file")

Points = dict[str, list[tuple[float, float]]]


def curves_html(run: Run, handles: Sequence[Any], jobs: ReportJobs, *, quiet: bool) -> tuple[str, list[Any]]:
    """The section of curves, and what could not be read."""
    del quiet
    of_handles: list[tuple[str, dict[str, Points]]] = []
    errors: list[Any] = []
    for handle in handles:
        table = _core.read_series(
            [run], table_request({"columns": ["job_id"]}), handle, None, backend="pyarrow"
        )
        errors += table.errors
        of_handles.append((str(getattr(handle, "handle", handle)), _metrics_of(table)))
    metrics = _named(of_handles)
    if not handles:
        return "", errors
    if not metrics:
        text = "no job wrote two numbers one after the other in these files"
        return f'<section id="curves"><h2>Curves</h2><p class="o">{text}</p></section>', errors
    shown = dict(list(metrics.items())[:MAX_METRICS])
    colours, legend = _colours(jobs)
    per_line = MAX_POINTS // max(1, sum(min(len(points), MAX_LINES) for points in shown.values()))
    pictures = "".join(
        f"<figure>{_picture(name, points, colours, max(per_line, MIN_POINTS_OF_LINE))}</figure>"
        for name, points in shown.items()
    )
    left = len(metrics) - len(shown)
    more = f'<p class="o">… and {number(left)} more</p>' if left else ""
    return (
        f'<section id="curves"><h2>Curves</h2>{legend}<div class="grid">{pictures}</div>{more}</section>',
        errors,
    )


def _metrics_of(table: _core.Table) -> dict[str, Points]:
    """The points of each job, by metric."""
    kinds = dict(table.schema)
    jobs = table.column_values("job_id")
    files = table.column_values("file") if "file" in kinds else [None] * len(jobs)
    keys = [job if file is None else f"{job} {file}" for job, file in zip(jobs, files, strict=True)]
    metrics: dict[str, Points] = defaultdict(lambda: defaultdict(list))
    if {"metric", "step", "value"} <= kinds.keys():
        rows = zip(keys, *(table.column_values(name) for name in ("metric", "step", "value")), strict=True)
        for key, metric, step, value in rows:
            _add(metrics[metric][key], step, value)
        return metrics
    names = [
        name
        for name, kind in kinds.items()
        if name not in OF_JOBS and kind.startswith(("Int", "UInt", "Float"))
    ]
    step_name = next((name for name in names if STEP.fullmatch(name)), None)
    steps = table.column_values(step_name) if step_name else None
    counts: dict[str, int] = defaultdict(int)
    if steps is None:
        steps = []
        for key in keys:
            counts[key] += 1
            steps.append(counts[key])
    for name in names:
        if name != step_name:
            for key, step, value in zip(keys, steps, table.column_values(name), strict=True):
                _add(metrics[name][key], step, value)
    return metrics


def _named(of_handles: list[tuple[str, dict[str, Points]]]) -> dict[str, Points]:
    """The lines of each metric by its name, with its handle where several handles have one of that name."""
    lines = [
        (handle, name, {job: line for job, line in points.items() if len(line) > 1})
        for handle, metrics in of_handles
        for name, points in metrics.items()
    ]
    counts = Counter(name for _, name, points in lines if points)
    return {
        name if counts[name] == 1 else f"{name} ({handle})": points
        for handle, name, points in lines
        if points
    }


def _add(line: list[tuple[float, float]], step: Any, value: Any) -> None:
    if step is not None and value is not None and math.isfinite(value) and math.isfinite(step):
        line.append((float(step), float(value)))


def _colours(jobs: ReportJobs) -> tuple[dict[str, str], str]:
    """The colour of each job by the first tag that varies, and what the colours mean."""
    tags = [name for name in jobs.varying if jobs.group(name) == "tag"]
    ids = jobs.table.column_values("job_id")
    if not tags:
        return dict.fromkeys(ids, PALETTE[0]), ""
    values = jobs.table.column_values(tags[0])
    levels = list(dict.fromkeys(value for value in values if value is not None))
    if all(isinstance(level, (int, float)) for level in levels):
        levels.sort()
    if len(levels) <= MAX_COLOURS:
        colours = dict(zip(levels, PALETTE, strict=False))
    else:
        colours = {level: gradient(index / (len(levels) - 1)) for index, level in enumerate(levels)}
    # as many as there is room for: the ends and some between
    step = max(1, len(levels) // MAX_COLOURS)
    words = "".join(
        f'<span><span class="dot" style="background:{colours[level]}"></span>'
        f"<bdi>{html(value_text(level, 40))}</bdi></span> "
        for level in levels[::step]
    )
    if len(levels) < len(set(values)):
        words += f'<span><span class="dot" style="background:{INK}"></span>none</span> '
    legend = f'<div class="legend"><b><bdi>{html(tags[0])}</bdi></b> {words}</div>'
    return {job: colours.get(value, INK) for job, value in zip(ids, values, strict=True)}, legend


def _picture(name: str, points: Points, colours: dict[str, str], per_line: int) -> str:
    lines = {key: _thinned(sorted(line), per_line) for key, line in list(points.items())[:MAX_LINES]}
    xs = [x for line in lines.values() for x, _ in line]
    ys = [y for line in lines.values() for _, y in line]
    low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)
    wide, high = (high_x - low_x) or 1.0, (high_y - low_y) or 1.0
    right, low = WIDTH - 8, HEIGHT - BOTTOM

    def place(x: float, y: float) -> str:
        across = LEFT + (x - low_x) / wide * (right - LEFT)
        return f"{across:.1f} {low - (y - low_y) / high * (low - TOP):.1f}"

    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(LEFT, 13, cut(name, 46), bold=True)
    for share in (0.0, 0.5, 1.0):
        y = low - share * (low - TOP)
        canvas.line(LEFT, y, right, y)
        canvas.text(LEFT - 5, y + 4, f"{low_y + share * high:.3g}", anchor="end", size=10)
    canvas.text(LEFT, HEIGHT - 9, f"{low_x:g}", size=10)
    canvas.text(right, HEIGHT - 9, f"{high_x:g}", anchor="end", size=10)
    for key, line in lines.items():
        job = key.partition(" ")[0]
        path = "M" + "L".join(place(x, y) for x, y in line)
        canvas.curve(path, colours.get(job, INK), width=1.2, opacity=0.75, tip=key[:40])
    left_out = len(points) - len(lines)
    words = f"{name}: {plural(len(lines), 'curve')}" + (f" of {len(points)}" if left_out else "")
    return canvas.svg(words)


def _thinned(line: list[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """At most so many points of a line, the first and the last among them."""
    if len(line) <= count:
        return line
    step = (len(line) - 1) / (count - 1)
    return [line[round(index * step)] for index in range(count)]
