"""A driver writes while readers load and drop: nothing wrong is ever seen. `make soak` does it for ten minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from reliability import figures

SECONDS = float(os.environ.get("XPFRAME_SOAK", "5"))
READERS = 4
SCRIPT = Path(__file__).with_name("soak.py")


def test_readers_of_a_growing_run_see_its_beginning(tmp_path: Path) -> None:
    """Every reader's frame is a prefix of the final one, no value is wrong, no call fails, memory stays flat."""

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
