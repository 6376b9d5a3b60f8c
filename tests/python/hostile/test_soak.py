"""A driver writes while readers load and drop: nothing wrong is seen. `make soak` does it for ten minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import xpframe
from conftest import SUPPORT
from engine import load
from grid_search import TASKS
from reliability import figures

pytestmark = pytest.mark.slow
SECONDS = float(os.environ.get("XPFRAME_SOAK", "5"))
READERS = 4
SCRIPT = SUPPORT / "soak.py"


def test_readers_of_a_growing_run_see_its_beginning(tmp_path: Path) -> None:
    """Every frame is a prefix of the final one, no value is wrong, no call fails, memory stays flat."""

    def start(what: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(SCRIPT), what, str(tmp_path / "ws"), str(SECONDS)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    (tmp_path / "ws").mkdir()
    processes = [start("write"), *[start("read") for _ in range(READERS)]]
    results = []
    for process in processes:
        out, err = process.communicate(timeout=2 * SECONDS + 120)
        assert process.returncode == 0, err[-3000:]
        results.append(json.loads(out))
    written, *readers = results
    print(written, readers)
    loads, rows = (sum(reader[key] for reader in readers) for key in ("loads", "rows"))
    assert written["runs"] >= 1
    assert all(reader["loads"] > 5 for reader in readers)
    assert rows > 5 * loads
    assert max(reader["grown"] for reader in readers) < 16 * 1024 * 1024
    figures(
        "soak",
        {
            "seconds": SECONDS,
            "readers": READERS,
            "runs written": written["runs"],
            "loads": loads,
            "rows compared": rows,
            "errors of lines being written": sum(reader["errors"] for reader in readers),
            "memory grown, KiB, at most": max(reader["grown"] for reader in readers) // 1024,
        },
    )


def test_a_real_driver_is_read_while_it_writes(tmp_path: Path) -> None:
    """A run of experimaestro itself: what is read at any moment is the beginning of what it is in the end."""
    code, root, known = tmp_path / "code", tmp_path / "ws", tmp_path / "known.json"
    code.mkdir()
    (code / "grid_tasks.py").write_text(TASKS)
    call = "import sys, grid_tasks; grid_tasks.search(*sys.argv[1:])"
    driver = subprocess.Popen(
        [sys.executable, "-c", call, str(root), str(known)],
        cwd=code,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(code)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen: list[list[tuple[str, object, object]]] = []
    while driver.poll() is None:
        runs = sorted(root.glob("experiments/grid-search/2*/jobs.jsonl"))
        if runs:
            seen.append(rows_of(runs[0].parent))
    final = rows_of(next(root.glob("experiments/grid-search/2*")))
    assert driver.returncode == 0
    assert len(final) == 6
    assert all(rate is not None for _, _, rate in final)
    for rows in seen:
        whole = [row for row in rows if row[2] is not None]
        assert rows[: len(whole)] == whole == final[: len(whole)]
        assert [row[:2] for row in rows] == [row[:2] for row in final[: len(rows)]]
        assert len(rows) - len(whole) <= 1
    assert len(seen) > 10
    assert len({len(rows) for rows in seen}) > 1
    figures("soak-real", {"loads": len(seen), "jobs": len(final)})


def rows_of(run: Path) -> list[tuple[str, object, object]]:
    """The job, a tag and a parameter of each row of a run that may be growing."""
    info = load(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        table = info.table()
    rates = (
        table.column_values("config.learning_rate")
        if "config.learning_rate" in table.column_names
        else [None] * len(table)
    )
    tags = table.column_values("tags.learning_rate") if len(table) else []
    return list(zip(table.column_values("job_id"), tags, rates, strict=True))
