"""A real sshd on the loopback interface, with keys and a configuration of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def require_programs() -> None:
    """Skips where sshd, ssh or rsync is missing; fails where XPFRAME_SSH is "required"."""
    missing = [
        name
        for name, found in (("sshd", SSHD), *((n, shutil.which(n)) for n in ("ssh", "rsync")))
        if not found
    ]
    if missing and os.environ.get("XPFRAME_SSH") == "required":
        pytest.fail(f"{', '.join(missing)} missing: apt-get install openssh-server openssh-client rsync")
    if missing:
        pytest.skip(f"NOT TESTED: xpframe pull. {', '.join(missing)} missing")


@dataclass
class Server:
    """A running sshd.

    Args:
        home: Its directory.
        port: Where it listens.
        process: The process.
    """

    home: Path
    port: int
    process: subprocess.Popen[bytes]

    def ssh(self, key: str = "key") -> str:
        """The command that reaches it with one of its keys."""
        words = [
            "ssh",
            "-F",
            "none",
            "-p",
            str(self.port),
            "-i",
            str(self.home / key),
            "-o",
            "IdentitiesOnly=yes",
        ]
        return shlex.join([*words, "-o", f"UserKnownHostsFile={self.home / 'known_hosts'}"])

    def allow(self, key: str, command: str) -> str:
        """A key with which only this command runs; gives the ssh command."""
        make_key(self.home / key)
        public = (self.home / f"{key}.pub").read_text()
        with (self.home / "authorized_keys").open("a") as file:
            file.write(f'command="{command}" {public}')
        return self.ssh(key)

    def as_nobody(self) -> str:
        """The ssh command whose session may read what everybody may, also where the tests run as root."""
        if os.getuid():
            return self.ssh()
        if not (self.home / "nobody").exists():
            drop = "setpriv --reuid 65534 --regid 65534 --clear-groups"
            return self.allow("nobody", f'{drop} sh -c \\"$SSH_ORIGINAL_COMMAND\\"')
        return self.ssh("nobody")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def start(home: Path) -> Server:
    """Starts an sshd in this directory, and waits until it answers."""
    require_programs()
    assert SSHD
    for name in ("key", "host_key"):
        make_key(home / name)
    shutil.copy(home / "key.pub", home / "authorized_keys")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host_key = " ".join((home / "host_key.pub").read_text().split()[:2])
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd parts with its rights
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {home / 'host_key'}",
        f"AuthorizedKeysFile {home / 'authorized_keys'}",
        *("PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no", "StrictModes no"),
        *("PidFile none", "MaxStartups 100"),
    ]
    (home / "config").write_text("\n".join(lines) + "\n")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "config")], stderr=log)
    server = Server(home, port, process)
    command = [*shlex.split(server.ssh()), "127.0.0.1", "true"]
    for _ in range(100):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return server
        time.sleep(0.1)
    process.terminate()
    pytest.fail(f"sshd does not answer: {(home / 'log').read_text()}")
