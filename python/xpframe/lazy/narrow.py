"""``where=`` of a lazy query: a filter of polars, and the columns that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe.request import plan_scan, table_request
from xpframe.resolve import resolve_runs
from xpframe.where.bound import columns_of, with_names
from xpframe.where.choose import bind

if TYPE_CHECKING:
    import polars

    from xpframe.options import Experiments, ScanOptions, Workspaces
    from xpframe.where.bound import Test

__all__ = ["Narrowed", "narrow"]


@dataclass(frozen=True)
class Narrowed:
    """A filter, and the columns of a query that has it.

    Args:
        test: The filter, on columns by their names in the query.
        columns: The columns of the query, those of the filter among them.
        shown: The columns of the outcome; all if there are none.
    """

    test: Test
    columns: Any
    shown: list[str] | None

    def apply(self, frame: polars.LazyFrame) -> polars.LazyFrame:
        """The rows that pass."""
        from xpframe.where.as_polars import polars_filter

        filtered = frame.filter(polars_filter(self.test))
        return filtered if self.shown is None else filtered.select(self.shown)


def narrow(experiment: Experiments, workspace: Workspaces, options: ScanOptions) -> Narrowed | None:
    """The filter of a lazy query; None if it has none. Its names and types are decided now."""
    where, columns = options.get("where"), options.get("columns")
    if where is None:
        return None
    runs, several = resolve_runs(experiment, workspace, options.get("run", "latest"))
    test = bind(runs, where, options, quiet=options.get("quiet", False))
    plan = plan_scan(runs, table_request(options), several_runs=several, quiet=options.get("quiet", False))
    names = {full: shown for shown, full, _ in plan.columns}
    missing = [name for name in columns_of(test) if name not in names]
    if not missing:
        return Narrowed(with_names(test, names), columns, None)
    if isinstance(columns, Mapping):
        hidden = {name: f"where: {name}" for name in missing}
        columns = {**columns, **{shown: name for name, shown in hidden.items()}}
        names |= hidden
    else:
        chosen = list(names) if columns is None else [columns] if isinstance(columns, str) else list(columns)
        columns = [*chosen, *missing]
    return Narrowed(with_names(test, names), columns, plan.column_names)
