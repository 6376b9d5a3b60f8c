"""A release is refused while its tag, its version and its changelog disagree."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("Cargo.toml", "Cargo.lock", "pyproject.toml", "CHANGELOG.md")


def load() -> Callable[[Path, str | None], list[str]]:
    spec = importlib.util.spec_from_file_location("versions", ROOT / "tests" / "wheel" / "versions.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check: Callable[[Path, str | None], list[str]] = module.disagreements
    return check


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The files that name the version, as they would be at a release of 7.8.9."""
    for name in NAMES:
        shutil.copy(ROOT / name, tmp_path)
    for name in ("Cargo.toml", "Cargo.lock"):
        change(tmp_path / name, 'name = "xpframe"\nversion = "0.1.0"', 'name = "xpframe"\nversion = "7.8.9"')
    change(tmp_path / "CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n## [7.8.9] - 2026-11-27\n")
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_sources_agree() -> None:
    """Today's version stands in Cargo.toml and Cargo.lock, and the changelog dates it."""
    assert load()(ROOT, None) == []


def test_a_release(sources: Path) -> None:
    """Tag, version and a dated section agree, and nothing is left unreleased."""
    assert load()(sources, "v7.8.9") == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("Cargo.toml", 'version = "7.8.9"', 'version = "7.8.8"', "the tag should be v7.8.8"),
        ("Cargo.lock", 'version = "7.8.9"', 'version = "7.8.8"', "run cargo update --workspace"),
        ("pyproject.toml", 'dynamic = ["version"]', 'version = "7.8.9"', "it should be dynamic"),
        ("CHANGELOG.md", "## [7.8.9] - 2026-11-27", "## 7.8.9", "has no section [7.8.9]"),
        ("CHANGELOG.md", "## [7.8.9] - 2026-11-27", "## [7.8.9]", "does not date [7.8.9]"),
        (
            "CHANGELOG.md",
            "## [Unreleased]\n",
            "## [Unreleased]\n\n- A change.\n",
            "move them below the version",
        ),
    ],
)
def test_a_disagreement(sources: Path, name: str, old: str, new: str, said: str) -> None:
    """Each disagreement is named, with what to do."""
    change(sources / name, old, new)
    assert said in "; ".join(load()(sources, "v7.8.9"))
