"""Runs in pieces that can be pickled, for engines that read on several machines."""

from __future__ import annotations

from xpframe.pieces.jobs import JobParts, Part, parts
from xpframe.pieces.rows import SeriesPart, SeriesParts, series_parts

__all__ = ["JobParts", "Part", "SeriesPart", "SeriesParts", "parts", "series_parts"]
