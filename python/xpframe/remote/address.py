"""The address of a workspace on another machine, as in ``cluster:/data/workspace``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xpframe.errors import InvalidArgumentError
from xpframe.locate import remote_address

__all__ = ["Address"]

HINT = "give HOST:PATH, as in cluster:/data/workspace or me@cluster:workspace"


@dataclass(frozen=True)
class Address:
    """A host and a directory on it.

    Args:
        host: As ssh takes it: a name of ``~/.ssh/config``, a host, or ``user@host``.
        path: The directory, absolute or below the home directory on the host.
    """

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.path}"

    @classmethod
    def parse(cls, text: object) -> Address:
        """Reads ``HOST:PATH``.

        Raises:
            InvalidArgumentError: The text is no such address.
        """
        found = remote_address(text) if isinstance(text, str) else None
        if found is None or not isinstance(text, str):
            raise InvalidArgumentError(f"{text!r} names no workspace on another machine", hint=HINT)
        host, path = found
        # a host that begins with a dash would be an option of ssh
        if not re.fullmatch(r"(?!-)[^\s'\"\\$`;&|<>()]+", host) or "://" in text:
            raise InvalidArgumentError(f"{text!r}: {host!r} is not the name of a host", hint=HINT)
        if path.startswith(":") or not path or re.search(r"[\0\n\r]", path):
            raise InvalidArgumentError(f"{text!r}: {path!r} is not a directory on the host", hint=HINT)
        if path == "~" or path.startswith("~/"):
            path = path[2:] or "."  # rsync begins in the home directory
        return cls(host, path)

    @property
    def root(self) -> str:
        """The directory as an argument of rsync, which then sends what is in it."""
        host = f"[{self.host}]" if self.host.count(":") > 1 and "[" not in self.host else self.host
        return f"{host}:{self.path.rstrip('/')}/"
