"""Caches runs between two cells, so that only changed files are read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpframe import _core

__all__ = ["RunCache"]


class RunCache:
    """Keeps the runs of the last call, up to ``max_bytes`` of files."""

    def __init__(self, max_bytes: int = 256 << 20) -> None:
        self._max_bytes = max_bytes
        self._runs: dict[str, _core.Run] = {}

    def refresh(self, runs: list[_core.Run]) -> list[_core.Run]:
        """The runs as they are now; those in the cache are read again only where their files changed.

        The result replaces the content of the cache.
        """
        fresh = []
        for run in runs:
            cached = self._runs.get(str(run.path))
            fresh.append(run if cached is None else cached.refreshed())
        remaining = self._max_bytes
        self._runs = {}
        for run in fresh:
            remaining -= run.size
            # what could not be read may be readable at the next call
            if remaining >= 0 and run.is_readable:
                self._runs[str(run.path)] = run
        return fresh
