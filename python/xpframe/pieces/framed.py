"""What each part gives: its Arrow table as a frame of polars or pandas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    import polars
    import pyarrow

    from xpframe.pieces.layout import Layout

__all__ = ["Framed"]


class Framed(ABC):
    """A part of a table, with columns that were decided over all parts."""

    recipe: Any

    @abstractmethod
    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The part as an Arrow table; with ``columns``, some of the columns."""

    def layout(self, columns: Sequence[str] | None) -> Layout:
        """The layout of some of the columns, or of all."""
        layout: Layout = self.recipe.layout
        return layout if columns is None else layout.select(columns)

    def polars(self, columns: Sequence[str] | None = None) -> polars.DataFrame:
        """The part as a DataFrame of polars."""
        import polars as pl

        frame = pl.from_arrow(self.arrow(columns))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for types: a table is a frame
        return frame

    def pandas(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """The part as a DataFrame of pandas, with the same types in each part, as in :attr:`Parts.meta`."""
        return self.layout(columns).pandas(self.arrow(columns))
