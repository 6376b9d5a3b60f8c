"""The method of a run that writes a page for a colleague."""

from __future__ import annotations

# typing and pathlib each take longer to import than to read a run of some hundred jobs
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from xpframe import _core
    from xpframe.options import Results
    from xpframe.results import Result

__all__ = ["Reported"]


class Reported:
    """A run that can be written as a page."""

    _run: _core.Run

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        results: Results | None = None,
        curves: str | Result | Sequence[str | Result] | None = None,
        title: str | None = None,
        strict: bool = False,
        quiet: bool = False,
    ) -> Path:
        """Writes one HTML page for a colleague: what ran, its jobs with results in a table that sorts,
        filters and hides columns, the coverage of the grid, failures, curves, tasks and packages.

        The page has everything in it and asks for nothing outside. Times are in UTC.

        Args:
            path: The file, ending in ``.html``.
            results: What jobs wrote, as columns: as for :func:`xpframe.xp_frame`.
            curves: Files with rows by step, as for :func:`xpframe.xp_series`; several in a list.
            title: A heading; by default the names of the experiment and the run.
            strict: Raises the first error instead of a warning.
            quiet: Hides progress.

        Returns:
            The path of the file.

        Raises:
            InvalidArgumentError: The name has another ending, or is inside a workspace.
            MissingLibraryError: itables or narwhals is not installed.
        """
        from xpframe.html_report.page import write_report

        return write_report(
            self._run, path, results=results, curves=curves, title=title, strict=strict, quiet=quiet
        )
