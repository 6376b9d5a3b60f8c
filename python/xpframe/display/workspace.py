"""A workspace, as it shows itself: its experiments with their runs, jobs, states and last activity."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xpframe.display.info import bar, in_words, left_out_text, table_html, title_html
from xpframe.display.style import panel
from xpframe.display.summary import count_states
from xpframe.display.text import html, instant, number, plural, visible
from xpframe.errors import XpFrameError

if TYPE_CHECKING:
    from xpframe import _core
    from xpframe.workspace import Workspace

__all__ = ["workspace_html", "workspace_text"]

MOST_EXPERIMENTS = 100
PATIENCE = 0.12  # seconds; after that, states are not looked for: a display must not keep its cell waiting


@dataclass(slots=True)
class Row:
    """An experiment: its runs, the jobs of the latest by state, and when something happened last."""

    experiment: str
    runs: int
    latest: str
    states: dict[str, int] | None
    active: datetime | None


def rows(workspace: Workspace) -> list[Row]:
    """The experiments, at most so many; the one that was active last comes first."""
    core = workspace._workspace  # noqa: SLF001 - the display is part of the class
    started = time.perf_counter()
    found = []
    for name in latest_first(core)[:MOST_EXPERIMENTS]:
        try:
            runs, latest = core.runs(name), core.latest(name)
        except XpFrameError:
            found.append(Row(name, 0, "", None, None))
            continue
        hurried = time.perf_counter() - started > PATIENCE
        states = None if hurried else count_states(latest)
        found.append(Row(name, len(runs), latest.run_id, states, last_activity(latest)))
    return sorted(found, key=lambda row: row.active or datetime.fromtimestamp(0, UTC), reverse=True)


def latest_first(core: _core.Workspace) -> list[str]:
    """The names of the experiments, that in which a run was made last first; no run is opened for this."""
    made = {}
    for name in core.experiments():
        places = [Path(core.root, folder, name) for folder in ("experiments", "xp")]
        made[name] = max((place.stat().st_mtime for place in places if place.is_dir()), default=0.0)
    return sorted(made, key=lambda name: made[name], reverse=True)


def last_activity(run: _core.Run) -> datetime | None:
    """When something was last written into the directory of a run."""
    try:
        return datetime.fromtimestamp(max(entry.lstat().st_mtime for entry in Path(run.path).iterdir()), UTC)
    except (OSError, ValueError):
        return None


def workspace_html(workspace: Workspace) -> str:
    """The experiments of a workspace."""
    count = len(workspace.experiments())
    title = title_html("workspace", plural(count, "experiment"))
    place = f'<div class="o"><code>{html(workspace.path)}</code></div>'
    items = [
        f'<tr><th scope="row"><bdi class="t">{html(row.experiment)}</bdi></th>'
        f'<td class="num">{number(row.runs)}</td><td><bdi>{html(row.latest)}</bdi></td>'
        f"{states_html(row)}<td>{instant(row.active)}</td></tr>"
        for row in rows(workspace)
    ]
    head = (
        '<th>experiment</th><th class="num">runs</th><th>latest run</th><th class="num">jobs</th><th></th>'
        "<th>states</th><th>last activity</th>"
    )
    return panel(title + place + (table_html(head, items, count - MOST_EXPERIMENTS) if items else ""))


def states_html(row: Row) -> str:
    if row.states is None:
        return '<td class="num">…</td><td></td><td class="m">not counted</td>'
    jobs = number(sum(row.states.values()))
    return f'<td class="num">{jobs}</td><td>{bar(row.states)}</td><td>{in_words(row.states)}</td>'


def states_text(row: Row) -> str:
    if row.states is None:
        return "jobs not counted"
    return f"{plural(sum(row.states.values()), 'job')}: {in_words(row.states)}"


def workspace_text(workspace: Workspace) -> str:
    """The same for a terminal."""
    count = len(workspace.experiments())
    shown = rows(workspace)
    lines = [f"workspace {visible(str(workspace.path))}: {plural(count, 'experiment')}"]
    width = max((len(visible(row.experiment)) for row in shown), default=0)
    for row in shown:
        words = (
            f"{visible(row.experiment):{width}}",
            plural(row.runs, "run"),
            states_text(row),
            instant(row.active),
        )
        lines.append("  " + "  ".join(words).rstrip())
    return "\n".join(lines + left_out_text(count - MOST_EXPERIMENTS))
