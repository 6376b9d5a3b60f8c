"""How the objects of xpframe show themselves: HTML for notebooks, text for terminals.

HTML and SVG are inline, without scripts and without anything fetched; every value is escaped, and what cannot
be seen (control characters, ANSI codes, right-to-left marks) stands as an escape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.changes import changes_html
from xpframe.display.findings import findings_html, findings_text
from xpframe.display.info import (
    action_html,
    action_text,
    actions_html,
    actions_text,
    info_html,
    info_text,
    jobs_html,
    jobs_text,
)
from xpframe.display.style import panel
from xpframe.display.table import table_html
from xpframe.display.tree import grow, tree_html, tree_text
from xpframe.display.workspace import workspace_html, workspace_text

if TYPE_CHECKING:
    from xpframe._core import Config

__all__ = [
    "action_html",
    "action_text",
    "actions_html",
    "actions_text",
    "changes_html",
    "config_html",
    "config_text",
    "findings_html",
    "findings_text",
    "info_html",
    "info_text",
    "jobs_html",
    "jobs_text",
    "table_html",
    "workspace_html",
    "workspace_text",
]

MOST_TEXT_LINES = 120


def config_html(config: Config) -> str:
    """A config as a tree that unfolds on a click; a config met again says where it is shown."""
    return panel(tree_html(grow(config)))


def config_text(config: Config) -> str:
    """The same for a terminal, of at most 120 lines."""
    return "\n".join(tree_text(grow(config, most=MOST_TEXT_LINES)))
