"""Which files could be results: the path parameters of jobs, and the files in their directories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from xpframe.displayed import Displayed
from xpframe.errors import ReadError
from xpframe.handles import HandleCount, count_handles
from xpframe.report import report
from xpframe.resolve import resolve_runs
from xpframe.text import plural

if TYPE_CHECKING:
    from xpframe.options import Experiments, Workspaces

__all__ = ["ResultFile", "ResultFiles", "result_files"]


@dataclass(frozen=True)
class ResultFile:
    """What ``results=`` may be given for the jobs of a task: a handle, and the files that it leads to."""

    task: str
    handle: str
    kind: str | None
    jobs: int
    files: int
    bytes: int


class ResultFiles(Displayed, Sequence[ResultFile]):
    """The handles of runs, by task: path parameters, then files below the directories of jobs."""

    def __init__(self, files: list[ResultFile]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: Any) -> Any:
        return self._files[index]

    def rows(self) -> list[dict[str, Any]]:
        """The handles as dicts."""
        return [asdict(file) for file in self._files]

    def _one_line(self) -> str:
        return f"<ResultFiles: {plural(len(self), 'handle')}>"

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.results import result_files_html, result_files_text

        return result_files_html(self.rows()) if as_html else result_files_text(self.rows())


def result_files(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
) -> ResultFiles:
    """Which files could be results, as handles for ``results=``; found without opening one of them.

    Path parameters in a job's own directory come first, then other files of a known kind below it.

    The arguments and errors are those of :func:`xpframe.xp_frame`. One :class:`xpframe.errors.XpFrameWarning`
    tells the directories that cannot be listed.
    """
    runs, _ = resolve_runs(experiment, workspace, run)
    counts: dict[tuple[str, str], HandleCount] = {}
    seen: set[str] = set()
    refused: list[OSError] = []
    for opened in reversed(runs):
        count_handles(opened, counts, seen, task=task, refused=refused)
    errors = [ReadError(f"cannot be listed: {error.strerror}", file=str(error.filename)) for error in refused]
    report(list(errors), [], strict=False)
    return ResultFiles(
        [
            ResultFile(name, handle, count.kind, len(count.jobs), count.files, count.bytes)
            for (name, handle), count in counts.items()
        ]
    )
