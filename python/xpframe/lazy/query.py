"""Which runs a lazy query is about, and their columns, cached until a file changes. Needs no polars."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xpframe.lazy.report import Counts, add, read_counters, read_since
from xpframe.request import read_model
from xpframe.resolve import Experiments, Workspaces, resolve_runs

if TYPE_CHECKING:
    from xpframe import _core

__all__ = ["ResolvedPlan", "ScanQuery"]

Signature: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class ResolvedPlan:
    """The columns of some runs, and the state of their files when the columns were decided."""

    model: _core.Model
    signature: Signature


@dataclass
class ScanQuery:
    """A lazy query: the arguments of ``scan_xp``, and the plan they gave last."""

    experiment: Experiments
    workspace: Workspaces
    run: str | Sequence[str]
    options: dict[str, Any]
    strict: bool
    keep_bytes: int
    quiet: bool
    _plan: ResolvedPlan | None = None
    _pending: Counts = (0, 0, 0)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __str__(self) -> str:
        """The query in one line."""
        workspace = "" if self.workspace is None else f", workspace={self.workspace}"
        return f"{self.experiment}, run={self.run}{workspace}"

    def resolve(self) -> ResolvedPlan:
        """The columns as they are now; decided again when a file has changed or a run was added."""
        with self._lock:
            runs, several = resolve_runs(self.experiment, self.workspace, self.run)
            # taken before the runs are read: the next query reads again what grows meanwhile
            signature = tuple(_signature(str(run.path)) for run in runs)
            if self._plan is None or signature != self._plan.signature:
                self._plan = None  # never two plans in memory
                with self.counting():
                    model = read_model(
                        runs, several, keep_bytes=self.keep_bytes, quiet=self.quiet, **self.options
                    )
                self._plan = ResolvedPlan(model, signature)
            return self._plan

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Counts what is read inside the block, for the report of the next query."""
        before = read_counters()
        try:
            yield
        finally:
            self._pending = add(self._pending, read_since(before))

    def pending_reads(self) -> Counts:
        """What was read and not reported yet; from now on it counts as reported."""
        counts, self._pending = self._pending, (0, 0, 0)
        return counts

    def run_columns(self, model: _core.Model) -> dict[str, int]:
        """The columns with one value per run: their index in the facts of ``model.runs``, by name."""
        positions = {"workspace": 0, "experiment": 1, "run": 2}
        origins = self._system_columns(model)
        return {name: positions[origin] for name, origin in origins.items() if origin in positions}

    def cheap_columns(self, model: _core.Model) -> set[str]:
        """The columns that need no config: directory names and jobs.jsonl have them."""
        cheap = {"workspace", "experiment", "run", "job_id", "task", "submitted_at"}
        tags = {name for name, group in zip(model.column_names, model.groups, strict=True) if group == "tag"}
        return tags | {name for name, origin in self._system_columns(model).items() if origin in cheap}

    def _system_columns(self, model: _core.Model) -> dict[str, str]:
        """The original names of the system columns by their names here: a mapping may rename them."""
        columns = self.options["columns"]
        renamed = columns if isinstance(columns, Mapping) else {}
        groups = zip(model.column_names, model.groups, strict=True)
        return {name: str(renamed.get(name, name)) for name, group in groups if group == "system"}

    def __getstate__(self) -> dict[str, Any]:
        """A pickle holds the arguments, nothing that was read, and no lock."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Starts as a new query with the arguments of the pickle."""
        vars(self).update(state, _plan=None, _pending=(0, 0, 0), _lock=threading.RLock())


def _signature(run: str) -> Signature:
    """What tells whether the jobs of a run, or their configs, were changed."""
    names: Iterable[str] = ("jobs.jsonl", "objects.jsonl", "configs.json", "state.json")
    files = [_fact(os.path.join(run, name)) for name in names]  # noqa: PTH118 - 800 a query over 200 runs
    if files[0] is not None:
        return (run, *files)
    # before 2.0 the links under jobs/ are the list of jobs
    links = Path(run, "jobs")
    try:
        tasks = sorted(links.iterdir())
    except OSError:  # whether it is missing or cannot be listed, the reader says
        tasks = []
    return (run, *files, *(_fact(path) for path in (links, *tasks)))


def _fact(path: str | Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino
