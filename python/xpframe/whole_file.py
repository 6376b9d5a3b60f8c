"""Writes a file whole or not at all, never into a workspace, and keeps what was there about it."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xpframe import _core
from xpframe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["refuse_workspaces", "write_whole"]

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def write_whole(target: Path, writer: Callable[[IO[bytes]], object]) -> None:
    """Writes a file beside the target and puts it in place when it is whole.

    A file that is there keeps its mode, and its owner and group as far as the system lets us; a symbolic link
    is written through. Other hard links to the file keep the old content.

    Args:
        target: The file. Its directory must be there.

        writer: Called with the open file.

    Raises:
        InvalidArgumentError: There is no directory; or there is something that is not a regular file, or that
            is inside a workspace.
        OSError: The file cannot be written, with its path; also one that may not be written to.
    """
    refuse_workspaces(target)
    with _named(target):
        real, before = _meant(target)
    beside = real.with_name(f".{secrets.token_hex(8)}{real.suffix}")
    try:
        with _named(target):
            # nobody else may read it before it has the mode of the file that was there
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            # an open file, no path: after Ctrl-C polars goes on for a moment, and would make the file anew
            with open(os.open(beside, flags, 0o666 if before is None else 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
                writer(file)
                file.flush()
                if before is not None:
                    _keep(file.fileno(), before)
            beside.replace(real)
    except BaseException:
        with suppress(OSError):  # what was raised tells more
            try:
                beside.unlink(missing_ok=True)
            except KeyboardInterrupt:  # polars raised it, and Python does once more at the next call
                beside.unlink(missing_ok=True)
        raise


def refuse_workspaces(target: Path) -> None:
    """Raises InvalidArgumentError if a path is inside a workspace, as it is named or by its links."""
    with _named(target):
        # without `..`: a path that leads out of a workspace is not inside of it
        named, meant = Path(os.path.abspath(target)), Path(os.path.realpath(target))  # noqa: PTH100 - pathlib keeps `..`
        for directory in dict.fromkeys((meant, *meant.parents, named, *named.parents)):
            if os.path.isdir(directory) and _core.is_workspace(directory):  # noqa: PTH112 - it raises nothing
                raise InvalidArgumentError(
                    f"{str(target)!r} is inside the workspace {str(directory)!r}",
                    hint="name a file outside of it: nothing is ever written into a workspace",
                )


def _meant(target: Path) -> tuple[Path, os.stat_result | None]:
    """The file that a path means, by way of its links, and what is known of it if it is there."""
    real = Path(os.path.realpath(target))
    for directory in (target.parent, real.parent):
        if not directory.is_dir():
            raise InvalidArgumentError(f"there is no directory {str(directory)!r}", hint="make it first")
    try:
        before = real.stat()
    except FileNotFoundError:
        return real, None
    if stat.S_ISDIR(before.st_mode):
        raise InvalidArgumentError(
            f"{str(target)!r} is a directory", hint="name a file, or end the path with / for a file a run"
        )
    if not stat.S_ISREG(before.st_mode):
        kind = _KINDS.get(stat.S_IFMT(before.st_mode), "something else")
        raise InvalidArgumentError(
            f"{str(target)!r} is {kind}, not a regular file", hint="it is left as it is: name a file"
        )
    if not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return real, before


def _keep(descriptor: int, before: os.stat_result) -> None:
    """Gives a file the owner, group and mode of another, as far as the system lets us.

    A group that it does not let us give leaves the group that is there instead no more than anybody has.
    """
    mode = stat.S_IMODE(before.st_mode)
    for owner, group in ((before.st_uid, -1), (-1, before.st_gid)):
        with suppress(PermissionError):
            os.fchown(descriptor, owner, group)
    if os.fstat(descriptor).st_gid != before.st_gid:
        mode = mode & ~0o070 | (mode & 0o007) << 3
    os.fchmod(descriptor, mode)


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """Says of which file the system refused something: polars leaves that out, and has it in words."""
    try:
        yield
    except InvalidArgumentError:
        raise
    except ValueError as error:  # a NUL byte
        raise InvalidArgumentError(f"{str(target)!r} cannot be the path of a file: {error}") from error
    except OSError as error:
        number, words = error.errno, error.strerror
        if number is None and (told := re.search(r"\(os error (\d+)\)", str(error))):
            number = int(told[1])
            words = os.strerror(number)
        raise OSError(number or errno.EIO, words or str(error), str(target)) from error
