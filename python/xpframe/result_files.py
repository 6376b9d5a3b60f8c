"""Which files could be results: the path parameters of jobs, and the files in their directories."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.displayed import Displayed
from xpframe.request import read_table, table_request
from xpframe.resolve import resolve_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe.options import Experiments, Workspaces

__all__ = ["ResultFile", "ResultFiles", "result_files"]

_KINDS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
_EVENTS = "events.out.tfevents."
# files that experimaestro writes
_OWN = re.compile(r"\.experimaestro|params\.json|.*\.(out|err|done|failed|pid|lock|sh|py|code)")
_MAX_DEPTH = 8
_MAX_NAMES = 10_000


@dataclass(frozen=True)
class ResultFile:
    """What ``results=`` may be given for the jobs of a task: a handle, and the files that it leads to."""

    task: str
    handle: str
    kind: str | None
    jobs: int
    files: int
    bytes: int


@dataclass
class _Count:
    """What one handle of one task leads to."""

    kinds: dict[str, int] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0

    def add(self, job: str, files: list[tuple[Path, int]]) -> None:
        self.jobs.add(job)
        self.files += len(files)
        self.bytes += sum(size for _, size in files)
        for path, _ in files:
            kind = _kind_of(path.name)
            if kind is not None:
                self.kinds[kind] = self.kinds.get(kind, 0) + 1


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
        return f"<ResultFiles: {len(self)} handles>"

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _display(self, *, as_html: bool) -> str:
        from html import escape

        lines = [
            f"{file.handle}: {file.kind or 'unknown'}, {file.files} files of {file.jobs} jobs, "
            f"{file.bytes:,} bytes ({file.task})"
            for file in self._files
        ]
        text = "\n".join(lines) or "no file that could be a result"
        return f"<pre>{escape(text)}</pre>" if as_html else text


def result_files(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
) -> ResultFiles:
    """Which files could be results, as handles for ``results=``; found without opening one of them.

    Path parameters in a job's own directory come first, then other files of a known kind below it.

    The arguments and errors are those of :func:`xpframe.xp_frame`.
    """
    runs, _ = resolve_runs(experiment, workspace, run)
    counts: dict[tuple[str, str], _Count] = {}
    seen: set[str] = set()
    for opened in reversed(runs):
        table = read_table([opened], table_request({"columns": ["job_id", "task", "path"], "task": task}))
        names = (table.column_values(name) for name in ("job_id", "task", "path"))
        for job, task_name, directory in zip(*names, strict=True):
            if directory is None or directory in seen:
                continue
            seen.add(directory)
            _count_job(opened, job, task_name, Path(directory), counts)
    return ResultFiles(
        [
            ResultFile(
                name,
                handle,
                max(count.kinds, key=count.kinds.__getitem__, default=None),
                len(count.jobs),
                count.files,
                count.bytes,
            )
            for (name, handle), count in counts.items()
        ]
    )


def _count_job(
    run: _core.Run, job: str, task: str, directory: Path, counts: dict[tuple[str, str], _Count]
) -> None:
    covered: set[Path] = set()
    files = list(_files_below(directory))
    for handle, path in _own_paths(run, job, directory):
        below = [(file, size) for file, size in files if file == path or path in file.parents]
        covered |= {file for file, _ in below}
        counts.setdefault((task, handle), _Count()).add(job, below)
    for file, size in files:
        if file not in covered and _kind_of(file.name):
            handle = file.relative_to(directory).as_posix()
            if file.name.startswith(_EVENTS):
                handle = f"{handle[: -len(file.name)]}{_EVENTS}*"
            counts.setdefault((task, handle), _Count()).add(job, [(file, size)])


def _own_paths(run: _core.Run, job: str, directory: Path) -> Iterator[tuple[str, Path]]:
    """The path parameters of a job that lie in its directory: their names, with ``[*]`` in lists."""
    try:
        pending: list[tuple[str, Any]] = [("", run.job(job))]
    except KeyError:
        return
    met: set[int] = set()
    while pending:
        place, value = pending.pop()
        if isinstance(value, Path):
            if directory in value.parents:
                yield place, value
        elif isinstance(value, _core.Config):
            if id(value) not in met and len(met) < _MAX_NAMES:
                met.add(id(value))
                pending += [(f"{place}.{key}".strip("."), item) for key, item in _core.fields(value).items()]
        elif isinstance(value, Mapping):
            pending += [(f"{place}.{key}", item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            pending += [(f"{place}[*]", item) for item in value]


def _files_below(directory: Path) -> Iterator[tuple[Path, int]]:
    """The files below the directory of a job, with their sizes, without those of experimaestro."""
    count = 0
    for root, directories, names in os.walk(directory):
        is_top = Path(root) == directory
        if len(Path(root).relative_to(directory).parts) >= _MAX_DEPTH:
            directories.clear()
        directories[:] = sorted(name for name in directories if not (is_top and _OWN.fullmatch(name)))
        for name in sorted(names):
            if is_top and _OWN.fullmatch(name):
                continue
            count += 1
            if count > _MAX_NAMES:
                return
            path = Path(root) / name
            if path.is_file():
                yield path, path.stat().st_size


def _kind_of(name: str) -> str | None:
    """The kind of file that a name promises."""
    return "tensorboard" if name.startswith(_EVENTS) else _KINDS.get(Path(name).suffix.lower())
