"""Jobs along time: when each ran, and for how long."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from xpframe.display.style import COLOURS
from xpframe.plots.canvas import Canvas, cut, width_of
from xpframe.plots.picture import Picture
from xpframe.plots.states import legend
from xpframe.summary import shown_state, table_of
from xpframe.text import at_microseconds, instant, number, plural, span, visible

if TYPE_CHECKING:
    from datetime import datetime

    from xpframe._core import Run


__all__ = ["timeline"]

MAX_NAMED = 40  # with more jobs, several share a row and have no names
MAX_JOBS = 1_500
WIDTH, HEAD = 760.0, 34.0
# seconds between two ticks; the last is a day
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)


def timeline(run: Run) -> Picture:
    """Draws the picture: a row for each job; if there are many, a job takes the first free row."""
    jobs = jobs_of(run)
    ran = [job for job in jobs if job["started_at"] is not None]
    ran = sorted(ran, key=lambda job: job["started_at"])[:MAX_JOBS]
    if not ran:
        canvas = Canvas(360, 30)
        canvas.text(6, 18, "no job has started")
        return Picture(canvas.svg("no job has started"), "<picture: no job has started>", list)
    begin = ran[0]["started_at"]
    end = max(job["ended_at"] or job["started_at"] for job in ran)
    canvas = draw(ran, begin, end)
    words = f"{plural(len(ran), 'job')} along {span((end - begin) / 1e6)}"
    if len(jobs) > len(ran):
        rest = f"{number(len(jobs) - len(ran))} more not started or not shown"
        canvas.text(WIDTH - 10, 12, rest, anchor="end", size=10)
        words += f"; {rest}"
    return Picture(canvas.svg(words), f"<picture: {visible(words)}>", lambda: [row_of(job) for job in ran])


def draw(jobs: list[dict[str, Any]], begin: int, end: int) -> Canvas:
    """Draws jobs, sorted by start, between two times in microseconds."""
    named = len(jobs) <= MAX_NAMED
    rows = list(range(len(jobs))) if named else lanes(jobs, end)
    margin = 12 + max(width_of(name_of(job)) for job in jobs) if named else 10.0
    row_height = 18.0 if named else max(3.0, min(18.0, 420 / (max(rows) + 1)))
    gap = 4.0 if row_height > 6 else 0.5
    bottom = HEAD + row_height * (max(rows) + 1)
    canvas = Canvas(WIDTH, bottom + 46)
    draw_ticks(canvas, margin, bottom, max(1, end - begin) / 1e6)
    scale = (WIDTH - margin - 20) / max(1, end - begin)
    for job, row in zip(jobs, rows, strict=True):
        lasted = max(0, (job["ended_at"] or end) - job["started_at"])
        x, y = margin + (job["started_at"] - begin) * scale, HEAD + row_height * row
        tip = f"{job['task']} {job['job_id'][:8]}: {job['state']}, {span(lasted / 1e6)}"
        canvas.rectangle(x, y + 2, max(1.5, lasted * scale), row_height - gap, COLOURS[job["state"]], tip=tip)
        if named:
            canvas.text(margin - 6, y + 13, name_of(job), anchor="end", size=10)
    canvas.text(margin, 12, f"from {instant(time_of(begin))}, {span((end - begin) / 1e6)}", bold=True)
    legend(canvas, margin, bottom + 36, Counter(job["state"] for job in jobs))
    return canvas


def jobs_of(run: Run) -> list[dict[str, Any]]:
    names = ["job_id", "task", "state", "submitted_at", "started_at", "ended_at"]
    table = table_of(run, names)
    rows = zip(*(table.column_values(name) for name in names), strict=True)
    jobs = [dict(zip(names, row, strict=True)) for row in rows]
    for job in jobs:
        job["state"] = shown_state(job["state"])
    return jobs


def lanes(jobs: list[dict[str, Any]], end: int) -> list[int]:
    """For each job, sorted by start, the first row that is free then."""
    free_from: list[int] = []
    rows = []
    for job in jobs:
        free = (index for index, end_time in enumerate(free_from) if end_time <= job["started_at"])
        row = next(free, len(free_from))
        free_from[row : row + 1] = [job["ended_at"] or end]
        rows.append(row)
    return rows


def draw_ticks(canvas: Canvas, margin: float, bottom: float, seconds: float) -> None:
    """Draws vertical lines at round times after the start."""
    step = next((step for step in STEPS if seconds / step <= 9), 86400 * max(1, round(seconds / 86400 / 8)))
    for tick in range(int(seconds / step) + 1):
        x = margin + (WIDTH - margin - 20) * tick * step / seconds
        canvas.line(x, 28, x, bottom + 4)
        canvas.text(x, bottom + 16, "0" if tick == 0 else span(tick * step), anchor="middle", size=10)


def name_of(job: dict[str, Any]) -> str:
    return f"{cut(str(job['task']).rpartition('.')[2], 18)} {cut(job['job_id'][:6])}"


def time_of(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else at_microseconds(microseconds)


def row_of(job: dict[str, Any]) -> dict[str, Any]:
    return {name: time_of(value) if name.endswith("_at") else value for name, value in job.items()}
