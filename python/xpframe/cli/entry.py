"""Runs one command, and turns errors and warnings into lines on stderr."""

from __future__ import annotations

import io
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING

from xpframe.cli.advice import for_shell
from xpframe.cli.parser import parsed
from xpframe.errors import XpFrameError, XpFrameWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

# errors of reading that are listed one by one
MAX_ERRORS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: By default the arguments of the process.

    Returns:
        0; 1 after an error, with one line on stderr; 130 after Ctrl-C. Wrong arguments exit with 2.
        ``check`` returns 0 without errors and warnings, 1 with some, and 2 if the workspace could not be
        checked.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal that lacks a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    failure = 1
    try:
        options = parsed(sys.argv[1:] if arguments is None else arguments)
        failure = options.failure
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", XpFrameWarning)
            code: int = options.command(options) or 0
        for warning in caught:
            _warn(warning.message)
        if sys.stdout is not None:  # None if it was closed before Python started
            sys.stdout.flush()
    except XpFrameError as error:
        _say(for_shell(str(error)))
        return failure
    except UnicodeEncodeError as error:
        _say(f"{error.object!r} is not UTF-8: no experiment has such a name")
        return failure
    except BrokenPipeError:
        # the reader of the pipe has ended; Python must not flush into it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        location = f"{error.filename}: " if error.filename else ""
        _say(f"{location}{error.strerror or error}")
        return failure
    except KeyboardInterrupt:
        return 130
    return code


def _warn(warning: Warning | str) -> None:
    """What could not be read, a line each: a shell has no ``.errors``."""
    errors = warning.errors if isinstance(warning, XpFrameWarning) else []
    if len(errors) < 2:
        _say(for_shell(str(warning)))
        return
    for error in errors[:MAX_ERRORS]:
        _say(f"could not be read: {for_shell(str(error))}")
    if len(errors) > MAX_ERRORS:
        _say(f"{len(errors) - MAX_ERRORS} more could not be read: xpframe check lists what is wrong")
    if notes := re.search(r"\(and \d+ more, see [^;]*\); (.*)", str(warning), re.DOTALL):
        _say(for_shell(notes[1]))


def _say(text: str) -> None:
    from xpframe.export import safe_text

    print(f"xpframe: {safe_text(text)}", file=sys.stderr)
