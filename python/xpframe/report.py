"""What could not be read becomes an exception or one warning."""

from __future__ import annotations

import sys

from xpframe.errors import XpFrameError, XpFrameWarning

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

__all__ = ["report"]


def report(
    errors: list[XpFrameError],
    notes: list[str],
    *,
    strict: bool,
    listed_in: str = "the .errors of this warning",
) -> None:
    """Raises the first error if ``strict``; otherwise issues one warning about all errors and notes.

    Args:
        errors: What could not be read.
        notes: Values that are displayed differently from the files.
        strict: Raise the first error.
        listed_in: What has all errors; named in the warning if there are several.
    """
    if strict and errors:
        raise errors[0]
    if not errors and not notes:
        return
    sentences = list(notes)
    if errors:
        rest = f" (and {len(errors) - 1} more, see {listed_in})" if len(errors) > 1 else ""
        sentences.insert(0, f"could not be read: {errors[0]}{rest}")
    import warnings

    warnings.warn(XpFrameWarning("; ".join(sentences), errors), stacklevel=_caller_level())


def _caller_level() -> int:
    """The number of frames up to the code that called this package: the line that a warning should name."""
    from pathlib import Path

    package = str(Path(__file__).parent)
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect would cost 5 ms to import
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return level
