"""Answers as pictures of text and HTML: the cells of a grid as a mosaic, two jobs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe._core import Config, identifier
from xpframe.analysis.coverage import Coverage, cover
from xpframe.analysis.diff import Difference, compare_sides

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

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


class Mosaic:
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
        from xpframe.display.coverage import coverage_text

        return coverage_text(self._coverage)

    def __repr__(self) -> str:
        return f"<Mosaic: {str(self).partition(chr(10))[0]}>"

    def _repr_html_(self) -> str:
        from xpframe.display.coverage import coverage_html

        return coverage_html(self._coverage)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle or printer.indentation else str(self))


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


class SideBySide:
    """Where two jobs differ, which shows itself.

    Args:
        differences: The differences.

        names: What the two are called.
    """

    def __init__(self, differences: list[Difference], names: tuple[str, str]) -> None:
        self._found, self._names = differences, names

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        from xpframe.display.diff import diff_text

        return diff_text(self._found, self._names)

    def __repr__(self) -> str:
        from xpframe.display.diff import heading

        return f"<SideBySide: {heading(self._found)}>"

    def _repr_html_(self) -> str:
        from xpframe.display.diff import diff_html

        return diff_html(self._found, self._names)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle or printer.indentation else str(self))
