"""The actions of a run: identifier, class and description."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from xpframe.display.parts import (
    MAX_ROWS,
    MAX_TEXT_LINES,
    id_html,
    left_out_text,
    of_run,
    table_html,
    task_html,
    title_html,
)
from xpframe.display.style import panel
from xpframe.display.tree import grow, tree_html, tree_text
from xpframe.text import html, plural, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe._core import Config, Run

__all__ = ["action_html", "action_text", "actions_html", "actions_in_words", "actions_text"]

_NO_CONFIG = "without a config: experimaestro could not write it"


def actions_html(run: Run) -> str:
    """The actions of a run for a notebook."""
    rows = [
        f'<tr><th scope="row">{id_html(action_id)}</th>'
        f"<td>{task_html(typename)}</td><td><bdi>{html(description)}</bdi></td></tr>"
        for action_id, description, typename in _first_actions(run, MAX_ROWS)
    ]
    head = "<th>action</th><th>class</th><th>description</th>"
    count = len(run.action_ids())
    return panel(title_html(plural(count, "action"), of_run(run)) + table_html(head, rows, count - MAX_ROWS))


def actions_text(run: Run) -> str:
    """The actions of a run for a terminal."""
    count = len(run.action_ids())
    lines = [f"{plural(count, 'action')} {of_run(run)}"]
    for action_id, description, typename in _first_actions(run, MAX_ROWS):
        lines.append(f"  {visible(action_id)[:8]}  {visible(typename)}  {visible(description)}")
    return "\n".join(lines + left_out_text(count - MAX_ROWS))


def actions_in_words(run: Run) -> str:
    """The number of actions of a run, and the descriptions of the first."""
    count, few = len(run.action_ids()), 3
    described = ", ".join(visible(description, 60) for _, description, _ in _first_actions(run, few))
    return f"{plural(count, 'action')}: {described}{', …' if count > few else ''}"


def _first_actions(run: Run, count: int) -> Iterator[tuple[str, str, str]]:
    """(identifier, description, class) of the first actions."""
    for action_id in islice(run.action_ids(), count):
        _, description, typename = run.action(action_id)
        yield action_id, description, typename


def action_html(config: Config | None, description: str) -> str:
    """An action for a notebook: its description and its config."""
    title = f'<div class="h"><b>action</b> <bdi>{html(description)}</bdi></div>'
    tree = (
        f'<div class="m">{_NO_CONFIG}</div>' if config is None else tree_html(grow(config, "action.config"))
    )
    return panel(title + tree)


def action_text(config: Config | None, description: str) -> str:
    """An action for a terminal."""
    if config is None:
        return f"action: {visible(description)}\n{_NO_CONFIG}"
    tree = tree_text(grow(config, "action.config", MAX_TEXT_LINES))
    return "\n".join([f"action: {visible(description)}", *tree])
