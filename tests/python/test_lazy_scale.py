"""Lazy queries at some size: memory and Ctrl-C. `benches/lazy.py` judges times, of the optimised module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from lazy_runs import write_run, write_runs

JOBS = 250
MEMORY = """
import sys
import polars as pl
import xpframe, xpframe.lazy_polars

def mebibytes():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024

idle = mebibytes()
scan = xpframe.scan_xp("grid", workspace=sys.argv[1], run="all", keep_bytes=1 << 16)
decided = mebibytes()
scan.sink_parquet(sys.argv[2], row_group_size=1000)
print(decided - idle, mebibytes() - idle, pl.scan_parquet(sys.argv[2]).select(pl.len()).collect().item())
"""
INTERRUPTED = """
import sys, time
import polars as pl
import xpframe, xpframe.lazy_polars

what, workspace = sys.argv[1:]
options = {"workspace": workspace, "run": "all"}
if what != "scan_xp":
    scan = xpframe.scan_xp("grid", keep_bytes=0, **options)
print("begun", flush=True)
stopped = None
try:
    if what == "scan_xp":
        xpframe.scan_xp("grid", **options)
    else:
        scan.collect(engine=what)
    print("finished", flush=True)
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


@pytest.fixture(scope="module")
def peaks(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[float, float]]:
    """Peak memory, in MiB, of fresh processes by number of runs: to know the columns, and in all."""
    if sys.platform != "linux":
        pytest.skip("the peak of memory is read from /proc")
    found = {}
    for runs in (40, 200):
        home = tmp_path_factory.mktemp("memory")
        root = write_runs(home / "ws", runs, JOBS)
        command = [sys.executable, "-c", MEMORY, str(root), str(home / "out.parquet")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        decided, peak, rows = map(float, done.stdout.split())
        print(f"{runs} runs: {decided:.0f} MiB to know the columns, {peak:.0f} MiB in all")
        assert rows == runs * JOBS
        found[runs] = decided, peak
    return found


def test_streaming_to_a_file_is_bounded(peaks: dict[int, tuple[float, float]]) -> None:
    """Once the columns are known, streaming 200 runs to a file takes little more memory than 40."""
    (decided, peak), (decided_more, peak_more) = peaks[40], peaks[200]
    assert peak_more - decided_more < (peak - decided) + 30


def test_deciding_the_columns_is_bounded(peaks: dict[int, tuple[float, float]]) -> None:
    """With `keep_bytes` small, knowing the columns of 200 runs takes little more memory than of 40."""
    assert peaks[200][0] - peaks[40][0] < 15


@pytest.mark.parametrize("what", ["scan_xp", "streaming", "in-memory"])
def test_interrupt_stops(what: str, tmp_path: Path) -> None:
    """Ctrl-C while many runs are read ends with KeyboardInterrupt soon, long before the reading would."""
    root = write_runs(tmp_path / "ws", 40, 1)
    for run in range(40, 80):
        write_run(root, run, 2000)
    took = []
    for _ in range(3):
        command = [sys.executable, "-c", INTERRUPTED, what, str(root)]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "begun\n"
            time.sleep(0.1)
            sent = time.time()
            os.kill(child.pid, signal.SIGINT)
            said = child.stdout.read().split()
        # polars raises, and Python does so again, so that even the answer may be interrupted
        took.append(float(said[0]) - sent if said else 0.0)
        assert child.returncode in (0, 1, -signal.SIGINT, 130)
        assert said != ["finished"]
    assert median(took) < 1
