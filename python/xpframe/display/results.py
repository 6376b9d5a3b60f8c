"""What jobs wrote, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.handles import handles_seen
from xpframe.text import number, visible

if TYPE_CHECKING:
    from xpframe._core import Run

__all__ = ["results_in_words"]

# jobs whose directories are listed: a display is no place to wait
MAX_JOBS_LOOKED_AT = 64
MAX_SHOWN = 6
TIMES = "\N{MULTIPLICATION SIGN}"
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
