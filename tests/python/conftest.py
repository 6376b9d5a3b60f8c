"""Reference workspaces, unpacked once, and the guard that they are never changed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import HealthCheck, settings

import sshd

REPOSITORY = Path(__file__).resolve().parents[2]
SUPPORT = REPOSITORY / "tests" / "python" / "support"
BUNDLED = REPOSITORY / "tests" / "workspaces"
LAYOUTS = {"v1161_full", "v216_full", "v270_full", "v270_quirks"}
SHARED = Path(os.environ.get("XPFRAME_REFERENCE_WORKSPACES", REPOSITORY.parent / "shared" / "workspaces"))

common = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("quick", common, max_examples=10)
settings.register_profile("fast", common, max_examples=60)
settings.register_profile("slow", common, max_examples=2_000)
settings.load_profile(os.environ.get("XPFRAME_HYPOTHESIS", "fast"))

SLOW_FILE = "pytestmark = pytest.mark.slow\n"
Listing = dict[str, tuple[int, int, int, str, str]]


def archives() -> dict[str, Path]:
    """The archives by name: the project's own, then those of the full set where it is present."""
    found = {p.name.removesuffix(".tar.gz"): p for d in (SHARED, BUNDLED) for p in d.glob("*.tar.gz")}
    return dict(sorted(found.items()))


def reference_names() -> list[str]:
    """The workspaces that hold experimaestro's own dump; they are named for the version that wrote them."""
    return [name for name in archives() if re.match(r"v\d", name)]


def references() -> list[ParameterSet]:
    """Those workspaces as parameters: one of each layout is in the fast set, the others are slow."""
    names = reference_names()
    return [pytest.param(name, marks=[] if name in LAYOUTS else pytest.mark.slow) for name in names]


def listing(root: Path) -> Listing:
    """Relative path → size, mtime in ns, inode, link target, sha256 of everything under a directory."""
    found: Listing = {}
    for path in (root, *root.rglob("*")):
        facts = path.lstat()
        is_file = stat.S_ISREG(facts.st_mode)
        link = str(path.readlink()) if stat.S_ISLNK(facts.st_mode) else ""
        content = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else ""
        size = facts.st_size if is_file else 0
        found[str(path.relative_to(root))] = (size, facts.st_mtime_ns, facts.st_ino, link, content)
    return found


def changes(before: Listing, after: Listing) -> list[str]:
    """What a listing has that the other has not, in words; empty when nothing was written."""
    words = [f"removed {name}" for name in before if name not in after]
    words += [f"added {name}" for name in after if name not in before]
    words += [
        f"changed {n}: {before[n]} → {after[n]}" for n in before if n in after and before[n] != after[n]
    ]
    return words


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spares the fast set the imports of files that are slow as a whole."""
    if config.getoption("markexpr") == "not slow" and collection_path.name.startswith("test_"):
        return ("\n" + SLOW_FILE in collection_path.read_text(encoding="utf-8")) or None
    return None


class Workspaces:
    """Unpacks the archives on demand and remembers what they looked like."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.known: dict[Path, Listing] = {}
        self.handed: set[Path] = set()

    def path(self, name: str) -> Path:
        """The directory of an unpacked workspace; what is handed out is watched during the test."""
        root = self.home / name
        if root not in self.known:
            unpack(name, self.home)
            self.known[root] = listing(root)
        self.handed.add(root)
        return root

    def oracle(self, name: str) -> Path:
        """What experimaestro says of a workspace (`<name>.expected.json`)."""
        self.path(name)
        return self.home / f"{name}.expected.json"

    def check(self, roots: set[Path]) -> list[str]:
        """What changed since the last look, in words; the next look starts from here."""
        words = []
        for root in roots:
            before, self.known[root] = self.known[root], listing(root)
            words += [f"{root.name}: {word}" for word in changes(before, self.known[root])]
        return words


def unpack(name: str, home: Path) -> Path:
    """Unpacks an archive with its times, hard links and symlinks; gives the workspace directory."""
    subprocess.run(["tar", "-xpzf", str(archives()[name]), "-C", str(home)], check=True)
    return home / name


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Workspaces:
    """The reference workspaces: `workspaces.path(name)`, `workspaces.oracle(name)`."""
    return Workspaces(tmp_path_factory.mktemp("workspaces"))


@pytest.fixture(autouse=True)
def read_only_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that changed a byte, a time or an inode of a workspace that it was handed."""
    if "workspaces" not in request.fixturenames:
        yield
        return
    guarded: Workspaces = request.getfixturevalue("workspaces")
    guarded.handed.clear()
    yield
    words = guarded.check(guarded.handed)
    assert not words, "the workspace was written to:\n" + "\n".join(words)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    """A running sshd on the loopback interface. Skips, or fails in CI, where sshd or rsync is missing."""
    running = sshd.start(tmp_path_factory.mktemp("sshd"))
    yield running
    running.stop()
