"""The jobs of a run: identifier, task, state and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.display.parts import (
    MAX_ROWS,
    chips,
    id_html,
    left_out_text,
    of_run,
    table_html,
    task_html,
    title_html,
    words_of_tags,
)
from xpframe.display.style import panel
from xpframe.summary import shown_state
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe._core import Run

__all__ = ["jobs_html", "jobs_text"]


def jobs_html(run: Run) -> str:
    """The jobs of a run for a notebook."""
    rows = []
    for job_id, task, state, tags in _first_jobs(run):
        rows.append(
            f'<tr><th scope="row">{id_html(job_id)}</th>'
            f'<td>{task_html(task)}</td><td><span class="dot s-{state}"></span>{state}</td>'
            f"<td>{chips(tags)}</td></tr>"
        )
    head = "<th>job</th><th>task</th><th>state</th><th>tags</th>"
    title = title_html(plural(run.job_count(), "job"), of_run(run) + without_config(run))
    return panel(title + table_html(head, rows, run.job_count() - MAX_ROWS))


def jobs_text(run: Run) -> str:
    """The jobs of a run for a terminal."""
    lines = [f"{plural(run.job_count(), 'job')} {of_run(run)}{without_config(run)}"]
    for job_id, task, state, tags in _first_jobs(run):
        lines.append(f"  {visible(job_id)[:8]}  {visible(task)}  {state}  {' '.join(tags)}".rstrip())
    return "\n".join(lines + left_out_text(run.job_count() - MAX_ROWS))


def without_config(run: Run) -> str:
    """How many more jobs the run has, whose configs are missing."""
    rest = run.row_count() - run.job_count()
    return f"; {number(rest)} more without a config" if rest > 0 else ""


def _first_jobs(run: Run) -> Iterator[tuple[str, str, str, list[str]]]:
    """(job id, task, state, tags as ``name=value``) of the first jobs."""
    states, tags, tasks = run.states(), run.tags_map(), dict(run.rows())
    for position in range(min(MAX_ROWS, run.job_count())):
        job_id = run.job_id(position)
        state, _ = states.get(job_id, ("lost", None))
        yield job_id, tasks.get(job_id, "?"), shown_state(state), words_of_tags(tags.get(job_id, {}))
