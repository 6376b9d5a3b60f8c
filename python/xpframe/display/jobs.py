"""The jobs of a run: identifier, task, state and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.parts import MAX_ROWS, left_out_text, of_run, table_html, task_html, title_html
from xpframe.display.style import panel
from xpframe.summary import shown_state
from xpframe.text import html, plural, value_text, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe._core import Run

__all__ = ["jobs_html", "jobs_text"]

MAX_TAGS = 12


def jobs_html(run: Run) -> str:
    """The jobs of a run for a notebook."""
    rows = []
    for job_id, task, state, tags in _first_jobs(run):
        chips = " ".join(f'<span class="c"><bdi>{html(tag)}</bdi></span>' for tag in tags)
        rows.append(
            f'<tr><th scope="row"><code title="{html(job_id)}">{html(job_id[:8])}</code></th>'
            f'<td>{task_html(task)}</td><td><span class="dot s-{state}"></span>{state}</td>'
            f"<td>{chips}</td></tr>"
        )
    head = "<th>job</th><th>task</th><th>state</th><th>tags</th>"
    title = title_html(plural(run.job_count(), "job"), of_run(run))
    return panel(title + table_html(head, rows, run.job_count() - MAX_ROWS))


def jobs_text(run: Run) -> str:
    """The jobs of a run for a terminal."""
    lines = [f"{plural(run.job_count(), 'job')} {of_run(run)}"]
    for job_id, task, state, tags in _first_jobs(run):
        lines.append(f"  {visible(job_id)[:8]}  {visible(task)}  {state}  {' '.join(tags)}".rstrip())
    return "\n".join(lines + left_out_text(run.job_count() - MAX_ROWS))


def _first_jobs(run: Run) -> Iterator[tuple[str, str, str, list[str]]]:
    """(job id, task, state, tags as ``name=value``) of the first jobs."""
    states, tags, tasks = run.states(), run.tags_map(), dict(run.rows())
    for position in range(min(MAX_ROWS, run.job_count())):
        job_id = run.job_id(position)
        state, _ = states.get(job_id, ("lost", None))
        of_job = list(tags.get(job_id, {}).items())[:MAX_TAGS]
        pairs = [f"{visible(name, 60)}={value_text(value, 60)}" for name, value in of_job]
        yield job_id, tasks.get(job_id, "?"), shown_state(state), pairs
