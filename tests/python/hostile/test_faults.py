"""Reads that fail: each system call of a load once, and all from it on, as a network file system does it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conftest import SUPPORT, unpack
from reliability import effort, figures

if TYPE_CHECKING:
    from conftest import Workspaces

pytestmark = pytest.mark.slow
SOURCE = SUPPORT / "faults.c"

# {call that fails: what was said}; nothing is said where nothing was lost
TRY_EACH = """
import ctypes, json, sys, warnings
import xpframe
warnings.simplefilter("ignore")
library, run, number, lasting, step = [*sys.argv[1:3], *map(int, sys.argv[3:])]
faults = ctypes.CDLL(library)
root = run.partition("/experiments/")[0].encode()

def plain(value):
    return repr(value) if isinstance(value, float) else value

def read():
    info = xpframe.load_xp_info(run)
    table = xpframe.xp_table(run)
    jobs = {job_id: repr(xpframe.asdict(job)) for job_id, job in info.jobs.items()}
    actions = {name: action.describe() for name, action in info.actions.items()}
    columns = {name: repr(table.column_values(name)) for name in table.column_names}
    said = {str(error) for error in [*info.errors, *table.errors]}
    return (jobs, actions, columns, info.tags), said

healthy, known = read()
faults.fault_arm(root, -1, 0, 0)
read()
calls = faults.fault_disarm()
counts = {"calls": calls, "tried": 0, "told": 0, "raised": 0, "same": 0}
silent = []
for at in range(0, calls + 3, step):
    faults.fault_arm(root, at, number, lasting)
    try:
        found, said = read()
    except xpframe.XpFrameError as error:
        outcome = "raised"
        assert str(root, "utf-8") in str(error), error
    else:
        same = found == healthy
        outcome = "told" if said - known else "same" if same else "silent"
        if outcome == "silent":
            silent.append([at, [name for name in healthy[2] if found[2].get(name) != healthy[2][name]]])
    finally:
        faults.fault_disarm()
    counts["tried"] += 1
    counts[outcome] = counts.get(outcome, 0) + 1
assert read() == (healthy, known)
print(json.dumps([counts, silent]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail. Where Rust is built there is a C compiler: its linker."""
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    command = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(path), str(SOURCE)]
    subprocess.run([*command, "-ldl"], check=True)
    return path


def try_each(library: Path, run: Path, number: int, *, lasting: bool, step: int = 1) -> tuple[Any, Any]:
    done = subprocess.run(
        [sys.executable, "-c", TRY_EACH, str(library), str(run), str(number), str(int(lasting)), str(step)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts, silent = json.loads(done.stdout)
    return counts, silent


RUNS = ["v270_full/experiments/grid-search", "v270_killed/experiments", "v216_full/experiments/grid-search"]


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("name", ["ESTALE", "EIO", "EACCES"])
@pytest.mark.parametrize("place", RUNS)
def test_a_read_that_fails_is_told(
    place: str, name: str, lasting: bool, library: Path, workspaces: Workspaces
) -> None:
    """Whichever call fails: what is missing is in `errors` or raised, nothing is silent."""
    top, _, below = place.partition("/")
    run = max(workspaces.path(top).joinpath(below).rglob("jobs.jsonl")).parent
    # each call fails once, whatever the effort: a fault of one in four was missed
    step = 1 if name == "EIO" and not lasting else effort(4, 1)
    counts, silent = try_each(library, run, getattr(errno, name), lasting=lasting, step=step)
    print(counts)
    assert silent == []
    assert counts["tried"] > 80 // step
    assert counts["told"] + counts["raised"] > counts["tried"] / 3
    figures(f"faults-{top}-{name}-{'lasting' if lasting else 'once'}", counts)


@pytest.mark.parametrize("place", RUNS)
def test_a_file_that_vanishes_is_not_there(place: str, library: Path, workspaces: Workspaces) -> None:
    """A file or directory that is deleted between two calls is as one that never was: nothing fails."""
    top, _, below = place.partition("/")
    run = max(workspaces.path(top).joinpath(below).rglob("jobs.jsonl")).parent
    counts, _ = try_each(library, run, errno.ENOENT, lasting=False, step=effort(4, 1))
    assert counts["tried"] > 80 // effort(4, 1)
    figures(f"faults-{top}-ENOENT-once", counts)


DENIED = """
import json, sys, warnings
import xpframe
warnings.simplefilter("ignore")
run = sys.argv[1]
try:
    info = xpframe.load_xp_info(run)
    table = xpframe.xp_table(run)
except xpframe.XpFrameError as error:
    print(json.dumps({"raised": str(error)}))
else:
    errors = [str(error) for error in [*info.errors, *table.errors]]
    print(json.dumps({"jobs": len(info.jobs), "rows": len(table), "errors": errors}))
"""


def without_privileges(code: str, run: Path) -> Any:
    """What a program says that must obey the modes of files, as root need not."""
    command = [sys.executable, "-c", code, str(run)]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("denied", "jobs", "rows"),
    [
        ("objects.jsonl", 9, 9),  # from their params.json
        ("jobs.jsonl", 0, 0),
        ("status.json", 9, 9),
        ("environment.json", 9, 9),
        ("../../../jobs/labpkg.tasks.train", 9, 9),
        (".", 0, 0),
        ("..", None, None),
    ],
)
def test_permission_denied_is_told(denied: str, jobs: int, rows: int, tmp_path: Path) -> None:
    """A file or directory that may not be read is an error that names it; what may be read comes back."""
    root = unpack("v270_full", tmp_path)
    run = max(root.glob("experiments/grid-search/2*"))
    path = (run / denied).resolve()
    assert without_privileges(DENIED, run)["rows"] == 9
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        found = without_privileges(DENIED, run)
    finally:
        path.chmod(mode)
    if jobs is None:
        assert "ermission denied" in found["raised"] or str(path) in found["raised"]
        return
    assert (found["jobs"], found["rows"]) == (jobs, rows)
    told = [error for error in found["errors"] if "ermission denied" in error and str(path) in error]
    assert told
