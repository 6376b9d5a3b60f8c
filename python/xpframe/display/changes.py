"""What happened to the jobs of a run: how many, and which, with their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.parts import chips, id_html, table_html, task_html, title_html, words_of_tags
from xpframe.display.style import panel
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xpframe._core import Run

__all__ = ["changes_html", "changes_text"]

MAX_JOBS = 8  # of a kind of change

Changed = list[tuple[str, str, list[str]]]


def changes_html(changes: Mapping[str, Sequence[str]], run: Run | None) -> str:
    """The jobs that were added, started, and so on, by kind of change; a job may be in several."""
    rows = []
    for kind, job_ids in changes.items():
        jobs = first_jobs(job_ids, run)
        more = len(job_ids) - len(jobs)
        for index, (job_id, task, tags) in enumerate(jobs):
            head = f'<th scope="row">{html(kind)}</th><td class="num">{number(len(job_ids))}</td>'
            head = head if index == 0 else "<td></td><td></td>"
            cells = (id_html(job_id), task_html(task) if task else "", chips(tags))
            rows.append(f"<tr>{head}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
        if more > 0:
            rest = f'<td colspan="3" class="m">… and {number(more)} more</td>'
            rows.append(f"<tr><td></td><td></td>{rest}</tr>")
    changed = {job_id for jobs in changes.values() for job_id in jobs}
    title = title_html("changes", plural(len(changed), "job") if changed else "nothing happened")
    head = '<th></th><th class="num">jobs</th><th>job</th><th>task</th><th>tags</th>'
    return panel(title + (table_html(head, rows, 0) if rows else ""))


def changes_text(changes: Mapping[str, Sequence[str]], run: Run | None) -> str:
    """The same for a terminal."""
    lines = [", ".join(f"{number(len(jobs))} {kind}" for kind, jobs in changes.items()) or "nothing happened"]
    for kind, job_ids in changes.items():
        lines.append(kind)
        jobs = first_jobs(job_ids, run)
        for job_id, task, tags in jobs:
            lines.append(f"  {visible(job_id)[:8]}  {visible(task)}  {' '.join(tags)}".rstrip())
        if len(job_ids) > len(jobs):
            lines.append(f"  … and {number(len(job_ids) - len(jobs))} more")
    return "\n".join(lines)


def first_jobs(job_ids: Sequence[str], run: Run | None) -> Changed:
    """(job id, task, tags as ``name=value``) of the first jobs; without a run, tasks and tags are empty."""
    tasks, tags = (dict(run.rows()), run.tags_map()) if run is not None else ({}, {})
    return [
        (job_id, tasks.get(job_id, ""), words_of_tags(tags.get(job_id, {}))) for job_id in job_ids[:MAX_JOBS]
    ]
