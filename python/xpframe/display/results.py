"""What jobs wrote: in one line, and the list of handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.display.parts import MAX_ROWS, path_html, table_html, task_html, title_html
from xpframe.display.style import panel
from xpframe.handles import handles_seen
from xpframe.text import html, number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xpframe._core import Run

__all__ = ["result_files_html", "result_files_text", "results_in_words"]

# jobs whose directories are listed: a display is no place to wait
MAX_JOBS_LOOKED_AT = 64
MAX_SHOWN = 6
TIMES = "\N{MULTIPLICATION SIGN}"
_NONE = "no file that could be a result"
_SHOWN_KINDS = {"tensorboard": "TensorBoard"}


def results_in_words(run: Run) -> str:
    """The handles for ``results=``, each with the number of its jobs and the kind of their files; nothing if
    no job wrote a file of a known kind. No file is opened.
    """
    handles, total, looked = handles_seen(run, MAX_JOBS_LOOKED_AT)
    words = []
    for handle, (kind, jobs) in handles.items():
        shown = _SHOWN_KINDS.get(kind, kind) if kind else ""
        words.append(f"{visible(handle)} {TIMES}{number(jobs)} {shown}".rstrip())
    if not any(kind for kind, _ in handles.values()):
        return ""
    rest = [f"{number(len(words) - MAX_SHOWN)} more"] if len(words) > MAX_SHOWN else []
    note = f" (in {number(looked)} of {number(total)} jobs)" if looked < total else ""
    return f"results: {', '.join(words[:MAX_SHOWN] + rest)}{note}"


def result_files_html(handles: Sequence[Mapping[str, Any]]) -> str:
    """The handles of ``result_files`` for a notebook."""
    rows = [
        f'<tr><th scope="row">{path_html(handle["handle"])}</th><td>{html(handle["kind"] or "unknown")}</td>'
        f'<td class="num">{number(handle["files"])}</td><td class="num">{number(handle["jobs"])}</td>'
        f'<td class="num">{number(handle["bytes"])}</td><td>{task_html(handle["task"])}</td></tr>'
        for handle in handles[:MAX_ROWS]
    ]
    numbers = "".join(f'<th class="num">{name}</th>' for name in ("files", "jobs", "bytes"))
    head = f"<th>handle</th><th>kind</th>{numbers}<th>task</th>"
    title = title_html(plural(len(handles), "handle"), "for results=") if handles else ""
    table = table_html(head, rows, len(handles) - MAX_ROWS) if handles else f'<div class="m">{_NONE}</div>'
    return panel(title + table)


def result_files_text(handles: Sequence[Mapping[str, Any]]) -> str:
    """The handles of ``result_files`` for a terminal."""
    lines = [
        f"{visible(handle['handle'])}: {handle['kind'] or 'unknown'}, {plural(handle['files'], 'file')} of "
        f"{plural(handle['jobs'], 'job')}, {plural(handle['bytes'], 'byte')} ({visible(handle['task'])})"
        for handle in handles
    ]
    return "\n".join(lines) or _NONE
