"""The guard that workspaces are never written to, tried on real writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conftest import Workspaces, changes, listing, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def touch(root: Path) -> None:
    os.utime(root / "jobs")


def append(root: Path) -> None:
    with next(root.glob("experiments/*/2*/jobs.jsonl")).open("a") as file:
        file.write("\n")


def same_size(root: Path) -> None:
    path = next(root.glob("experiments/*/2*/status.json"))
    facts = path.stat()
    path.write_text(path.read_text().replace("a", "b"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def replace(root: Path) -> None:
    path = next(root.glob("experiments/*/2*/status.json"))
    facts, content = path.stat(), path.read_bytes()
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(path)


def relink(root: Path) -> None:
    link = next(root.glob("experiments/*/current"))
    link.unlink()
    link.symlink_to("elsewhere")


def create(root: Path) -> None:
    (root / ".events" / "new").touch()


@pytest.mark.parametrize("write", [touch, append, same_size, replace, relink, create])
def test_guard_sees_every_kind_of_write(write: Callable[[Path], None], tmp_path: Path) -> None:
    """A touched directory, an appended, rewritten, replaced or new file and a changed link are reported."""
    root = unpack("v270_killed", tmp_path)
    before = listing(root)
    assert len(before) > 50
    assert changes(before, listing(root)) == []
    write(root)
    assert changes(before, listing(root))


def test_guard_reports_what_was_handed_to_a_test(tmp_path: Path) -> None:
    """The fixture's own check names the workspace and the file."""
    scratch = Workspaces(tmp_path)
    root = scratch.path("v270_script")
    assert scratch.check(scratch.handed) == []
    (root / "stray").touch()
    assert any(word.startswith("v270_script: added stray") for word in scratch.check(scratch.handed))


def test_archives_keep_times_and_hard_links(workspaces: Workspaces) -> None:
    """Unpacking restores the times of the run and the event files that are one inode under two names."""
    root = workspaces.path("v270_killed")
    assert {p.stat().st_mtime < 1_800_000_000 for p in root.rglob("params.json")} == {True}
    assert sum(p.stat().st_nlink > 1 for p in root.rglob("*.jsonl")) >= 2
