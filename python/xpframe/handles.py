"""What jobs wrote: path parameters in their directories, and files of a known kind below these."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.request import plan_scan, table_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HandleCount", "count_handles", "handles_seen"]

_KINDS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
_EVENTS = "events.out.tfevents."
# files that experimaestro writes
_OWN = re.compile(r"\.experimaestro|params\.json|.*\.(out|err|done|failed|pid|lock|sh|py|code)")
# it was removed meanwhile, or a link leads nowhere
_ABSENT = (FileNotFoundError, NotADirectoryError)
_MAX_DEPTH = 8
_MAX_NAMES = 10_000
# a directory that takes longer, in seconds, is on a network, where many threads wait at the same time
_SLOW = 0.002
_MAX_THREADS = 32


@dataclass
class HandleCount:
    """What one handle of one task leads to."""

    kinds: dict[str, int] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0

    @property
    def kind(self) -> str | None:
        """The kind of most of its files, by their names."""
        return max(self.kinds, key=self.kinds.__getitem__, default=None)

    def add(self, job: str, files: list[tuple[Path, int]]) -> None:
        """Counts the files of a job, with their sizes."""
        self.jobs.add(job)
        self.files += len(files)
        self.bytes += sum(size for _, size in files)
        for path, _ in files:
            kind = _kind_of(path.name)
            if kind is not None:
                self.kinds[kind] = self.kinds.get(kind, 0) + 1


def count_handles(
    run: _core.Run,
    counts: dict[tuple[str, str], HandleCount],
    seen: set[str],
    *,
    task: str | Sequence[str] | None = None,
    max_jobs: int | None = None,
    refused: list[OSError] | None = None,
) -> tuple[int, int]:
    """Counts what the jobs of a run wrote, by task and handle; no file is opened.

    Args:
        run: The run.
        counts: What was counted so far, which is added to.
        seen: The directories that were looked at, which are passed over, and to which those of the run are
            added.
        task: Keeps the jobs of these tasks only.
        max_jobs: Looks at so many jobs at most, evenly spread.
        refused: What the system refused to list or to look at, which is added to.

    Returns:
        How many jobs there are, and how many of them were looked at.
    """
    refused = [] if refused is None else refused
    plan = plan_scan([run], table_request({"columns": ["job_id", "task", "path"], "task": task}), quiet=True)
    ((*_, total),) = plan.runs
    looked = total if max_jobs is None else min(total, max_jobs)
    positions = [index * total // looked for index in range(looked)]
    for table in plan.batches(["job_id", "task", "path"], [(0, positions)]):
        names = (table.column_values(name) for name in ("job_id", "task", "path"))
        jobs = []
        for job, task_name, directory in zip(*names, strict=True):
            if directory is not None and directory not in seen:
                seen.add(directory)
                jobs.append((job, task_name, Path(directory)))
        for (job, task_name, directory), files in zip(jobs, _files_of(jobs, refused), strict=True):
            _count_job(run, job, task_name, (directory, files), counts)
    return total, looked


def handles_seen(run: _core.Run, max_jobs: int) -> tuple[dict[str, tuple[str | None, int]], int, int]:
    """The handles of a run that lead to files: their kinds, and in how many jobs; then how many jobs there
    are, and how many of them were looked at.
    """
    counts: dict[tuple[str, str], HandleCount] = {}
    total, looked = count_handles(run, counts, set(), max_jobs=max_jobs)
    handles: dict[str, tuple[str | None, int]] = {}
    for (_, handle), count in counts.items():
        if count.files:
            kind, jobs = handles.get(handle, (None, 0))
            handles[handle] = (kind or count.kind, jobs + len(count.jobs))
    return handles, total, looked


def _count_job(
    run: _core.Run,
    job: str,
    task: str,
    listed: tuple[Path, list[tuple[Path, int]]],
    counts: dict[tuple[str, str], HandleCount],
) -> None:
    covered: set[Path] = set()
    directory, files = listed
    for handle, path in _own_paths(run, job, directory):
        below = [(file, size) for file, size in files if file == path or path in file.parents]
        if all(file != path for file, _ in below):
            # of a directory, event files are read; a table or JSON in it has a handle of its own
            below = [(file, size) for file, size in below if _kind_of(file.name) in {None, "tensorboard"}]
        covered |= {file for file, _ in below}
        counts.setdefault((task, handle), HandleCount()).add(job, below)
    found: dict[str, list[tuple[Path, int]]] = {}
    for file, size in files:
        if file not in covered and _kind_of(file.name):
            handle = file.relative_to(directory).as_posix()
            if file.name.startswith(_EVENTS):
                handle = f"{handle[: -len(file.name)]}{_EVENTS}*"
            found.setdefault(handle, []).append((file, size))
    for handle, several in found.items():
        counts.setdefault((task, handle), HandleCount()).add(job, several)


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


def _files_of(jobs: list[tuple[str, str, Path]], refused: list[OSError]) -> list[list[tuple[Path, int]]]:
    """The files of each job; what the system refuses is added to ``refused``. If two directories in a row
    take long, threads wait for the rest.
    """
    found: list[list[tuple[Path, int]]] = [[] for _ in jobs]
    pending = deque(range(len(jobs)))

    def list_one() -> None:
        index = pending.popleft()
        found[index] = list(_files_below(jobs[index][2], refused))

    def list_rest() -> None:
        with suppress(IndexError):  # none is left
            while True:
                list_one()

    slow = 0
    while pending and slow < 2:
        start = perf_counter()
        list_one()
        slow = slow + 1 if perf_counter() - start > _SLOW else 0
    if pending:
        from threading import Thread

        threads = [Thread(target=list_rest) for _ in range(min(_MAX_THREADS, len(pending)))]
        started = []
        with suppress(RuntimeError):  # no thread can start: those that run do the work
            for thread in threads:
                thread.start()
                started.append(thread)
        try:
            list_rest()
            for thread in started:
                thread.join()
        finally:
            pending.clear()  # after Ctrl-C: the threads go on as long as something is left
    return found


def _files_below(directory: Path, refused: list[OSError]) -> Iterator[tuple[Path, int]]:
    """The files below the directory of a job, with their sizes, without those of experimaestro."""
    count = 0

    def note(error: OSError) -> None:
        if not isinstance(error, _ABSENT):
            refused.append(error)

    for root, directories, names in os.walk(directory, onerror=note):
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
            try:
                status = path.stat()
            except OSError as error:
                note(error)
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, status.st_size


def _kind_of(name: str) -> str | None:
    """The kind of file that a name promises."""
    return "tensorboard" if name.startswith(_EVENTS) else _KINDS.get(Path(name).suffix.lower())
