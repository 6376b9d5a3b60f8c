"""Answers as pictures of text and HTML: the cells of a grid as a mosaic, two jobs side by side."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from xpframe._core import Config, identifier
from xpframe.analysis.coverage import Coverage, cover
from xpframe.analysis.diff import Difference, compare_sides
from xpframe.analysis.job_frame import JobFrame
from xpframe.displayed import Displayed

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xpframe.display.coverage import Cell

__all__ = ["Mosaic", "SideBySide", "mosaic", "side_by_side"]


def mosaic(frame: Any, by: str | Sequence[str] | None = None) -> Mosaic:
    """The cells of :func:`~xpframe.analysis.coverage` as a mosaic: in a notebook in colours, else as text.

    >>> from xpframe import sample_workspace, xp_frame
    >>> from xpframe.analysis import mosaic
    >>> df = xp_frame("grid-search", workspace=sample_workspace())
    >>> print(mosaic(df[1:]))
    12 cells: 11 with jobs, 1 missing
    <BLANKLINE>
    lab.tasks.train  (across: tags.learning_rate)
      tags.hidden_size  0.1  0.01  0.001
      128               ✓    ✓     ✓
      256               ✓    ✓     ✓
      512               ✗    ✓     ✓
      64                □    ✓     ✓
    <BLANKLINE>
    missing
      lab.tasks.train  tags.hidden_size=64, tags.learning_rate=0.1

    Args:
        frame: As for :func:`~xpframe.analysis.coverage`.

        by: As for :func:`~xpframe.analysis.coverage`.
    """
    return Mosaic(cover(frame, by))


class Mosaic(Displayed):
    """The cells of a grid, which show themselves.

    Args:
        coverage: The cells.
    """

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    @property
    def frame(self) -> Any:
        """The cells as a frame."""
        return self._coverage.frame

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _one_line(self) -> str:
        from xpframe.display.coverage import heading

        return f"<Mosaic: {heading(cells_of(self._coverage))}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.coverage import coverage_html, coverage_text

        show = coverage_html if as_html else coverage_text
        return show(cells_of(self._coverage), self._coverage.factors, self._coverage.notes)


def cells_of(coverage: Coverage) -> list[Cell]:
    """The cells of a coverage, as their display takes them."""
    from xpframe.display.coverage import Cell
    from xpframe.summary import shown_state

    frame = JobFrame(coverage.frame)
    values = {name: frame.values(name) for name in frame.names}
    states = [(shown_state(name.removeprefix("n_")), values[name]) for name in coverage.states]
    cells = []
    for row in range(len(frame)):
        counts: dict[str, int] = {}
        for state, column in states:
            if column[row]:
                counts[state] = counts.get(state, 0) + column[row]
        factors = {name: values[name][row] for name in coverage.factors}
        cells.append(Cell(str(values["task"][row] or "jobs"), factors, values["n"][row], counts))
    return cells


def side_by_side(a: Any, b: Any, *, workspace: str | os.PathLike[str] | None = None) -> SideBySide:
    """The differences of :func:`~xpframe.analysis.diff` in two columns, in a notebook or as text.

    >>> from xpframe import Workspace, sample_workspace
    >>> from xpframe.analysis import side_by_side
    >>> first, *_, last = Workspace(sample_workspace()).load_xp_info("grid-search").jobs.values()
    >>> side_by_side(first, last)
    <SideBySide: 2 differences>

    Args:
        a: As for :func:`~xpframe.analysis.diff`.

        b: As for :func:`~xpframe.analysis.diff`.

        workspace: As for :func:`~xpframe.analysis.diff`.
    """
    return SideBySide(compare_sides(a, b, workspace), (name_of(a, "a"), name_of(b, "b")))


def name_of(side: Any, otherwise: str) -> str:
    if isinstance(side, Config):
        return identifier(side)[:8]
    return side if isinstance(side, str) else otherwise


class SideBySide(Displayed):
    """Where two jobs differ, which shows itself.

    Args:
        differences: The differences.

        names: What the two are called.
    """

    def __init__(self, differences: list[Difference], names: tuple[str, str]) -> None:
        self._rows: list[Any] = [astuple(difference) for difference in differences]
        self._names = names

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _one_line(self) -> str:
        from xpframe.display.diff import heading

        return f"<SideBySide: {heading(self._rows)}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.diff import diff_html, diff_text

        return (diff_html if as_html else diff_text)(self._rows, self._names)
