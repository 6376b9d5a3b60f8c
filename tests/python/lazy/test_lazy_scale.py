"""Lazy queries at some size: memory and Ctrl-C. `benches/lazy.py` judges times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lazy_runs import write_runs

pytestmark = pytest.mark.slow
JOBS = 250
MEMORY = """
import sys
import polars as pl
import xpframe, xpframe.lazy.source

def mebibytes():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024

idle = mebibytes()
scan = xpframe.scan_xp("grid", workspace=sys.argv[1], run="all", keep_bytes=1 << 16)
decided = mebibytes()
scan.sink_parquet(sys.argv[2], row_group_size=1000)
print(decided - idle, mebibytes() - idle, pl.scan_parquet(sys.argv[2]).select(pl.len()).collect().item())
"""
INTERRUPTED = """
import os, signal, sys, threading, time
import polars as pl
import xpframe, xpframe.lazy.source
from xpframe import _core

what, workspace = sys.argv[1:]
options = {"workspace": workspace, "run": "all"}
scan = xpframe.scan_xp("grid", keep_bytes=0, **options) if "collect" in what else None
call = {
    "xp_frame": lambda: xpframe.xp_frame("grid", backend="polars", **options),
    "load_xp_info": lambda: xpframe.Workspace(workspace).load_xp_info("grid"),
    "scan_xp": lambda: xpframe.scan_xp("grid", **options),
    "collect streaming": lambda: scan.collect(engine="streaming"),
    "collect in-memory": lambda: scan.collect(engine="in-memory"),
}[what]

def bytes_read():
    return _core.progress_counters()[1]

def press(share):
    # of a run that is in memory nothing is read: then after a share of the time
    begun, start = bytes_read(), time.monotonic()
    while bytes_read() - begun < share * size or time.monotonic() - start < (not size) * share * seconds:
        if over.wait(0.001):
            return
    os.kill(os.getpid(), signal.SIGINT)

def interrupted(share):
    # the bytes that were read when the call ended by KeyboardInterrupt; None if it ended before
    begun, read = bytes_read(), None
    over.clear()
    presser = threading.Thread(target=press, args=[share])
    try:
        try:
            presser.start()
            call()
            over.set()
            presser.join()
        except KeyboardInterrupt:
            read = bytes_read() - begun
            time.sleep(0.05)  # polars raises, and so does Python at the next step
    except KeyboardInterrupt:
        read = bytes_read() - begun if read is None else read
    presser.join()
    return read

over = threading.Event()
call()
begun, start = bytes_read(), time.monotonic()
call()
size, seconds = bytes_read() - begun, time.monotonic() - start
# polars makes an error of its own of an interrupt while it asks for the schema, at the beginning
shares = (0.05, 0.1, 0.2, 0.3, 0.4) if size else (0.3, 0.4, 0.5, 0.6, 0.7)
read = [interrupted(share) for share in shares]
assert call() is not None
print(seconds, size, *(each for each in read if each is not None))
"""
# shorter reads end within the 20 ms after which the caller looks for signals
LONG = 0.1
INTERRUPTIBLE = [
    ("xp_frame", "many"),
    ("xp_frame", "one"),
    ("load_xp_info", "one"),
    ("scan_xp", "many"),
    ("scan_xp", "one"),
    ("collect streaming", "many"),
    ("collect streaming", "one"),
    ("collect in-memory", "many"),
    ("collect in-memory", "one"),
]


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
    # which runs list each of the 40,000 jobs is kept, in some 100 bytes a job
    assert peaks[200][0] - peaks[40][0] < 20


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same number of jobs in one run, and in many."""
    home = tmp_path_factory.mktemp("interrupted")
    return {"many": write_runs(home / "many", 40, 500), "one": write_runs(home / "one", 1, 20_000)}


@pytest.mark.parametrize(("what", "shape"), INTERRUPTIBLE)
def test_interrupt_stops(what: str, shape: str, shapes: dict[str, Path]) -> None:
    """Ctrl-C can end a read before all bytes are read, and the next read is whole."""
    command = [sys.executable, "-c", INTERRUPTED, what, str(shapes[shape])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    seconds, size, *read = map(float, done.stdout.split())
    print(f"{what}, {shape}: of {size:,.0f} bytes", *(f"{each:,.0f}" for each in read))
    # some reads are over before they are interrupted
    assert len(read) > 1
    if size and seconds > LONG:
        # on a busy machine the last parts may be under way before the caller sees the signal
        assert min(read) < 0.9 * size
