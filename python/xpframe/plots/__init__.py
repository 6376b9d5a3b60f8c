"""Pictures of a run: ``info.plot.states()``, ``.parallel()``, ``.timeline()``, ``.tasks()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.plots.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe._core import Run

__all__ = ["Picture", "Plots"]


class Plots:
    """The pictures of a run. Each is a :class:`Picture`: shown by a notebook, with ``save`` and ``data``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def states(self, x: str | None = None, y: str | None = None) -> Picture:
        """Jobs by state over two columns: a cell for each pair of values.

        Args:
            x: The column across, by name or short name; without it, the first in which jobs differ.

            y: The column down; without it, the second in which jobs differ.

        Raises:
            ColumnError: There is no such column.
        """
        from xpframe.plots.states import states

        return states(self._run, x, y)

    def parallel(self, color: str = "state", columns: Sequence[str] | None = None) -> Picture:
        """A line for each job through an axis for each column.

        Args:
            color: The column that gives the lines their colours; numbers get a scale.

            columns: The axes; without them, the tags and parameters in which jobs differ.

        Raises:
            ColumnError: There is no such column.
            InvalidArgumentError: No columns were given, and jobs differ in none.
        """
        from xpframe.plots.parallel import parallel

        return parallel(self._run, color, columns)

    def timeline(self) -> Picture:
        """When each job ran; a job that still runs reaches to the last time that is known."""
        from xpframe.plots.timeline import timeline

        return timeline(self._run)

    def tasks(self) -> Picture:
        """The kinds of task, with their jobs by state, and how many dependencies there are between them."""
        from xpframe.plots.tasks import tasks

        return tasks(self._run)

    def __repr__(self) -> str:
        return "<pictures: states(x, y), parallel(color, columns), timeline(), tasks()>"
