"""What happened to the jobs of a run: how many, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.parts import table_html, title_html
from xpframe.display.style import panel
from xpframe.text import html, number, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["changes_html"]

MAX_JOBS = 8


def changes_html(changes: Mapping[str, Sequence[str]]) -> str:
    """The jobs that were added, started, and so on, by kind of change; a job may be in several."""
    rows = []
    for kind, jobs in changes.items():
        listed = " ".join(f"<code>{html(job_id[:8])}</code>" for job_id in jobs[:MAX_JOBS])
        rest = f" and {number(len(jobs) - MAX_JOBS)} more" if len(jobs) > MAX_JOBS else ""
        rows.append(
            f'<tr><th scope="row">{html(kind)}</th><td class="num">{number(len(jobs))}</td>'
            f"<td>{listed}{rest}</td></tr>"
        )
    changed = {job_id for jobs in changes.values() for job_id in jobs}
    title = title_html("changes", plural(len(changed), "job") if changed else "nothing happened")
    head = '<th></th><th class="num">jobs</th><th></th>'
    return panel(title + (table_html(head, rows, 0) if rows else ""))
