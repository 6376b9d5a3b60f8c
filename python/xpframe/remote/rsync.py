"""Runs rsync over ssh: one connection for all transfers, errors in the words of ssh and rsync."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from xpframe.errors import MissingLibraryError
from xpframe.remote.outcome import Counts
from xpframe.remote.problems import failure_of, is_of_the_copy, is_of_the_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xpframe.remote.address import Address

__all__ = ["Connection", "connect"]

CONNECT_SECONDS = 20
# the path of a socket is short; ssh adds 41 characters, and some more while it makes it
MAX_SOCKET_DIRECTORY = 45
# exit codes of rsync: some files could not be sent, or vanished meanwhile
PARTIAL = (23, 24)


@dataclass
class Connection:
    """An address, how ssh reaches it, and what could not be copied from it.

    Args:
        address: The workspace on the host.
        ssh: The command that reaches the host.
        scratch: A directory for the files that rsync is given.
    """

    address: Address
    ssh: list[str]
    scratch: Path
    problems: list[str] = field(default_factory=list)

    def names_in(self, directory: str = "") -> list[str]:
        """The names in a directory of the workspace.

        Raises:
            WorkspaceNotFoundError: There is no such directory.
            PullError: The host could not be asked.
        """
        done = self._run(["--list-only", self.address.root + directory])
        return [line[46:] for line in done.stdout.splitlines() if len(line) > 46]

    def send(
        self,
        target: Path,
        rules: Sequence[str],
        *,
        listed: Sequence[str] | None = None,
        follow: bool = False,
        dry_run: bool = False,
        base: Path | None = None,
    ) -> Counts:
        """Brings files here.

        Args:
            target: The copy.
            rules: Filter rules of rsync.
            listed: Directories and files below the root; all if there is none.
            follow: Links that lead out of the workspace become what they lead to.
            dry_run: Only count.
            base: Take files that are the same here, instead of sending them again.

        Raises:
            PullError: The transfer broke off. What is there is whole.
        """
        merged = self.scratch / "rules"
        merged.write_text("".join(f"{rule}\n" for rule in rules), encoding="utf-8", errors="surrogateescape")
        # a transfer is written there and renamed at its end, so that no file of the copy is ever half
        parts = target / ".xpframe-pull" / "partial"
        options = ["-rltH", "--delete", "--stats", "--no-human-readable", f"--filter=merge {merged}"]
        if not dry_run:
            parts.mkdir(parents=True, exist_ok=True)
            options.append(f"--temp-dir={parts.absolute()}")
        options += ["--dry-run"] * dry_run + ["--copy-unsafe-links"] * follow
        options += [f"--copy-dest={base.absolute()}"] if base else []
        if listed is not None:
            names = self.scratch / "names"
            text = "".join(f"{name}\0" for name in listed)
            names.write_text(text, encoding="utf-8", errors="surrogateescape")
            options += ["--from0", f"--files-from={names}", "--ignore-missing-args"]
        done = self._run([*options, self.address.root, f"{target.absolute()}/"], target)
        return _counts(done.stdout)

    def ask(self, command: str) -> str | None:
        """What a command on the host prints; None if it failed."""
        done = self._start([*self.ssh, self.address.host, command])
        return done.stdout if done.returncode == 0 else None

    def _run(self, arguments: list[str], target: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs rsync. With a target, files that could not be sent are noted."""
        rsh = " ".join(_for_rsync(word) for word in self.ssh)
        done = self._start(["rsync", "--secluded-args", f"--rsh={rsh}", *arguments])
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        is_whole_failure = is_of_the_workspace(lines) or is_of_the_copy(lines)
        if target is not None and done.returncode in PARTIAL and not is_whole_failure:
            self.problems += [line for line in lines if not line.startswith("rsync error:")]
        elif done.returncode:
            raise failure_of(self.address, self.ssh, target, done.returncode, lines)
        return done

    def _start(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # a file, not a pipe: the connection that ssh keeps open would hold the pipe open too
        with tempfile.TemporaryFile(dir=self.scratch) as errors:
            done = subprocess.run(  # noqa: S603 - rsync and ssh, with arguments that were checked
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
            errors.seek(0)
            texts = [stream.decode(errors="replace") for stream in (done.stdout, errors.read())]
        return subprocess.CompletedProcess(command, done.returncode, *texts)


@contextmanager
def connect(address: Address, ssh: str | None) -> Iterator[Connection]:
    """Reaches a host. All transfers share a connection, so that a password is asked once.

    Raises:
        MissingLibraryError: rsync or ssh is not installed here.
    """
    command = shlex.split(ssh or os.environ.get("RSYNC_RSH", "") or "ssh")
    for program in ("rsync", command[0]):
        if shutil.which(program) is None:
            raise MissingLibraryError(
                f"xpframe pull needs {program}, which is not installed on this machine",
                hint="install it, as with: apt-get install rsync openssh-client",
            )
    with tempfile.TemporaryDirectory(prefix="xpf") as scratch:
        # a wrapper may wait for the end of a connection that is kept
        settings = _settings(command, address.host) if Path(command[0]).name == "ssh" else None
        shares = settings is not None and settings.get("controlpath", "none") == "none"
        shares = shares and len(scratch) <= MAX_SOCKET_DIRECTORY
        if settings is not None:
            if settings.get("connecttimeout", "none") == "none":
                command += ["-o", f"ConnectTimeout={CONNECT_SECONDS}"]
            if not (sys.stdin and sys.stdin.isatty()):
                command += ["-o", "BatchMode=yes"]  # nobody is there to type a password
        if shares:
            command += ["-o", "ControlMaster=auto", "-o", f"ControlPath={scratch}/%C"]
            command += ["-o", "ControlPersist=60"]
        connection = Connection(address, command, Path(scratch))
        try:
            yield connection
        finally:
            if shares:
                connection._start([*command, "-O", "exit", address.host])  # noqa: SLF001 - ours


def _settings(command: list[str], host: str) -> dict[str, str] | None:
    """The settings of ssh for a host; None if the command is no OpenSSH."""
    done = subprocess.run(  # noqa: S603 - asks ssh for its settings
        [*command, "-G", host], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode or "hostname " not in done.stdout:
        return None
    return dict(line.partition(" ")[::2] for line in done.stdout.lower().splitlines())


def _for_rsync(word: str) -> str:
    """A word of the command in quotes as rsync reads them: two in a row are one."""
    return word if re.fullmatch(r"[\w@%+=:,./~-]+", word) else "'" + word.replace("'", "''") + "'"


def _counts(text: str) -> Counts:
    def value(pattern: str) -> int:
        found = re.search(pattern, text)
        return int(found[1].replace(",", "")) if found else 0

    return Counts(
        files=value(r"Number of regular files transferred: ([\d,]+)"),
        bytes=value(r"Total transferred file size: ([\d,]+)"),
        all_files=value(r"Number of files: [\d,]+ \(reg: ([\d,]+)"),
        deleted=value(r"Number of deleted files: ([\d,]+)"),
        received=value(r"Total bytes received: ([\d,]+)"),
    )
