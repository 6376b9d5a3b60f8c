"""Pictures of a run: ``info.plot.states()``, ``.parallel()``, ``.timeline()``, ``.tasks()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.plots.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe._core import Run

__all__ = ["Picture", "Plots"]


class Plots:
    """The pictures of a run. Each is a :class:`Picture`, with ``save`` and ``data``; notebooks show it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def states(self, x: str | None = None, y: str | None = None) -> Picture:
        """Jobs by state over two columns: a cell for each pair of values.

        Args:
            x: The column across, by name or short name; by default the first in which jobs differ.

            y: The column down; by default the second in which jobs differ.

        Raises:
            ColumnError: There is no such column.
        """
        from xpframe.plots.states import states

        return states(self._run, x, y)

    def parallel(self, color: str = "state", columns: Sequence[str] | None = None) -> Picture:
        """A line for each job through an axis for each column.

        Args:
            color: The column that colours the lines; numbers get a scale.

            columns: The axes; by default the tags and parameters in which jobs differ.

        Raises:
            ColumnError: There is no such column.
            InvalidArgumentError: The jobs differ in no column, and ``columns`` is missing.
        """
        from xpframe.plots.parallel import parallel

        return parallel(self._run, color, columns)

    def timeline(self) -> Picture:
        """When each job ran; a running job extends to the latest time of all jobs."""
        from xpframe.plots.timeline import timeline

        return timeline(self._run)

    def tasks(self) -> Picture:
        """The tasks, with their jobs by state, and the number of dependencies between them."""
        from xpframe.plots.tasks import tasks

        return tasks(self._run)

    def __repr__(self) -> str:
        return "<pictures: states(x, y), parallel(color, columns), timeline(), tasks()>"
