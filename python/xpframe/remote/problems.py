"""What rsync and ssh say becomes errors that name the file, what is missing, and what to do."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xpframe.errors import PullError, WorkspaceNotFoundError, XpFrameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xpframe.remote.address import Address

__all__ = ["failure_of", "is_of_the_copy", "is_of_the_workspace", "problem_of", "writing_into"]

# what could not be sent of the host, by the words of rsync
LOST = (
    (r'send_files failed to open "(?P<path>.*)": (?P<why>.*) \(\d+\)$', "cannot be read there"),
    (r'opendir "(?P<path>.*)" failed: (?P<why>.*) \(\d+\)$', "cannot be listed there"),
    (
        r'(?:readlink_stat|link_stat)\W+"?(?P<path>.*?)"?\)? failed: (?P<why>.*) \(\d+\)$',
        "cannot be looked at there",
    ),
    (r'read errors mapping "(?P<path>.*)": (?P<why>.*) \(\d+\)$', "cannot be read there"),
    (r'file has vanished: "(?P<path>.*)"(?P<why>)$', "vanished while it was copied"),
)
# rsync on this side, by its newer and older words; a broken pipe only follows from what the other side said
OF_THE_COPY = re.compile(
    r"rsync: (\[(receiver|generator)\] |recv_generator: |mkstemp |write failed on )(?!.*Broken pipe)",
    re.IGNORECASE,
)
HINTS = {
    "No space left on device": "free some space here and run it again: it goes on",
    "Disk quota exceeded": "free some space here and run it again: it goes on",
    "Permission denied": "give a directory that you may write to",
    "Read-only file system": "give a directory that you may write to",
}


def problem_of(address: Address, line: str) -> PullError:
    """The error for a line about something that was not copied."""
    for pattern, what in LOST:
        if found := re.search(pattern, line):
            why = f": {found['why']}" if found["why"] else ""
            hint = "the copy lacks it, or has an older state; the rest was copied"
            return PullError(f"{what}{why}", file=f"{address.host}:{unescaped(found['path'])}", hint=hint)
    return PullError(line.removeprefix("rsync: "), file=str(address), hint="the rest was copied")


def unescaped(name: str) -> str:
    r"""A name as rsync writes it, with bytes that are not ASCII as ``\#303``."""
    parts = re.split(r"\\#(\d{3})", name)
    octets = [
        os.fsencode(part) if n % 2 == 0 else bytes([int(part, 8) & 255]) for n, part in enumerate(parts)
    ]
    return os.fsdecode(b"".join(octets))


def is_of_the_workspace(lines: Sequence[str]) -> bool:
    """Whether the workspace itself could not be entered or listed."""
    return any(re.search(r'\[sender\] (change_dir "|opendir ".*/\.")', line) for line in lines)


def is_of_the_copy(lines: Sequence[str]) -> bool:
    """Whether something could not be written here."""
    return any(OF_THE_COPY.match(line) for line in lines)


@contextmanager
def writing_into(target: Path) -> Iterator[None]:
    """Says of which copy it is when something cannot be written."""
    try:
        yield
    except XpFrameError:
        raise
    except OSError as error:
        raise _unwritable(target, error.strerror or str(error)) from error


def failure_of(
    address: Address, ssh: Sequence[str], target: Path | None, code: int, lines: Sequence[str]
) -> XpFrameError:
    """The error for a transfer that broke off, from what rsync and ssh said."""
    own = [line.strip() for line in lines if not line.startswith("rsync error:")]
    said = own[0] if own else f"rsync ended with {code}"
    text = " ".join(lines)
    if is_of_the_workspace(lines):
        return _not_entered(address, text)
    if code == 127 or re.search(r"rsync: (command )?not found|rsync: No such file", text):
        hint = "install it on the host, or load its module"
        return PullError("rsync is not installed there", file=address.host, hint=hint)
    # rsync may notice first that ssh ended, and end with its own code
    is_unanswered = "connection unexpectedly closed (0 bytes received" in text
    if code == 255 or is_unanswered or any(line.startswith("ssh: ") for line in own):
        of_ssh = [line.removeprefix("ssh: ") for line in own if not line.startswith("rsync")]
        hint = f"this must work first: {ssh[0]} {address.host} true"
        why = f"ssh: {of_ssh[-1]}" if of_ssh else "ssh ended without a word"
        return PullError(why, file=address.host, hint=hint)
    if "is your shell clean" in text or "protocol version mismatch" in text:
        hint = "what the shell there prints at login disturbs rsync: print only in interactive shells"
        return PullError("rsync on the host was not understood", file=address.host, hint=hint)
    if here := [line for line in own if OF_THE_COPY.match(line)]:
        reason = re.search(r": ([^:]*) \(\d+\)$", here[0])
        return _unwritable(target or Path(), reason[1] if reason else here[0])
    return PullError(said, file=str(address), hint="run it again: it goes on where it stopped")


def _not_entered(address: Address, text: str) -> XpFrameError:
    if "No such file" in text or "Not a directory" in text:
        hint = "a relative path begins in your home directory there"
        return WorkspaceNotFoundError("there is no such directory", file=str(address), hint=hint)
    why = re.search(r"failed: (.*?) \(\d+\)", text)
    hint = "your user there must be allowed to list it and all directories above it"
    reason = f"cannot be listed there: {why[1] if why else text}"
    return PullError(reason, file=str(address), hint=hint)


def _unwritable(target: Path, why: str) -> PullError:
    hint = HINTS.get(why, "give another directory for the copy")
    return PullError(f"the copy cannot be written: {why}", file=str(target), hint=hint)
