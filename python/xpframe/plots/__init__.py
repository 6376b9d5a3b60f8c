"""Pictures of a run: ``info.plot.states()``, ``parallel()``, ``series(…)``, ``timeline()``, ``tasks()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.arguments import checked_text, checked_texts
from xpframe.plots.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpframe._core import Run
    from xpframe.options import Results
    from xpframe.results import Result

__all__ = ["Picture", "Plots"]


class Plots:
    """The pictures of a run. Each is a :class:`Picture`, with ``save`` and ``data``; notebooks show it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def states(
        self,
        x: str | None = None,
        y: str | None = None,
        *,
        metric: str | None = None,
        results: Results | None = None,
        task: str | None = None,
    ) -> Picture:
        """Jobs by state over two columns: a cell for each pair of values.

        Args:
            x: The column across, by name or short name; by default the first in which jobs differ, tags
                before parameters.

            y: The column down; by default the second in which jobs differ.

            metric: A column of numbers, as ``"result.accuracy"``: a second grid shows its mean in each cell.

            results: Which files hold ``result.*``, as for :func:`xpframe.xp_frame`. It may be left out if
                only one handle leads to files of a known kind.

            task: Shows the jobs of this task: its name, its last component, or a glob. By default all jobs;
                or, where tasks differ in their columns and none is named, the task of most jobs.

        Raises:
            ColumnError: There is no such column.
            InvalidArgumentError: ``metric`` is no column of numbers, or ``results`` is needed.
        """
        from xpframe.plots.states import states

        _check_names(x=x, y=y, metric=metric, task=task)
        return states(self._run, x, y, metric, results, task)

    def parallel(
        self,
        color: str = "state",
        columns: Sequence[str] | None = None,
        *,
        results: Results | None = None,
        task: str | None = None,
    ) -> Picture:
        """A line for each job through an axis for each column; of many jobs, bands that are the wider the
        more jobs they have.

        Args:
            color: The column that colours the lines, as ``"result.accuracy"``; numbers get a scale.

            columns: The axes; by default the tags and parameters in which jobs differ.

            results: Which files hold ``result.*``, as for :func:`xpframe.xp_frame`. It may be left out if
                only one handle leads to files of a known kind.

            task: As for :meth:`states`.

        Raises:
            ColumnError: There is no such column.
            InvalidArgumentError: The jobs differ in no column and ``columns`` is missing, or ``results`` is
                needed.
        """
        from xpframe.plots.parallel import parallel

        _check_names(task=task)
        checked_text("color", color, "give the name of a column")
        hint = "give a list of names of columns"
        axes = None if columns is None else checked_texts("columns", columns, hint)
        return parallel(self._run, color, axes, results, task)

    def series(
        self,
        handle: str | Result,
        *,
        metrics: str | Sequence[str] | None = None,
        color: str = "state",
        over: str | Sequence[str] | None = None,
    ) -> Picture:
        """Curves of what jobs wrote: a panel for each metric, a line for each job.

        Args:
            handle: Which files, as for :func:`xpframe.xp_series`: TensorBoard's scalars, or the numeric
                columns of CSV files and JSON lines over ``step``, ``epoch`` or their rows.

            metrics: Names or globs of the metrics or columns to show; the first six are drawn.

            color: The column of the jobs that colours the lines.

            over: Columns, as ``"seed"``: jobs that differ in nothing else become one line, the mean at each
                step, within a band of one standard deviation.

        Raises:
            ColumnError: There is no such column.
            InvalidArgumentError: No job has such a path parameter.
        """
        from xpframe.plots.series import series

        checked_text("color", color, "give the name of a column")
        columns = None if over is None else checked_texts("over", over, "give a name, or a list of names")
        return series(self._run, handle, metrics=metrics, color=color, over=columns)

    def timeline(self) -> Picture:
        """When each job ran; a running job extends to the latest time of all jobs."""
        from xpframe.plots.timeline import timeline

        return timeline(self._run)

    def tasks(self) -> Picture:
        """The tasks, with their jobs by state, and the number of dependencies between them."""
        from xpframe.plots.tasks import tasks

        return tasks(self._run)

    def __repr__(self) -> str:
        calls = "states(x, y, task), parallel(color, columns, task), series(handle), timeline(), tasks()"
        return f"<pictures: {calls}>"


def _check_names(**names: object) -> None:
    """Raises an error for an argument that is not a name; None stands for the default."""
    for argument, name in names.items():
        if name is not None:
            checked_text(argument, name, "give the name of a column" if argument != "task" else "give a name")
