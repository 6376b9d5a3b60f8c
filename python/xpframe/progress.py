"""How far a read is, shown where somebody sees it: in notebooks a display, in terminals a line on stderr.

Nothing is shown before half a second, nor where nobody looks: in scripts whose stderr is no terminal.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, NamedTuple, Protocol, TypeAlias

from xpframe import _core
from xpframe.text import visible

__all__ = ["Position", "Progress", "reading", "watch"]

Counter: TypeAlias = Callable[[], tuple[int, int, str]]

PATIENCE = 0.5  # seconds of work before anything is shown
PERIOD = 0.1  # seconds between two looks at the counter

# a read inside a read is told by the outer one
_watching = threading.Lock()


class Position(NamedTuple):
    """How far something is.

    Args:
        title: What is being read.

        done: How much was done.

        total: How much there is, as far as is known.

        unit: Of what; ``bytes`` are shown as kB, MB, GB.

        seconds: How long it has taken.

        stopped: Whether it is over before all was done.
    """

    title: str
    done: int
    total: int
    unit: str
    seconds: float
    stopped: bool = False

    @property
    def part(self) -> float:
        """What was done of the total, from 0 to 1; 0 if nothing is known of it."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    def __str__(self) -> str:
        """``grid-search: 84 MB of 312 MB (27%)``."""
        begin = self._begin()
        if self.total <= 0:
            return f"{begin}{self._done()} read" if self.done else f"{begin}looking"
        if self.done >= self.total:
            return f"{begin}{amount(self.total, self.unit)}, building"
        return f"{begin}{self._done()} of {amount(self.total, self.unit)} ({self.part:.0%})"

    def summary(self) -> str:
        """``grid-search: 312 MB in 2.1 s``."""
        what = amount(self.done, self.unit)
        if self.stopped:
            of = f" of {amount(self.total, self.unit)}" if self.total else ""
            what = f"stopped at {self._done()}{of}"
        return f"{self._begin()}{what} in {self.seconds:.1f} s"

    def _done(self) -> str:
        return amount(self.done, self.unit) if self.unit == "bytes" else f"{self.done:,}"

    def _begin(self) -> str:
        # names of experiments are names of directories: they may hold anything
        return f"{visible(self.title, 60)}: " if self.title else ""


class Progress(Protocol):
    """A place where progress is shown. Called from a thread of its own."""

    def update(self, position: Position) -> None:
        """Shows how far it is."""

    def close(self, position: Position) -> None:
        """Shows that it is over."""


class NotebookProgress:
    """Progress as a display of the cell that runs; what remains of it is one line."""

    def __init__(self) -> None:
        self._handle: Any = None

    def update(self, position: Position) -> None:
        """Shows a bar and, beside it, how far it is."""
        from html import escape

        bar = f'<progress value="{position.part:.3f}" max="1" style="vertical-align:middle"></progress>'
        self._show(str(position), f"{bar if position.total else ''} {escape(str(position))}")

    def close(self, position: Position) -> None:
        """Leaves a line that says what was read, and in which time."""
        from html import escape

        if self._handle is not None:
            self._show(position.summary(), escape(position.summary()))

    def _show(self, text: str, markup: str) -> None:
        content = {
            "text/plain": text,
            "text/html": f'<div style="font-size:12px;opacity:.75">{markup}</div>',
        }
        if self._handle is None:
            from IPython.display import display

            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


class TerminalProgress:
    """Progress as a line on stderr, which is gone when it is over."""

    def update(self, position: Position) -> None:
        """Writes the line anew."""
        import shutil

        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{str(position)[:width]}\x1b[K")
        sys.stderr.flush()

    def close(self, position: Position) -> None:
        """Removes the line."""
        del position
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


@contextmanager
def watch(
    counter: Counter, title: str = "", *, quiet: bool = False, place: Progress | None = None
) -> Iterator[None]:
    """Shows how far the work inside is, once it has taken half a second.

    Args:
        counter: What tells how far it is: (done, total, unit), each time that it is called. It is called from
            a thread of its own, ten times a second.

        title: What is being done.

        quiet: Whether nothing shall be shown.

        place: Where it is shown; where nobody would see it, it is not, unless this says where.
    """
    shown = None if quiet else place or somewhere()
    if shown is None or not _watching.acquire(blocking=False):
        yield
        return
    from contextvars import copy_context

    over = _Over()
    # in the context of the caller: that is how a kernel knows whose output it is
    follower = threading.Thread(
        target=copy_context().run, args=(_follow, counter, title, shown, over), name="xpframe", daemon=True
    )
    try:
        follower.start()
    except RuntimeError:  # no thread can start: the work goes on, nobody watches it
        _watching.release()
        yield
        return
    try:
        yield
    except BaseException:
        over.stopped = True
        raise
    finally:
        over.set()
        try:
            follower.join()
        finally:
            _watching.release()


class _Over(threading.Event):
    """Set when the work is over; says whether it was stopped."""

    stopped = False


def reading(
    title: str = "", *, quiet: bool = False, size: Callable[[], int] | None = lambda: 0
) -> AbstractContextManager[None]:
    """Shows how far the engine's reading of files is; as :func:`watch`.

    ``size`` tells how many bytes there are to read in all, if it can: it is called at most once, and only
    when progress is shown. None says that nobody knows, not even the engine.
    """
    begun = _core.progress()
    sizes: list[int] = []

    def counter() -> tuple[int, int, str]:
        done, total = (now - then for now, then in zip(_core.progress(), begun, strict=True))
        if size is None:
            return done, 0, "bytes"
        if done and not sizes:
            sizes.append(size())
        return done, max(total, *sizes, 0), "bytes"

    return watch(counter, title, quiet=quiet)


def somewhere() -> Progress | None:
    """Where progress would be seen; None if nowhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return NotebookProgress()
    if sys.stderr is not None and sys.stderr.isatty():
        return TerminalProgress()
    return None


def amount(count: int, unit: str) -> str:
    """``12,345 jobs``; of bytes ``850 kB``, ``84 MB``, ``1.2 GB``."""
    if unit != "bytes":
        return f"{count:,} {unit}"
    if count < 1_000_000:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.0f} MB" if count < 1_000_000_000 else f"{count / 1e9:.1f} GB"


def _follow(counter: Counter, title: str, place: Progress, over: _Over) -> None:
    # what comes before the first file, as importing pandas, is not reading
    while not any(counter()[:2]):
        if over.wait(PERIOD):
            return
    begun = time.monotonic()
    if over.wait(PATIENCE):
        return

    def position() -> Position:
        return Position(title, *counter(), time.monotonic() - begun, over.stopped)

    # a display that fails is no reason for a read to fail
    with suppress(Exception):
        while not over.wait(PERIOD):
            place.update(position())
        place.close(position())
