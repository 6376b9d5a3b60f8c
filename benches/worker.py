"""Does one thing in a process of its own and prints what it took, as JSON.

    python benches/worker.py NAME SHAPE RUN_DIR WARM_UP_RUN_DIR CALLS

NAME is a reader of readers.py or an errand of errands.py. A reader first reads the run to warm up with, of 30
jobs: what is imported or started on the way is nobody's merit.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import errands
import readers

STATUS = Path("/proc/self/status")


def main() -> None:
    name, shape, run, warm, calls = sys.argv[1:]
    # the wide shape is made of columns that split, each with a warning
    warnings.simplefilter("ignore")
    if name in errands.ERRANDS:
        found = errands.ERRANDS[name](Path(run), shape, int(calls))
    else:
        found = read(name, shape, Path(run), Path(warm), int(calls))
    print(json.dumps(found))


def read(name: str, shape: str, run: Path, warm: Path, calls: int) -> dict[str, Any]:
    """The seconds of the first call and of those that follow, and how far memory rose in the first."""
    reader = readers.READERS[name]
    reader(warm, shape)
    gc.collect()
    before = memory_now()
    seconds, grown = [], 0.0
    rows = columns = 0
    for call in range(calls):
        gc.collect()
        start = time.perf_counter()
        result = reader(run, shape)
        seconds.append(time.perf_counter() - start)
        if call == 0:
            grown = memory_peak() - before
        rows, columns = extent(result)
        del result
    return {
        "first": seconds[0],
        "later": median(seconds[1:] or seconds),
        "rows": rows,
        "columns": columns,
        "mebibytes": grown,
    }


def extent(result: Any) -> tuple[int, int]:
    """Rows and columns of whatever a reader gives."""
    if isinstance(result, int):
        return result, 0
    if isinstance(result, list):
        return len(result), 0
    rows, columns = result.shape
    return rows, columns


def memory_now() -> float:
    """Resident memory in MiB, from which on its peak is counted."""
    if not STATUS.exists():
        return memory_peak()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def memory_peak() -> float:
    """The largest resident memory in MiB, since `memory_now` where the system can tell."""
    if STATUS.exists():
        return status("VmHWM")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def status(key: str) -> float:
    return int(STATUS.read_text().partition(f"{key}:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
