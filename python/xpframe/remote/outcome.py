"""What a pull copied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpframe.text import number, visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Counts", "Pulled"]


@dataclass(frozen=True)
class Counts:
    """What ``rsync --stats`` says.

    Args:
        files: The regular files that were sent.
        bytes: Their size.
        all_files: The regular files that xpframe reads.
        deleted: The files that were removed from the copy, since they are gone on the host.
        received: The bytes that came over the network.
    """

    files: int = 0
    bytes: int = 0
    all_files: int = 0
    deleted: int = 0
    received: int = 0

    def __add__(self, other: Counts) -> Counts:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Counts(*(ours + theirs for ours, theirs in pairs))


@dataclass(frozen=True)
class Pulled:
    """The outcome of :func:`xpframe.pull`; ``str()`` says it in a line.

    Args:
        source: ``HOST:PATH`` of the workspace.
        directory: The copy.
        counts: Files and bytes.
        problems: What could not be copied, in the words of rsync.
        dry_run: Whether nothing was copied.
        seconds: The duration.
    """

    source: str
    directory: Path
    counts: Counts
    problems: list[str] = field(default_factory=list)
    dry_run: bool = False
    seconds: float = 0.0

    @property
    def files(self) -> int:
        """The number of files that were sent, or would be."""
        return self.counts.files

    @property
    def bytes(self) -> int:
        """Their size in bytes."""
        return self.counts.bytes

    def __str__(self) -> str:
        counts = self.counts
        verb = "would pull" if self.dry_run else "pulled"
        words = f"{verb} {_files(counts.files)}, {_size(counts.bytes)}"
        words += f" (it reads {_files(counts.all_files)}) of {visible(self.source)}"
        if not self.dry_run:
            words += f" into {visible(str(self.directory))} in {self.seconds:.1f} s"
        if counts.deleted:
            words += f"; {_files(counts.deleted)} gone there {'would be' if self.dry_run else 'were'} removed"
        return words


def _files(count: int) -> str:
    return f"{number(count)} {'file' if count == 1 else 'files'}"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
