"""A workspace: its experiments with their runs, jobs, states and last activity."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xpframe.display.parts import bar, in_words, left_out_text, line_html, table_html, title_html
from xpframe.display.style import panel
from xpframe.errors import XpFrameError
from xpframe.summary import count_states
from xpframe.text import html, instant, number, plural, visible

if TYPE_CHECKING:
    from xpframe import _core

__all__ = ["workspace_html", "workspace_text"]

MAX_EXPERIMENTS = 100
# seconds; after that, no more states are looked up: a display must not keep its cell waiting
PATIENCE = 0.12


@dataclass(slots=True)
class Row:
    """An experiment: its number of runs, its latest run, and the jobs of that run by state.

    ``states`` is None if they were not counted.
    """

    experiment: str
    runs: int
    latest: str
    states: dict[str, int] | None
    last_activity: datetime | None


def workspace_html(workspace: _core.Workspace) -> str:
    """The experiments of a workspace for a notebook."""
    count = len(workspace.experiments())
    title = title_html("workspace", plural(count, "experiment"))
    root = f'<div class="o"><code>{line_html(workspace.root)}</code></div>'
    items = [
        f'<tr><th scope="row"><bdi class="t">{html(row.experiment)}</bdi></th>'
        f'<td class="num">{number(row.runs)}</td><td><bdi>{html(row.latest)}</bdi></td>'
        f"{states_html(row)}<td>{instant(row.last_activity)}</td></tr>"
        for row in experiment_rows(workspace)
    ]
    head = (
        '<th>experiment</th><th class="num">runs</th><th>latest run</th><th class="num">jobs</th><th></th>'
        "<th>states</th><th>last activity</th>"
    )
    return panel(title + root + (table_html(head, items, count - MAX_EXPERIMENTS) if items else ""))


def workspace_text(workspace: _core.Workspace) -> str:
    """The experiments of a workspace for a terminal."""
    count = len(workspace.experiments())
    rows = experiment_rows(workspace)
    lines = [f"workspace {visible(str(workspace.root))}: {plural(count, 'experiment')}"]
    width = max((len(visible(row.experiment)) for row in rows), default=0)
    for row in rows:
        words = (
            f"{visible(row.experiment):{width}}",
            plural(row.runs, "run"),
            states_text(row),
            instant(row.last_activity),
        )
        lines.append("  " + "  ".join(words).rstrip())
    return "\n".join(lines + left_out_text(count - MAX_EXPERIMENTS))


def experiment_rows(workspace: _core.Workspace) -> list[Row]:
    """The first experiments, the one with the latest activity first."""
    started = time.perf_counter()
    rows = []
    for name in latest_first(workspace)[:MAX_EXPERIMENTS]:
        try:
            runs, latest = workspace.runs(name), workspace.latest(name)
        except XpFrameError:
            rows.append(Row(name, 0, "", None, None))
            continue
        hurried = time.perf_counter() - started > PATIENCE
        states = None if hurried else count_states(latest)
        rows.append(Row(name, len(runs), latest.run_id, states, last_activity(latest)))
    return sorted(rows, key=lambda row: row.last_activity or datetime.fromtimestamp(0, UTC), reverse=True)


def latest_first(workspace: _core.Workspace) -> list[str]:
    """The names of the experiments, the one with the newest run first. No run is opened."""
    newest = {}
    for name in workspace.experiments():
        directories = [Path(workspace.root, folder, name) for folder in ("experiments", "xp")]
        times = (directory.stat().st_mtime for directory in directories if directory.is_dir())
        newest[name] = max(times, default=0.0)
    return sorted(newest, key=lambda name: newest[name], reverse=True)


def last_activity(run: _core.Run) -> datetime | None:
    """The time of the last write into the directory of a run."""
    try:
        return datetime.fromtimestamp(max(entry.lstat().st_mtime for entry in run.path.iterdir()), UTC)
    except (OSError, ValueError):
        return None


def states_html(row: Row) -> str:
    if row.states is None:
        return '<td class="num">…</td><td></td><td class="m">not counted</td>'
    jobs = number(sum(row.states.values()))
    return f'<td class="num">{jobs}</td><td>{bar(row.states)}</td><td>{in_words(row.states)}</td>'


def states_text(row: Row) -> str:
    if row.states is None:
        return "jobs not counted"
    return f"{plural(sum(row.states.values()), 'job')}: {in_words(row.states)}"
