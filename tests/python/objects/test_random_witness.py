"""The random runs themselves, before anything is judged by them."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from expected import expected_table
from oracle import Dump, WitnessView
from random_runs import RandomRun, runs
from witness import Missing, Run

pytestmark = pytest.mark.slow
SEEN: Counter[str] = Counter()


# the same runs each time: this is about what the generator brings, not about the witness
@settings(max_examples=300, derandomize=True)
@given(runs())
def read(random: RandomRun) -> None:
    with tempfile.TemporaryDirectory() as home:
        workspace = Path(home) / "ws"
        run = Run(random.write(workspace), workspace)
        dumped = Dump(WitnessView())
        for k, v in run.jobs.items():
            dumped.value(v, k, [])
        columns = expected_table([run])
        assert len({c.name for c in columns}) == len(columns)
        assert all(len(c.cells) == len(run.rows) for c in columns)
        SEEN["rows"] += len(run.rows)
        SEEN["shared"] += len(dumped.sharing())
        SEEN["dangling"] += sum(isinstance(v, Missing) for o in dumped.alive for v in o.fields.values())
        SEEN["split"] += sum("@" in c.name.replace("\\@", "") for c in columns)
        SEEN["missing jobs"] += sum(r.config is None for r in run.rows)
        SEEN["cut"] += random.cut > 0
        SEEN.update(f"type {c.type.name}" for c in columns)


def test_random_runs_hold_what_they_promise() -> None:
    """Shared and dangling objects, splits, missing jobs, cut files and every column type do occur."""
    SEEN.clear()
    read()
    kinds = ["bool", "int64", "uint64", "decimal", "float64", "utf8", "enum", "list"]
    wanted = ["rows", "shared", "dangling", "split", "missing jobs", "cut", *(f"type {k}" for k in kinds)]
    assert {w: SEEN[w] for w in wanted if SEEN[w] < 2} == {}
