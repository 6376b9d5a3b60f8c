"""A run: its driver, states, tasks, tags, varying parameters and errors."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from xpframe.display.actions import actions_in_words
from xpframe.display.parts import (
    MAX_ROWS,
    bar,
    in_words,
    left_out_text,
    legend,
    line_html,
    path_html,
    table_html,
    task_html,
    title_html,
)
from xpframe.display.results import results_in_words
from xpframe.display.style import panel
from xpframe.summary import Column, Summary, summarize, values_in_words
from xpframe.text import at_microseconds, html, instant, number, plural, span, visible

if TYPE_CHECKING:
    from xpframe._core import Run
    from xpframe.errors import XpFrameError

__all__ = ["info_html", "info_text"]

MAX_UNFOLDED_ROWS = 14
MAX_FOLDED_ROWS = 150
MAX_ERRORS = 20
MAX_NAMES = 3  # names of columns with the same values
TIMES = "\N{MULTIPLICATION SIGN}"


def info_html(run: Run) -> str:
    """A run for a notebook."""
    summary, record = summarize(run), run.record()
    facts = html(" · ".join(provenance(record)), 500)
    varying = [column for column in summary.columns if column.group != "tag"]
    parts = [
        title_html(f"<bdi>{html(run.experiment)}</bdi>", f"run {run.run_id}", label=driver(record)),
        f'<div class="o">{facts}<br/><code>{line_html(run.path)}</code></div>',
        bar(summary.states),
        legend(summary.states, summary.jobs),
        why_html(summary.states),
        tasks_html(summary),
        task_hint_html(summary),
        columns_html("tags", [column for column in summary.columns if column.group == "tag"]),
        columns_html("parameters that vary", varying),
    ]
    if summary.left_out:
        parts.append(f'<div class="o">{plural(summary.left_out, "more column")} not compared</div>')
    if run.action_ids():
        parts.append(f'<div class="o">{html(actions_in_words(run))}</div>')
    if results := results_in_words(run):
        parts.append(f'<div class="o">{html(results, 1_000)}</div>')
    parts.append(errors_html(all_errors(run, summary)))
    return panel("".join(parts))


def info_text(run: Run) -> str:
    """A run for a terminal."""
    summary, record = summarize(run), run.record()
    lines = [
        f"{visible(run.experiment)}  run {visible(run.run_id)}  driver {driver(record)[0]}",
        "  ".join(provenance(record)),
        visible(str(run.path)),
        f"{plural(summary.jobs, 'job')}: {in_words(summary.states)}{why_text(summary.states)}",
    ]
    lines += ["", "tasks"]
    width = max((len(visible(task)) for task in summary.tasks), default=0)
    for task, states in islice(summary.tasks.items(), MAX_ROWS):
        lines.append(f"  {visible(task):{width}}  {number(sum(states.values())):>6}  {in_words(states)}")
    lines += left_out_text(len(summary.tasks) - MAX_ROWS)
    if hint := task_hint(summary):
        lines.append(f"  one task as a frame: {hint}")
    for title, tagged in (("tags", True), ("parameters that vary", False)):
        columns = [column for column in summary.columns if (column.group == "tag") == tagged]
        lines += columns_text(title, columns)
    if run.action_ids():
        lines += ["", actions_in_words(run)]
    if results := results_in_words(run):
        lines += ["", results]
    errors = all_errors(run, summary)
    if errors:
        lines += ["", errors_in_words(errors)]
        lines += [f"  {visible(str(error), 500)}" for error in errors[:MAX_ERRORS]]
        lines += left_out_text(len(errors) - MAX_ERRORS)
    return "\n".join(lines)


# --- the driver ---


def driver(record: dict[str, Any]) -> tuple[str, str]:
    """How far the driver is, in words, and the state whose colour these words have."""
    status = record["status"] or "unknown"
    if status == "running" and record["alive"] is False:
        return "killed (its status still says running)", "error"
    return visible(status), {"done": "done", "failed": "error", "running": "running"}.get(status, "transient")


def provenance(record: dict[str, Any]) -> list[str]:
    """When, where and with which software a run was made."""
    facts = []
    started, ended = record["started_at"], record["ended_at"]
    if started is not None:
        facts.append(f"started {instant(at_microseconds(started))}")
        if ended is not None:
            facts.append(f"took {span(max(0, ended - started) / 1e6)}")
    if record["hostname"]:
        facts.append(f"on {visible(record['hostname'])}")
    if record["python_version"]:
        facts.append(f"Python {visible(record['python_version'])}")
    for repository in record["git"][:1]:
        commit = visible(str(repository["commit"] or ""))[:8]
        facts.append(f"git {commit}{' with changes' if repository['dirty'] else ''}")
    return facts or ["start time and host unknown"]


# --- failures ---


def why_html(states: dict[str, int]) -> str:
    """Where to read why jobs failed, if some did."""
    if not why_text(states):
        return ""
    return '<div class="o">why did they fail: <code>info.failures()</code></div>'


def why_text(states: dict[str, int]) -> str:
    """The same for a terminal."""
    return " (why: info.failures())" if states.get("error") or states.get("lost") else ""


# --- tables ---


def tasks_html(summary: Summary) -> str:
    if not summary.tasks:
        return ""
    rows = [
        f'<tr><th scope="row">{task_html(task)}</th><td class="num">{number(sum(states.values()))}</td>'
        f"<td>{bar(states)}</td><td>{in_words(states)}</td></tr>"
        for task, states in islice(summary.tasks.items(), MAX_ROWS)
    ]
    head = '<th>task</th><th class="num">jobs</th><th></th><th>states</th>'
    return table_html(head, rows, len(summary.tasks) - MAX_ROWS)


def task_hint(summary: Summary) -> str:
    """The call that gives the jobs of one task, if there are several; the one of most jobs is the example."""
    if len(summary.tasks) < 2:
        return ""
    task = max(summary.tasks, key=lambda task: sum(summary.tasks[task].values()))
    short = task.rpartition(".")[2]
    is_unique = sum(other.rpartition(".")[2] == short for other in summary.tasks) == 1
    return f"info.frame(task={visible(short if is_unique else task)!r})"


def task_hint_html(summary: Summary) -> str:
    hint = task_hint(summary)
    return f'<div class="o">one task as a frame: <code>{html(hint)}</code></div>' if hint else ""


def columns_html(title: str, columns: list[Column]) -> str:
    if not columns:
        return ""
    rows = [
        f'<tr><th scope="row">{names_html(column)}</th><td>{values_html(column)}</td></tr>'
        for column in columns[:MAX_FOLDED_ROWS]
    ]
    head = f"<th>{title}</th><th>values {TIMES} jobs</th>"
    rest = rows[MAX_UNFOLDED_ROWS:]
    shown = table_html(head, rows[:MAX_UNFOLDED_ROWS], 0)
    if not rest:
        return shown
    folded = table_html(head, rest, len(columns) - MAX_FOLDED_ROWS)
    more = f"{number(len(columns) - MAX_UNFOLDED_ROWS)} more {title}"
    return f'{shown}<details><summary><span class="n">{more}</span></summary>{folded}</details>'


def names_html(column: Column) -> str:
    """The names of columns with the same values."""
    shown = "<br/>".join(f'<bdi class="k">{html(name)}</bdi>' for name in column.names[:MAX_NAMES])
    rest = len(column.names) - MAX_NAMES
    return shown + (f'<br/><span class="n">and {rest} more with the same values</span>' if rest > 0 else "")


def values_html(column: Column) -> str:
    shown, rest = values_in_words(column)
    chips = "".join(
        f'<span class="c"><bdi>{html(text)}</bdi> <small>{TIMES}{number(count)}</small></span> '
        for text, count in shown
    )
    if not column.counts:
        rest = "None"
    return chips + (f'<bdi class="n">{html(rest)}</bdi>' if rest else "")


def columns_text(title: str, columns: list[Column]) -> list[str]:
    if not columns:
        return []
    lines = ["", title]
    names = [visible(", ".join(column.names[:MAX_NAMES]), 60) for column in columns[:MAX_ROWS]]
    width = max(map(len, names))
    for name, column in zip(names, columns, strict=False):
        shown, rest = values_in_words(column)
        words = [f"{text} {TIMES}{number(count)}" for text, count in shown] + ([rest] if rest else [])
        lines.append(f"  {name:{width}}  {', '.join(words)}")
    return lines + left_out_text(len(columns) - MAX_ROWS)


# --- errors ---


def all_errors(run: Run, summary: Summary) -> list[XpFrameError]:
    """What could not be read of a run, each error once."""
    return list({str(error): error for error in [*run.errors(), *summary.errors]}.values())


def errors_in_words(errors: list[XpFrameError]) -> str:
    return f"{plural(len(errors), 'error')} while reading"


def errors_html(errors: list[XpFrameError]) -> str:
    if not errors:
        return ""
    items = "".join(f"<li><bdi>{path_html(error, 500)}</bdi></li>" for error in errors[:MAX_ERRORS])
    if len(errors) > MAX_ERRORS:
        items += f'<li class="m">… and {number(len(errors) - MAX_ERRORS)} more</li>'
    title = f'<span class="e">⚠ {errors_in_words(errors)}</span>'
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"
