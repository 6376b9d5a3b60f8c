"""Checks that tag, version and changelog agree: python tests/wheel/versions.py [v1.2.3]"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def disagreements(root: Path, tag: str | None) -> list[str]:
    """What does not agree, in words; empty if a release can be made."""
    version = str(tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"])
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    locked = re.search(
        r'name = "xpframe"\nversion = "([^"]+)"', (root / "Cargo.lock").read_text(encoding="utf-8")
    )
    wrong = []
    if tag is not None and tag != f"v{version}":
        wrong.append(f"the tag is {tag}, and Cargo.toml says {version}: the tag should be v{version}")
    if "version" in project or "version" not in project.get("dynamic", []):
        wrong.append("pyproject.toml names a version: it should be dynamic, and taken from Cargo.toml")
    if locked is None or locked[1] != version:
        wrong.append("Cargo.lock has another version: run cargo update --workspace")
    heading = re.search(rf"^## \[{re.escape(version)}\](.*)$", changelog, re.MULTILINE)
    if heading is None:
        wrong.append(f"CHANGELOG.md has no section [{version}]")
    elif not re.fullmatch(r" - \d{4}-\d{2}-\d{2}", heading[1]):
        wrong.append(f"CHANGELOG.md does not date [{version}]: ## [{version}] - 2026-11-27")
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if tag is not None and unreleased is not None and unreleased[1].strip():
        wrong.append("CHANGELOG.md still has changes under [Unreleased]: move them below the version")
    return wrong


def main() -> int:
    tag = sys.argv[1] if len(sys.argv) > 1 else None
    wrong = disagreements(ROOT, tag)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{tag or 'the version'}, Cargo.toml, Cargo.lock and CHANGELOG.md agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
