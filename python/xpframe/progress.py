"""Shows progress of reads: a display in notebooks, a line on stderr in terminals.

Nothing is shown in the first half second, nor if stderr is not a terminal, as in scripts.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from xpframe import _core
from xpframe.text import visible

__all__ = ["Position", "Progress", "Watch", "reading", "watch"]

Counter: TypeAlias = Callable[[], tuple[int, int, str]]
T = TypeVar("T")

PATIENCE = 0.5  # seconds before progress is shown
PERIOD = 0.1  # seconds between two updates
LEFT = 5.0  # seconds after which work that nobody goes on with is taken for left

# held while progress is shown: a nested read shows none
_watching = threading.Lock()


class Position(NamedTuple):
    """The progress of a read.

    Args:
        title: The subject of the read.
        done: The number of units that are done.
        total: The total number of units; 0 if unknown.
        unit: The unit; ``bytes`` are shown as kB, MB, GB.
        seconds: The duration so far.
        stopped: Whether the read ended early.
    """

    title: str
    done: int
    total: int
    unit: str
    seconds: float
    stopped: bool = False

    @property
    def part(self) -> float:
        """The fraction that is done, from 0 to 1; 0 if the total is unknown."""
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
        text = amount(self.done, self.unit)
        if self.stopped:
            of = f" of {amount(self.total, self.unit)}" if self.total else ""
            text = f"stopped at {self._done()}{of}"
        return f"{self._begin()}{text} in {self.seconds:.1f} s"

    def _done(self) -> str:
        return amount(self.done, self.unit) if self.unit == "bytes" else f"{self.done:,}"

    def _begin(self) -> str:
        # names of experiments are names of directories: they may contain any character
        return f"{visible(self.title, 60)}: " if self.title else ""


class Progress(Protocol):
    """An output for progress. It is called on a thread of its own."""

    def update(self, position: Position) -> None:
        """Shows the progress."""

    def close(self, position: Position) -> None:
        """Shows that the read is over."""


class NotebookProgress:
    """Progress as a display of the running cell; one line remains at the end."""

    def __init__(self) -> None:
        self._handle: Any = None

    def update(self, position: Position) -> None:
        """Shows a bar and a text."""
        from html import escape

        bar = f'<progress value="{position.part:.3f}" max="1" style="vertical-align:middle"></progress>'
        self._show(str(position), f"{bar if position.total else ''} {escape(str(position))}")

    def close(self, position: Position) -> None:
        """Shows how much was read, and the duration."""
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
    """Progress as a line on stderr, removed at the end."""

    def update(self, position: Position) -> None:
        """Rewrites the line."""
        import shutil

        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{str(position)[:width]}\x1b[K")
        sys.stderr.flush()

    def close(self, position: Position) -> None:
        """Removes the line."""
        del position
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


class Watch:
    """Shows the progress of the work inside the block, after half a second.

    The work is done in steps; between them somebody else works. Work that nobody goes on with for five
    seconds is taken for left, and its display is closed: polars keeps a query that was dropped.

    Args:
        counter: Returns (done, total, unit). It is called ten times a second on a thread of its own.
        title: The subject of the work.
        quiet: Shows nothing.
        output: Where to show progress; by default where the user would see it.
    """

    def __init__(
        self, counter: Counter, title: str = "", *, quiet: bool = False, output: Progress | None = None
    ) -> None:
        self._counter, self._title = counter, title
        self._output = None if quiet else output or detect_output()
        self._over = threading.Event()
        self._stopped = False
        self._started: float | None = None
        # guards the two below
        self._turn = threading.Lock()
        self._follower: threading.Thread | None = None
        self._paused: float | None = None  # when the last step ended, between two steps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopped = kind is not None
        self._over.set()
        if self._follower is not None:
            self._follower.join()

    def steps(self, items: Iterator[T]) -> Iterator[T]:
        """The items; each is made in a step."""
        while True:
            self.begin()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self._paused = time.monotonic()
            yield item

    def begin(self) -> None:
        """A step begins; it lasts until the block ends, unless it is one of :meth:`steps`."""
        if self._output is None:
            return
        with self._turn:
            self._paused, self._stopped = None, False
            if self._follower is None and _watching.acquire(blocking=False):
                self._follower = self._start(self._output)

    def _start(self, output: Progress) -> threading.Thread | None:
        from contextvars import copy_context

        # in the context of the caller: the kernel finds the cell of the output by it
        run = copy_context().run
        follower = threading.Thread(target=run, args=(self._follow, output), name="xpframe", daemon=True)
        try:
            follower.start()
        except RuntimeError:  # no thread can start: the work goes on, nobody watches it
            _watching.release()
            return None
        return follower

    def _follow(self, output: Progress) -> None:
        try:
            # a failing display must not end the read
            with suppress(Exception):
                if self._is_worth_showing():
                    while not self._ends_within(PERIOD):
                        output.update(self._position())
                    output.close(self._position())
        finally:
            _watching.release()

    def _is_worth_showing(self) -> bool:
        if self._started is not None:
            return True
        # the time before the first file, as to import pandas, does not count
        while not any(self._counter()[:2]):
            if self._ends_within(PERIOD):
                return False
        self._started = time.monotonic()
        return not self._ends_within(PATIENCE)

    def _ends_within(self, seconds: float) -> bool:
        """Whether the work is over within that time, or was left: then this thread lets go of it."""
        if self._over.wait(seconds):
            return True
        with self._turn:
            if self._paused is None or time.monotonic() - self._paused < LEFT:
                return False
            self._follower, self._stopped = None, True
            return True

    def _position(self) -> Position:
        seconds = time.monotonic() - (self._started or time.monotonic())
        return Position(self._title, *self._counter(), seconds, self._stopped)


@contextmanager
def watch(
    counter: Counter, title: str = "", *, quiet: bool = False, output: Progress | None = None
) -> Iterator[None]:
    """Shows the progress of the work inside the block, which is one step; see :class:`Watch`."""
    with Watch(counter, title, quiet=quiet, output=output) as work:
        work.begin()
        yield


def reading(
    title: str = "", *, quiet: bool = False, size: Callable[[], int] | None = lambda: 0
) -> AbstractContextManager[None]:
    """Shows the progress of the engine while it reads files inside the block; see :func:`watch`.

    ``size`` returns the total number of bytes, or 0 if unknown. It is called at most once, and only when
    progress is shown. With None, not even the engine knows the total.
    """
    before, _ = _bytes_read()
    sizes: list[int] = []

    def counter() -> tuple[int, int, str]:
        # what another thread was reading before belongs to both numbers, or more than the total would be done
        done, total = (now - before for now in _bytes_read())
        if size is None:
            return done, 0, "bytes"
        if (done or total) and not sizes:
            sizes.append(size())
        return done, max(total, *sizes, 0), "bytes"

    return watch(counter, title, quiet=quiet)


def _bytes_read() -> tuple[int, int]:
    """The bytes that this process has parsed, and those of the files that it has opened."""
    *_, opened, parsed = _core.progress_counters()
    return parsed, opened


def detect_output() -> Progress | None:
    """Where the user would see progress; None if nowhere."""
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
