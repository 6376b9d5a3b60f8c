"""``where=`` of a lazy query: a filter of polars, and the columns that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe.lazy.query import unaltered
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
    """A filter, and the options of a query that has its columns.

    Args:
        test: The filter, on columns by their names in the query.
        options: The options of the query, which has the columns of the filter.
        hidden: The columns that only the filter needs.
        names: The full names of the columns of the filter, by their names in the query.
    """

    test: Test
    options: ScanOptions
    hidden: list[str]
    names: dict[str, str]

    def apply(self, frame: polars.LazyFrame) -> polars.LazyFrame:
        """The rows that pass."""
        from xpframe.where.as_polars import polars_filter

        filtered = frame.filter(polars_filter(self.test))
        return filtered.drop(self.hidden) if self.hidden else filtered


def narrow(experiment: Experiments, workspace: Workspaces, options: ScanOptions) -> Narrowed | None:
    """The filter of a lazy query; None if it has none. Its names and types are decided now.

    A column of the filter that the query does not have, as it is and under one name, becomes a hidden one.
    """
    where, columns = options.get("where"), options.get("columns")
    if where is None:
        return None
    runs, several = resolve_runs(experiment, workspace, options.get("run", "latest"))
    test = bind(runs, where, options, quiet=options.get("quiet", False))
    plan = plan_scan(runs, table_request(options), several_runs=several, quiet=options.get("quiet", False))
    shown = {full: name for name, full in unaltered(plan).items()}
    needed = columns_of(test)
    taken = set(plan.column_names)
    hidden: dict[str, str] = {}
    for full in needed:
        if full not in shown:
            name = f"where: {full}"
            while name in taken:
                name += "'"
            taken.add(name)
            hidden[name] = full
    names = {name: full for full, name in shown.items() if full in needed} | hidden
    if hidden:
        given: Any = "*" if columns is None else columns
        chosen = [given] if isinstance(given, (str, Mapping)) else list(given)
        most = options.get("max_columns", 2000) + len(hidden)
        options = {**options, "columns": [*chosen, hidden], "max_columns": most}
    by_full = {full: name for name, full in names.items()}
    return Narrowed(with_names(test, by_full), options, list(hidden), names)
