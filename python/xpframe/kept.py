"""Runs that were read before: what did not change is not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpframe import _core

__all__ = ["Kept"]


class Kept:
    """The runs that were asked for last, held as long as their files are not larger than ``most_bytes``."""

    def __init__(self, most_bytes: int = 256 << 20) -> None:
        self._most_bytes = most_bytes
        self._runs: dict[str, _core.Run] = {}

    def renewed(self, runs: list[_core.Run]) -> list[_core.Run]:
        """The same runs, those that were read before only where they changed; these are held from now on."""
        found = []
        for run in runs:
            known = self._runs.get(str(run.path))
            found.append(run if known is None else known.renewed())
        room = self._most_bytes
        self._runs = {}
        for run in found:
            room -= run.size
            if room >= 0:
                self._runs[str(run.path)] = run
        return found
