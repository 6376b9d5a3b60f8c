"""Random runs: engine and witness agree on every cell and every identity."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given

from engine import differences, dump, load, table
from expected import expected_table
from oracle import Dump, WitnessView
from random_runs import RandomRun, runs
from witness import Run


@given(runs())
def test_engine_and_witness_agree(random: RandomRun) -> None:
    """Objects, sharing, names, types and cells of a random run are the same by both readers."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Path(home) / "ws"
        path = random.write(workspace)
        run = Run(path, workspace)
        mine = Dump(WitnessView())
        witnessed = {k: mine.value(v, k, []) for k, v in run.jobs.items()}
        dumped, sharing = dump(dict(load(path).jobs))
        assert dumped == witnessed
        assert list(dumped) == list(witnessed)
        assert sharing == mine.sharing()
        expected = expected_table([run])
        found = table(path, max_columns=100_000)
        assert [n for n in found.column_names if n.startswith(("tags.", "config."))] == [
            c.name for c in expected if c.name.startswith(("tags.", "config."))
        ]
        assert found["job_id"].to_pylist() == [r.job_id for r in run.rows]
        assert differences(found, [c for c in expected if c.name.startswith(("tags.", "config."))]) == []
