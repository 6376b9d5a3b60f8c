"""Arguments that name something: text without unpaired surrogates, one or several."""

from __future__ import annotations

from xpframe.errors import InvalidArgumentError

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["checked_text", "checked_texts"]


def checked_text(argument: str, value: object, hint: str = "give a str") -> str:
    """The text of an argument.

    Args:
        argument: The name of the argument, for the error.

        value: What the caller gave.

        hint: What to give instead.

    Raises:
        InvalidArgumentError: It is no text, or has an unpaired surrogate, which no name in a file has.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument}={_shown(value)}", hint=hint)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has an unpaired surrogate", hint="no name is written like this"
        )
    return value


def checked_texts(argument: str, value: Any, hint: str = "give a str, or a list of str") -> list[str]:
    """The texts of an argument that is one text or several.

    Raises:
        InvalidArgumentError: As :func:`checked_text`.
    """
    if isinstance(value, str):
        return [checked_text(argument, value)]
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise InvalidArgumentError(f"{argument}={_shown(value)}", hint=hint)
    try:
        values = list(value)
    except TypeError as error:
        raise InvalidArgumentError(f"{argument}={_shown(value)}", hint=hint) from error
    return [checked_text(argument, each, hint) for each in values]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
