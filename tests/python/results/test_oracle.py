"""Result files as the engine reads them, against what independent readers say of the same files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import REPOSITORY, SHARED
from judge import judge

if TYPE_CHECKING:
    from conftest import Workspaces

BINARIES = [REPOSITORY / "target" / profile / "examples" / "results" for profile in ("debug", "release")]
ORACLES = sorted(SHARED.glob("*.results.json")) if SHARED.is_dir() else []


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda path: path.name.removesuffix(".results.json"))
def test_every_scalar_state_and_series(oracle: Path, workspaces: Workspaces) -> None:
    """Every state, scalar with its type, and every count, first, last and sum of a series is the oracle's."""
    binary = max((b for b in BINARIES if b.exists()), key=lambda b: b.stat().st_mtime, default=None)
    if binary is None:
        pytest.skip("cargo build --example results")
    told = json.loads(oracle.read_text(encoding="utf-8"))
    workspace = workspaces.path(oracle.name.removesuffix(".results.json"))
    result = judge(workspace, told, binary, as_root=os.geteuid() == 0)
    print(f"{result.compared - len(result.wrong)} of {result.compared}")
    assert result.compared > 5_000
    assert result.wrong == []
