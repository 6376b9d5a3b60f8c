"""A run, its jobs and its actions, as they show themselves."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from xpframe._core import typename
from xpframe.display.style import SYMBOLS, panel
from xpframe.display.summary import Column, Summary, shown_state, summarize, values_in_words
from xpframe.display.text import html, instant, number, plural, span, value_text, visible
from xpframe.display.tree import grow, tree_html, tree_text

if TYPE_CHECKING:
    from xpframe.errors import XpFrameError
    from xpframe.workspace import Action, Actions, ExperimentInfo, Jobs

__all__ = [
    "action_html",
    "action_text",
    "actions_html",
    "actions_text",
    "bar",
    "info_html",
    "info_text",
    "jobs_html",
    "jobs_text",
    "legend",
    "table_html",
    "title_html",
]

MOST_ROWS = 40
MOST_OPEN = 14  # rows that are not folded
MOST_FOLDED = 150
MOST_ERRORS = 20
MOST_NAMES = 3
MOST_TAGS = 12
MOST_TEXT_LINES = 120
TIMES = "\N{MULTIPLICATION SIGN}"


def info_html(info: ExperimentInfo) -> str:
    """A run: driver, states, tasks, tags and varying parameters, errors."""
    summary = summarize(info._run)  # noqa: SLF001 - the display is part of the class
    word, state = driver(info)
    parts = [
        title_html(f"<bdi>{html(info.experiment)}</bdi>", f"run {info.run_id}", label=(word, state)),
        f'<div class="o">{html(" · ".join(whereabouts(info)), 500)}<br/><code>{html(info.path)}</code></div>',
        bar(summary.states),
        legend(summary.states, summary.jobs),
        why_html(summary.states),
        tasks_html(summary),
        columns_html("tags", [column for column in summary.columns if column.group == "tag"]),
        columns_html("parameters that vary", [column for column in summary.columns if column.group != "tag"]),
    ]
    if summary.left_out:
        parts.append(f'<div class="o">{plural(summary.left_out, "more column")} not compared</div>')
    if len(info.actions):
        parts.append(f'<div class="o">{html(actions_in_words(info))}</div>')
    parts.append(errors_html(all_errors(info, summary)))
    return panel("".join(parts))


def info_text(info: ExperimentInfo) -> str:
    """The same for a terminal."""
    summary = summarize(info._run)  # noqa: SLF001 - the display is part of the class
    lines = [
        f"{visible(info.experiment)}  run {visible(info.run_id)}  driver {driver(info)[0]}",
        "  ".join(whereabouts(info)),
        visible(str(info.path)),
        f"{plural(summary.jobs, 'job')}: {in_words(summary.states)}{why_text(summary.states)}",
    ]
    lines += ["", "tasks"]
    width = max((len(visible(task)) for task in summary.tasks), default=0)
    for task, states in islice(summary.tasks.items(), MOST_ROWS):
        lines.append(f"  {visible(task):{width}}  {number(sum(states.values())):>6}  {in_words(states)}")
    lines += left_out_text(len(summary.tasks) - MOST_ROWS)
    for title, tagged in (("tags", True), ("parameters that vary", False)):
        columns = [column for column in summary.columns if (column.group == "tag") == tagged]
        lines += columns_text(title, columns)
    if len(info.actions):
        lines += ["", actions_in_words(info)]
    errors = all_errors(info, summary)
    if errors:
        lines += ["", f"{plural(len(errors), 'thing')} could not be read"]
        lines += [f"  {visible(str(error), 500)}" for error in errors[:MOST_ERRORS]]
        lines += left_out_text(len(errors) - MOST_ERRORS)
    return "\n".join(lines)


def title_html(title: str, note: str, label: tuple[str, str] | None = None) -> str:
    """The first line of a display: the title as HTML, a note as text, a label with the colour of a state."""
    shown = ""
    if label:
        shown = f' <span class="l"><span class="dot s-{label[1]}"></span>driver {html(label[0])}</span>'
    return f'<div class="h"><b>{title}</b> <span class="n"><bdi>{html(note)}</bdi></span>{shown}</div>'


def table_html(head: str, rows: list[str], left_out: int) -> str:
    """A table of rows, and a last row that counts what is left out."""
    body = "".join(rows)
    if left_out > 0:
        body += f'<tr><td colspan="{head.count("<th")}" class="m">… and {number(left_out)} more</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# --- the driver ---


def driver(info: ExperimentInfo) -> tuple[str, str]:
    """How far the driver is, in a word, and the state whose colour that word has."""
    if info.status == "running" and info.alive is False:
        return "killed (its status still says running)", "failed"
    states = {"done": "done", "failed": "failed", "running": "running"}
    return visible(info.status or "unknown"), states.get(info.status or "", "transient")


def whereabouts(info: ExperimentInfo) -> list[str]:
    """When and where a run was made, and with what."""
    facts = []
    if info.started_at:
        facts.append(f"started {instant(info.started_at)}")
        if info.ended_at:
            facts.append(f"took {span(max(0.0, (info.ended_at - info.started_at).total_seconds()))}")
    if info.hostname:
        facts.append(f"on {visible(info.hostname)}")
    if python := info.environment["python_version"]:
        facts.append(f"Python {visible(str(python))}")
    for repository in info.environment["git"][:1]:
        commit = visible(str(repository["commit"] or ""))[:8]
        facts.append(f"git {commit}{' with changes' if repository['dirty'] else ''}")
    return facts or ["when and where is not known"]


# --- states ---


def bar(states: dict[str, int]) -> str:
    """Counts of states as a bar; it carries no text: the legend does."""
    spans = "".join(
        f'<span class="s-{state}" style="flex:{count}" title="{number(count)} {state}"></span>'
        for state, count in states.items()
    )
    return f'<div class="bar">{spans}</div>'


def legend(states: dict[str, int], jobs: int) -> str:
    """Counts of states in words."""
    words = [
        f'<span><span class="dot s-{state}"></span>{number(count)} {state} {SYMBOLS[state]}</span>'
        for state, count in states.items()
    ]
    return f'<div class="legend"><b>{plural(jobs, "job")}</b> {" ".join(words)}</div>'


def why_html(states: dict[str, int]) -> str:
    """Where to read why jobs failed, if some did."""
    if not why_text(states):
        return ""
    return '<div class="o">why did they fail: <code>info.failures()</code></div>'


def why_text(states: dict[str, int]) -> str:
    """The same for a terminal."""
    return " (why: info.failures())" if states.get("failed") or states.get("lost") else ""


def in_words(states: dict[str, int]) -> str:
    return ", ".join(f"{number(count)} {state}" for state, count in states.items()) or "none"


# --- tables ---


def tasks_html(summary: Summary) -> str:
    if not summary.tasks:
        return ""
    rows = [
        f'<tr><th scope="row">{task_html(task)}</th><td class="num">{number(sum(states.values()))}</td>'
        f"<td>{bar(states)}</td><td>{in_words(states)}</td></tr>"
        for task, states in islice(summary.tasks.items(), MOST_ROWS)
    ]
    head = '<th>task</th><th class="num">jobs</th><th></th><th>states</th>'
    return table_html(head, rows, len(summary.tasks) - MOST_ROWS)


def task_html(task: str) -> str:
    module, dot, name = visible(task).rpartition(".")
    return f'<bdi class="t"><i>{html(module)}{dot}</i>{html(name)}</bdi>'


def columns_html(title: str, columns: list[Column]) -> str:
    if not columns:
        return ""
    rows = [
        f'<tr><th scope="row">{names_html(column)}</th><td>{values_html(column)}</td></tr>'
        for column in columns[:MOST_FOLDED]
    ]
    head = f"<th>{title}</th><th>values {TIMES} jobs</th>"
    rest = rows[MOST_OPEN:]
    shown = table_html(head, rows[:MOST_OPEN], 0)
    if not rest:
        return shown
    folded = table_html(head, rest, len(columns) - MOST_FOLDED)
    more = f"{number(len(columns) - MOST_OPEN)} more {title}"
    return f'{shown}<details><summary><span class="n">{more}</span></summary>{folded}</details>'


def names_html(column: Column) -> str:
    """The names of columns that have the same values; the first in full, all in the tooltip."""
    shown = "<br/>".join(f'<bdi class="k">{html(name)}</bdi>' for name in column.names[:MOST_NAMES])
    rest = len(column.names) - MOST_NAMES
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
    names = [visible(", ".join(column.names[:MOST_NAMES]), 60) for column in columns[:MOST_ROWS]]
    width = max(map(len, names))
    for name, column in zip(names, columns, strict=False):
        shown, rest = values_in_words(column)
        words = [f"{text} {TIMES}{number(count)}" for text, count in shown] + ([rest] if rest else [])
        lines.append(f"  {name:{width}}  {', '.join(words)}")
    return lines + left_out_text(len(columns) - MOST_ROWS)


def left_out_text(count: int) -> list[str]:
    return [f"  … and {number(count)} more"] if count > 0 else []


# --- errors ---


def all_errors(info: ExperimentInfo, summary: Summary) -> list[XpFrameError]:
    """What could not be read of a run, each once."""
    return list({str(error): error for error in [*info.errors, *summary.errors]}.values())


def errors_html(errors: list[XpFrameError]) -> str:
    if not errors:
        return ""
    items = "".join(f"<li><bdi>{html(error, 500)}</bdi></li>" for error in errors[:MOST_ERRORS])
    if len(errors) > MOST_ERRORS:
        items += f'<li class="m">… and {number(len(errors) - MOST_ERRORS)} more</li>'
    title = f'<span class="e">⚠ {plural(len(errors), "thing")} could not be read</span>'
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"


# --- jobs and actions ---


def jobs_html(jobs: Jobs) -> str:
    """The jobs of a run: task, state and tags."""
    rows = [
        f'<tr><th scope="row"><code title="{html(job_id)}">{html(job_id[:8])}</code></th>'
        f'<td>{task_html(task)}</td><td><span class="dot s-{state}"></span>{state}</td><td>{tags}</td></tr>'
        for job_id, task, state, tags in _job_rows(jobs, markup=True)
    ]
    head = "<th>job</th><th>task</th><th>state</th><th>tags</th>"
    title = title_html(plural(len(jobs), "job"), _of_run(jobs))
    return panel(title + table_html(head, rows, len(jobs) - MOST_ROWS))


def jobs_text(jobs: Jobs) -> str:
    """The same for a terminal."""
    lines = [f"{plural(len(jobs), 'job')} {_of_run(jobs)}"]
    for job_id, task, state, tags in _job_rows(jobs, markup=False):
        lines.append(f"  {visible(job_id)[:8]}  {visible(task)}  {state}  {tags}".rstrip())
    return "\n".join(lines + left_out_text(len(jobs) - MOST_ROWS))


def _of_run(mapping: Jobs | Actions) -> str:
    run = mapping._run  # noqa: SLF001 - the display is part of the class
    return f"of {visible(run.experiment)} {visible(run.run_id)}"


def _job_rows(jobs: Jobs, *, markup: bool) -> list[tuple[str, str, str, str]]:
    """(job id, task, state, tags in words) of the first jobs."""
    run = jobs._run  # noqa: SLF001 - the display is part of the class
    states, tags, tasks = run.states(), run.tags_map(), dict(run.rows())
    rows = []
    for job_id in islice(jobs, MOST_ROWS):
        state = shown_state(states.get(job_id, ("lost", None))[0])
        few = islice(tags.get(job_id, {}).items(), MOST_TAGS)
        words = [f"{visible(name, 60)}={value_text(value, 60)}" for name, value in few]
        if markup:
            words = [f'<span class="c"><bdi>{html(word)}</bdi></span>' for word in words]
        rows.append((job_id, tasks.get(job_id, "?"), state, " ".join(words)))
    return rows


def actions_in_words(info: ExperimentInfo) -> str:
    """How many actions a run has, and what the first do."""
    few = ", ".join(visible(action.describe(), 60) for action in islice(info.actions.values(), 3))
    return f"{plural(len(info.actions), 'action')}: {few}{', …' if len(info.actions) > 3 else ''}"


def actions_html(actions: Actions) -> str:
    """The actions of a run: identifier, class and description."""
    rows = [
        f'<tr><th scope="row"><code title="{html(action_id)}">{html(action_id[:8])}</code></th>'
        f"<td>{task_html(typename(action.config))}</td><td><bdi>{html(action.describe())}</bdi></td></tr>"
        for action_id, action in islice(actions.items(), MOST_ROWS)
    ]
    head = "<th>action</th><th>class</th><th>what it does</th>"
    title = title_html(plural(len(actions), "action"), _of_run(actions))
    return panel(title + table_html(head, rows, len(actions) - MOST_ROWS))


def actions_text(actions: Actions) -> str:
    """The same for a terminal."""
    lines = [f"{plural(len(actions), 'action')} {_of_run(actions)}"]
    for action_id, action in islice(actions.items(), MOST_ROWS):
        words = (visible(action_id)[:8], visible(typename(action.config)), visible(action.describe()))
        lines.append("  " + "  ".join(words))
    return "\n".join(lines + left_out_text(len(actions) - MOST_ROWS))


def action_html(action: Action) -> str:
    """An action: what it does, and its config."""
    title = f'<div class="h"><b>action</b> <bdi>{html(action.describe())}</bdi></div>'
    return panel(title + tree_html(grow(action.config, "action.config")))


def action_text(action: Action) -> str:
    """The same for a terminal."""
    tree = tree_text(grow(action.config, "action.config", MOST_TEXT_LINES))
    return "\n".join([f"action: {visible(action.describe())}", *tree])
