"""What `pull` says where it may not read, cannot write or does not reach the host, and what it copies."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sshd
import xpframe
from conftest import Workspaces, listing
from xpframe.cli import main
from xpframe.errors import PullError, WorkspaceNotFoundError, XpFrameError

pytestmark = pytest.mark.slow


@pytest.fixture
def shared(workspaces: Workspaces) -> Iterator[Path]:
    """A copy of a workspace that everybody may read; the directories of tests are for their user alone."""
    with tempfile.TemporaryDirectory(prefix="xpframe-shared-") as home:
        Path(home).chmod(0o755)
        root = Path(shutil.copytree(workspaces.path("v270_full"), Path(home) / "ws é", symlinks=True))
        subprocess.run(["chmod", "-R", "a+rX", root], check=True)
        yield root
        subprocess.run(["chmod", "-R", "u+rwX", root], check=True)


def pulled_with_warning(server: sshd.Server, root: Path, copy: Path, **options: Any) -> tuple[Any, list[str]]:
    """The outcome of a pull by a user who may not read everything, and each error of its warning."""
    with pytest.warns(xpframe.XpFrameWarning, match="could not be read") as caught:
        done = xpframe.pull(f"127.0.0.1:{root}", copy, ssh=server.as_nobody(), **options)
    errors: list[XpFrameError] = [e for warning in caught for e in getattr(warning.message, "errors", [])]
    return done, [str(error) for error in errors]


def test_files_and_directories_that_may_not_be_read(
    server: sshd.Server, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is named with what is missing, all others are copied, and the command exits with 1."""
    file, directory = sorted(shared.glob("jobs/*/*/metrics.json"))[:2]
    file.chmod(0)
    directory.parent.chmod(0)
    done, errors = pulled_with_warning(server, shared, tmp_path / "copy", results="metrics.json")
    hint = "the copy lacks it, or has an older state; the rest was copied"
    assert sorted(errors) == sorted(
        [
            f"127.0.0.1:{file}: cannot be read there: Permission denied ({hint})",
            f"127.0.0.1:{directory.parent}: cannot be listed there: Permission denied ({hint})",
        ]
    )
    assert len(done.problems) == 2
    hidden = {file.relative_to(shared), directory.relative_to(shared)}
    there = {path.relative_to(shared) for path in shared.glob("jobs/*/*/metrics.json")} | hidden
    copied = {path.relative_to(tmp_path / "copy") for path in tmp_path.glob("copy/jobs/*/*/metrics.json")}
    assert copied == there - hidden
    frame = xpframe.xp_frame("grid-search", workspace=tmp_path / "copy", backend="polars", quiet=True)
    assert len(frame) > 0
    words = ["pull", f"127.0.0.1:{shared}", str(tmp_path / "copy"), "--ssh", server.as_nobody()]
    assert main([*words, "--results", "metrics.json"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("pulled 0 files")
    assert f"127.0.0.1:{file}: cannot be read there" in said.err
    # what may be read again is copied, and nothing is complained of
    file.chmod(0o644)
    directory.parent.chmod(0o755)
    assert main([*words, "--results", "metrics.json"]) == 0
    assert file.read_bytes() == (tmp_path / "copy" / file.relative_to(shared)).read_bytes()


def test_a_file_that_may_no_more_be_read_stays_in_the_copy(
    server: sshd.Server, shared: Path, tmp_path: Path
) -> None:
    xpframe.pull(f"127.0.0.1:{shared}", tmp_path / "copy", ssh=server.as_nobody())
    before = listing(tmp_path / "copy")
    job = min(shared.glob("jobs/*/*/params.json"))
    job.write_text(job.read_text() + " ")
    job.chmod(0)
    for directory in (shared / "jobs", shared / "experiments" / "grid-search"):
        directory.chmod(0o711)
        pulled_with_warning(server, shared, tmp_path / "copy")
        directory.chmod(0o755)
    after = listing(tmp_path / "copy")
    assert {name: facts[0] for name, facts in after.items() if not name.startswith(".xpframe")} == {
        name: facts[0] for name, facts in before.items() if not name.startswith(".xpframe")
    }
    with pytest.raises(PullError, match="cannot be read there: Permission denied"):
        xpframe.pull(f"127.0.0.1:{shared}", tmp_path / "copy", ssh=server.as_nobody(), strict=True)


@pytest.mark.parametrize("name", ["jobs.jsonl", "objects.jsonl"])
def test_a_run_that_may_not_be_read(name: str, server: sshd.Server, shared: Path, tmp_path: Path) -> None:
    run = min((shared / "experiments" / "grid-search").glob("2*"))
    (run / name).chmod(0)
    _, errors = pulled_with_warning(server, shared, tmp_path / "copy")
    assert [error.partition(" (")[0] for error in errors] == [
        f"127.0.0.1:{run / name}: cannot be read there: Permission denied"
    ]
    others = xpframe.Workspace(tmp_path / "copy").experiments()
    assert set(others) >= set(xpframe.Workspace(shared).experiments()) - {"grid-search"}


@pytest.mark.parametrize(("level", "rights"), [("workspace", 0o000), ("workspace", 0o711), ("above", 0o000)])
def test_a_workspace_that_may_not_be_read(
    level: str, rights: int, server: sshd.Server, shared: Path, tmp_path: Path
) -> None:
    directory = shared if level == "workspace" else shared.parent
    directory.chmod(rights)
    try:
        with pytest.raises(PullError) as raised:
            xpframe.pull(f"127.0.0.1:{shared}", tmp_path / "copy", ssh=server.as_nobody())
    finally:
        directory.chmod(0o755)
    assert str(raised.value) == (
        f"127.0.0.1:{shared}: cannot be listed there: Permission denied "
        "(your user there must be allowed to list it and all directories above it)"
    )
    assert not (tmp_path / "copy").exists()


@contextmanager
def small_disk(directory: Path, options: str) -> Iterator[None]:
    """A file system of its own there; skips where this user may mount none."""
    directory.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(directory)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("size=64k", "No space left on device (free some space here and run it again: it goes on)"),
        ("ro", "Read-only file system (give a directory that you may write to)"),
    ],
)
def test_a_disk_that_takes_nothing(
    options: str, why: str, server: sshd.Server, shared: Path, tmp_path: Path
) -> None:
    """Also while other files may not be read: the copy is what stops it."""
    min(shared.glob("jobs/*/*/params.json")).chmod(0)
    disk = tmp_path / "disk"
    with small_disk(disk, options):
        with pytest.raises(PullError) as raised:
            xpframe.pull(f"127.0.0.1:{shared}", disk / "copy", ssh=server.as_nobody())
        assert str(raised.value) == f"{disk / 'copy'}: the copy cannot be written: {why}"
        for file in (
            path for path in disk.rglob("*") if path.is_file() and ".xpframe-pull" not in path.parts
        ):
            assert (
                file.name == "lock"
                or file.stat().st_size == (shared / file.relative_to(disk / "copy")).stat().st_size
            )


@pytest.mark.parametrize("directory", ["/proc/nothing/copy", "file/copy", "/dev/null/copy"])
def test_a_directory_that_cannot_be_made(
    directory: str, server: sshd.Server, workspaces: Workspaces, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / directory
    with pytest.raises(PullError) as raised:
        xpframe.pull(f"127.0.0.1:{workspaces.path('v270_full')}", target, ssh=server.ssh())
    assert str(raised.value).startswith(f"{target}: the copy cannot be written: ")


def test_errors_say_what_to_do(server: sshd.Server, workspaces: Workspaces, tmp_path: Path) -> None:
    root, ssh = workspaces.path("v270_full"), server.ssh()
    copy = tmp_path / "copy"

    def error(kind: type[Exception], source: str, ssh: str = ssh, **options: Any) -> str:
        with pytest.raises(kind) as raised:
            xpframe.pull(source, copy, ssh=ssh, **options)
        assert not copy.exists()
        return str(raised.value)

    said = error(WorkspaceNotFoundError, f"127.0.0.1:{root}/nowhere")
    assert said == (
        f"127.0.0.1:{root}/nowhere: there is no such directory "
        "(a relative path begins in your home directory there)"
    )
    said = error(WorkspaceNotFoundError, f"127.0.0.1:{root}/jobs")
    assert "jobs: this directory is not an experimaestro workspace (expected there: experiments/" in said
    closed = ssh.replace(f"-p {server.port}", "-p 1")
    said = error(PullError, f"127.0.0.1:{root}", closed)
    assert said.startswith("127.0.0.1: ssh: ")
    assert "Connection refused (this must work first: ssh 127.0.0.1 true)" in said
    said = error(PullError, f"nobody@127.0.0.1:{root}", f"{ssh} -o IdentityFile=none")
    assert "Permission denied" in said or "ssh: " in said
    without = server.allow("bare", "PATH=/nowhere; eval $SSH_ORIGINAL_COMMAND")
    said = error(PullError, f"127.0.0.1:{root}", without)
    assert said == "127.0.0.1: rsync is not installed there (install it on the host, or load its module)"
    checks = "-o StrictHostKeyChecking=yes -o UserKnownHostsFile=/dev/null"
    said = error(PullError, f"127.0.0.1:{root}", ssh.replace("ssh ", f"ssh {checks} ", 1))
    assert said == (
        "127.0.0.1: ssh: Host key verification failed. (this must work first: ssh 127.0.0.1 true)"
    )
    noisy = server.allow("noisy", "echo Welcome to the cluster; eval $SSH_ORIGINAL_COMMAND")
    said = error(PullError, f"127.0.0.1:{root}", noisy)
    assert "print only in interactive shells" in said
