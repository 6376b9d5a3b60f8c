"""Result files as the engine reads them, against what independent readers say of the same files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import REPOSITORY, SHARED
from judge import judge

if TYPE_CHECKING:
    from conftest import Workspaces

BINARY = REPOSITORY / "target" / "debug" / "examples" / "results"
ORACLES = sorted(SHARED.glob("*.results.json")) if SHARED.is_dir() else []


@pytest.fixture(scope="module")
def binary() -> Path:
    """The example that prints what the engine reads; built if a source is newer."""
    sources = [*(REPOSITORY / "src").rglob("*.rs"), REPOSITORY / "examples" / "results.rs"]
    if not BINARY.exists() or BINARY.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        build = ["cargo", "build", "--quiet", "--example", "results"]
        done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return BINARY


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda path: path.name.removesuffix(".results.json"))
def test_every_scalar_state_and_series(oracle: Path, workspaces: Workspaces, binary: Path) -> None:
    """Every state, scalar with its type, and every count, first, last and sum of a series is the oracle's."""
    told = json.loads(oracle.read_text(encoding="utf-8"))
    workspace = workspaces.path(oracle.name.removesuffix(".results.json"))
    result = judge(workspace, told, binary, as_root=os.geteuid() == 0)
    print(f"{result.compared - len(result.wrong)} of {result.compared}")
    assert result.compared > 5_000
    assert result.wrong == []
