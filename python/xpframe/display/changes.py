"""What happened to a run between two looks, as it shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.info import table_html, title_html
from xpframe.display.style import panel
from xpframe.display.text import html, number, plural

if TYPE_CHECKING:
    from xpframe.changes import Changes

__all__ = ["changes_html"]

MOST = 8  # jobs that are named


def changes_html(changes: Changes) -> str:
    """What happened, how often, and to which jobs."""
    rows = []
    for kind, jobs in changes.kinds().items():
        named = " ".join(f"<code>{html(job_id[:8])}</code>" for job_id in jobs[:MOST])
        rest = f" and {number(len(jobs) - MOST)} more" if len(jobs) > MOST else ""
        rows.append(
            f'<tr><th scope="row">{html(kind)}</th><td class="num">{number(len(jobs))}</td>'
            f"<td>{named}{rest}</td></tr>"
        )
    title = title_html("changes", plural(len(changes), "job") if changes else "nothing happened")
    head = '<th></th><th class="num">jobs</th><th></th>'
    return panel(title + (table_html(head, rows, 0) if rows else ""))
