"""Words of a command line as arguments: what ``xpframe`` and ``%xpm`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe._core import near_misses
from xpframe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SEVERAL_RESULTS", "column_words", "results_argument", "with_guess"]

SEVERAL_RESULTS = "several handles are --results NAME=HANDLE each"


def column_words(words: list[str] | None) -> list[str] | None:
    r"""The columns of ``-c a,b -c d``; a comma that is part of a name is written ``\,``."""
    if words is None:
        return None
    marked = (word.replace("\\,", "\0").split(",") for word in words)
    return [name.strip().replace("\0", ",") for names in marked for name in names if name.strip()]


def with_guess(message: str) -> str:
    """An error of argparse; of an unknown command with the one that is near."""
    _, found, rest = message.partition("argument COMMAND: invalid choice: '")
    if not found:
        return message
    word, _, choices = rest.partition("' (choose from ")
    names = [name for name in choices.rstrip(")").replace("'", "").split(", ") if name[0] != "_"]
    near = near_misses(word, names)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"no command {word!r} ({hint})"


def results_argument(words: Sequence[str] | None) -> str | dict[str, str] | None:
    """``results=`` as a command line writes it: one ``HANDLE``, or ``NAME=HANDLE`` each.

    Raises:
        InvalidArgumentError: Several handles without names.
    """
    if not words:
        return None
    if len(words) == 1 and "=" not in words[0]:
        return words[0]
    pairs = [word.partition("=") for word in words]
    for name, sign, handle in pairs:
        if not (name and sign and handle):
            raise InvalidArgumentError(f"--results {name}{sign}{handle}", hint=SEVERAL_RESULTS)
    return {name: handle for name, _, handle in pairs}
