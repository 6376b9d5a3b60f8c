"""``where=``: the filter language of experimaestro, mended, on tags, parameters, states and results."""

from __future__ import annotations

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from xpframe import _core
    from xpframe.options import Where

__all__ = ["rows_where"]


def rows_where(
    runs: list[_core.Run], where: Where | None, options: Mapping[str, Any]
) -> list[list[int]] | None:
    """The positions of the jobs that pass a filter, for each run; None if there is no filter.

    Args:
        runs: Open runs.
        where: The filter.
        options: ``task``, ``results``, ``timezone`` and ``quiet`` of the call.

    Raises:
        InvalidArgumentError: It is no filter, or compares what cannot be compared.
        ColumnError: A name is no column.
    """
    if where is None:
        return None
    from xpframe.where.choose import chosen_rows

    return chosen_rows(runs, where, options, quiet=options.get("quiet", False))
