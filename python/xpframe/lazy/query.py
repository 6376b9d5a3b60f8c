"""Which runs a lazy query is about, and their columns, cached until a file changes. Needs no polars."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from xpframe.errors import ColumnError
from xpframe.lazy.report import Counts, add, read_counters, read_since
from xpframe.request import plan_scan
from xpframe.resolve import resolve_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xpframe import _core
    from xpframe.options import Experiments, Workspaces

__all__ = ["LazyQuery", "ResolvedPlan", "ScanQuery", "unaltered"]


@dataclass(frozen=True, eq=False)
class ResolvedPlan:
    """The columns of some runs, and the state of their files when the columns were decided."""

    plan: _core.ScanPlan
    signatures: list[_core.RunSignature]

    def has_changed(self, signatures: list[_core.RunSignature]) -> bool:
        """Whether the runs, which have these signatures now, or runs of jobs upstream have changed."""
        return signatures != self.signatures or self.plan.upstream_has_changed

    def run_columns(self) -> dict[str, int]:
        """The columns with one value per run: their index in the facts of ``plan.runs``, by name."""
        facts = ("workspace", "experiment", "run")
        system = {name: full for name, full, group in self.plan.columns if group == "system"}
        return {name: facts.index(full) for name, full in system.items() if full in facts}

    def cheap_columns(self) -> set[str]:
        """The columns that need no config: directory names and jobs.jsonl have their values."""
        cheap = {"workspace", "experiment", "run", "job_id", "task", "submitted_at"}
        return {
            name
            for name, full, group in self.plan.columns
            if group == "tag" or (group == "system" and full in cheap)
        }


PlanT = TypeVar("PlanT")


@dataclass(kw_only=True)
class LazyQuery(Generic[PlanT]):
    """What a lazy query remembers beside its arguments: the last plan, and what was read for it."""

    _plan: PlanT | None = None
    _pending: Counts = (0, 0, 0)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

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

    def __getstate__(self) -> dict[str, Any]:
        """A pickle holds the arguments, nothing that was read, and no lock."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Starts as a new query with the arguments of the pickle."""
        vars(self).update(state, _plan=None, _pending=(0, 0, 0), _lock=threading.RLock())


@dataclass
class ScanQuery(LazyQuery[ResolvedPlan]):
    """A lazy query: the arguments of ``scan_xp``, and the plan they gave last."""

    experiment: Experiments
    workspace: Workspaces
    run: str | Sequence[str]
    request: _core.TableRequest
    strict: bool
    keep_bytes: int
    quiet: bool
    # the full names of the columns of its filter, by their names when it was made
    filtered: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The query in one line."""
        workspace = "" if self.workspace is None else f", workspace={self.workspace}"
        return f"{self.experiment}, run={self.run}{workspace}"

    def resolve(self) -> ResolvedPlan:
        """The columns as they are now; decided again when a file has changed or a run was added."""
        with self._lock:
            runs, several = resolve_runs(self.experiment, self.workspace, self.run)
            # taken before the runs are read: the next query reads again what grows meanwhile
            signatures = [run.signature for run in runs]
            if self._plan is None or self._plan.has_changed(signatures):
                self._plan = None  # never two plans in memory
                with self.counting():
                    plan = plan_scan(
                        runs,
                        self.request,
                        several_runs=several,
                        keep_bytes=self.keep_bytes,
                        quiet=self.quiet,
                    )
                self._check_filter(plan)
                self._plan = ResolvedPlan(plan, signatures)
            return self._plan

    def _check_filter(self, plan: _core.ScanPlan) -> None:
        full_names = unaltered(plan)
        for name, full in self.filtered.items():
            if full_names.get(name) != full:
                reason = f"the filter means {full} by {name!r}, which is another column now"
                raise ColumnError(reason, field=full, hint="make the query again with scan_xp")


def unaltered(plan: _core.ScanPlan) -> dict[str, str]:
    """The full names of the columns that have the values of one column, by their names."""
    pairs = zip(plan.columns, plan.sources, strict=True)
    return {name: full for (name, full, _), sources in pairs if sources == [full]}
