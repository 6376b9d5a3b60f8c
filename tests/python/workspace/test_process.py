"""What a long-lived process may count on: memory, threads, imports, and that nothing is written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import xpframe
from engine import dump, load
from witness import runs_of

if TYPE_CHECKING:
    from conftest import Workspaces

HEAVY = ("pandas", "polars", "pyarrow", "yaml", "IPython", "numpy")


def python(code: str, *arguments: str) -> str:
    """The output of a fresh interpreter."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FLAT = """
import gc, sys, warnings
import xpframe
warnings.simplefilter("ignore")

def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def once(run):
    info = xpframe.load_xp_info(run)
    jobs = [j for j in info.jobs.values() if hasattr(j, "model")]
    read = [(j.model.name, j.model.layers, xpframe.fields(j)) for j in jobs]
    assert len(read) == 4 and read[0][1][0].blocks[0].leaf is read[0][1][1].blocks[0].leaf
    assert xpframe.xp_frame(run, backend="pyarrow").num_rows == 9

for _ in range(200):
    once(sys.argv[1])
before = resident()
for _ in range(1000):
    once(sys.argv[1])
print(resident() - before)
"""


@pytest.mark.slow
def test_memory_is_flat_over_a_thousand_loads(workspaces: Workspaces) -> None:
    """1,000 loads and frames after a warm-up keep the process within two megabytes of where it was."""
    run = max(workspaces.path("v270_full").glob("experiments/grid-search/2*"))
    grown = int(python(FLAT, str(run)))
    print(f"grown by {grown / 1024:.0f} KiB")
    assert grown < 2 * 1024 * 1024


def test_objects_die_with_their_last_holder(workspaces: Workspaces) -> None:
    """Holding one sub-config keeps it usable after the info is gone; no cycle keeps the info alive."""
    run = max(workspaces.path("v270_full").glob("experiments/grid-search/2*"))
    leaf = next(iter(load(run).jobs.values())).model.layers[0].blocks[0].leaf
    assert leaf.name == "shared-leaf"


@pytest.mark.slow
def test_eight_threads_agree(workspaces: Workspaces) -> None:
    """Eight threads that share one info and load their own see the same values, identities and table."""
    paths = [r.path for r in runs_of(workspaces.path("v270_full"))]
    shared = {p: load(p) for p in paths}

    def read(n: int) -> list[str]:
        seen: list[tuple[str, str, str]] = []
        for path in paths[n % 3 :] + paths[: n % 3]:
            own = dump(dict(xpframe.load_xp_info(path).jobs))
            assert dump(dict(shared[path].jobs)) == own
            frame = xpframe.xp_frame(path, backend="pyarrow")
            seen.append((str(path), json.dumps(own), str(frame.to_pylist())))
        return sorted(map(str, seen))

    # the filters of warnings belong to the process: what a thread puts back, another has taken away
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        results = list(pool.map(read, range(16)))
    assert len(results[0]) == 10
    assert all(r == results[0] for r in results)


def test_threads_get_the_same_object(workspaces: Workspaces) -> None:
    """A reference followed by eight threads at once is one Python object."""
    run = max(workspaces.path("v270_full").glob("experiments/grid-search/2*"))
    for _ in range(50):
        job = next(iter(load(run).jobs.values()))
        with ThreadPoolExecutor(8) as pool:
            assert len({id(m) for m in list(pool.map(lambda _: job.model, range(64)))}) == 1  # noqa: B023


def test_import_is_light() -> None:
    """`import xpframe` brings none of the heavy libraries, nor experimaestro."""
    code = "import sys, json; import xpframe; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(python(code))
    assert "xpframe" in modules
    assert {m for m in modules if m.split(".")[0] in (*HEAVY, "experimaestro")} == set()


SMALL = """
import sys
before = set(sys.modules)
import xpframe
for job_id, config in xpframe.load_xp_info(sys.argv[1]).jobs.items():
    assert xpframe.identifier(config) == job_id
print(*sys.modules.keys() - before)
"""


def test_a_small_run_is_read_without_imports(workspaces: Workspaces) -> None:
    """`load_xp_info` of a small run brings eleven small modules of ours, and none of Python's."""
    run = max(workspaces.path("v270_full").glob("experiments/grid-search/2*"))
    modules = {name for name in python(SMALL, str(run)).split() if not name.startswith("_")}
    ours = "_core action displayed errors experiment locate options report reported text workspace"
    assert modules == {"xpframe", *(f"xpframe.{name}" for name in ours.split())}


def test_polars_frame_needs_neither_pandas_nor_pyarrow(workspaces: Workspaces) -> None:
    """A polars frame is made without pandas, pyarrow or yaml being imported."""
    run = max(workspaces.path("v270_full").glob("experiments/grid-search/2*"))
    code = "import sys, xpframe; print(len(xpframe.xp_frame(sys.argv[1], backend='polars')), *sys.modules)"
    rows, *modules = python(code, str(run)).split()
    assert int(rows) == 9
    assert {"pandas", "pyarrow", "yaml"} & set(modules) == set()


EVERY_CALL = """
import os, sys, warnings
from pathlib import Path
import xpframe
warnings.simplefilter("ignore")
root = Path(sys.argv[1])
writes = []
CHANGES = ("mkdir", "remove", "rmdir", "rename", "link", "symlink", "utime", "chmod", "chown", "truncate")

def audit(event, args):
    for_writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if event == "open" and str(args[0]).startswith(str(root)) and (args[2] or 0) & for_writing:
        writes.append(args)
    if event.startswith("os.") and event[3:] in CHANGES:
        writes.append((event, *args))

sys.addaudithook(audit)
print("BEGIN", file=sys.stderr, flush=True)
workspace = xpframe.Workspace(root)
calls = 0
for name in workspace.experiments():
    for run in sorted((root / "experiments" / name).glob("2*")):
        info = xpframe.load_xp_info(run)
        [xpframe.asdict(j) for j in info.jobs.values()]
        [(repr(j), hasattr(j, "_repr_html_") and j._repr_html_()) for j in info.jobs.values()]
        xpframe.xp_frame(run, backend="pyarrow")
        workspace.get_tags_map(name, run.name)
        workspace.get_dependencies_map(name, run.name)
        calls += 1
    workspace.get_current_run(name)
assert not writes, writes
print(calls)
"""


@pytest.mark.slow
def test_no_call_opens_anything_for_writing(workspaces: Workspaces, tmp_path: Path) -> None:
    """No system call of any reader opens, creates, removes or renames anything, here or elsewhere."""
    root = workspaces.path("v270_relaunched")
    assert int(python(EVERY_CALL, str(root))) == 2
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: only Python's own calls were watched")
    log = tmp_path / "calls"
    command = [strace, "-f", "-y", "-e", "trace=%file,write,ftruncate,fchmod,fallocate", "-o", str(log)]
    subprocess.run(
        [*command, sys.executable, "-B", "-c", EVERY_CALL, str(root)], check=True, capture_output=True
    )
    lines = log.read_text(errors="replace").splitlines()
    begin = next(i for i, line in enumerate(lines) if "BEGIN" in line)
    watched = [line for line in lines[begin + 1 :] if "ENOENT" not in line]
    inside = [line for line in watched if str(root) in line]
    assert len(inside) > 50
    changing = r"O_(WRONLY|RDWR|CREAT|TRUNC)|\b(un|sym)?link(at)?\(|\brename|\b(mk|rm)dir|utime|f?ch(mod|own)"
    changing += r"|truncate|mknod|setxattr|fallocate|\bwrite\("
    assert [line for line in inside if re.search(changing, line.partition(" = ")[0])] == []
    written = [
        line for line in watched if ("O_CREAT" in line or "O_WRONLY" in line) and "/dev/null" not in line
    ]
    assert [line for line in written if sysconfig.get_paths()["stdlib"] not in line] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount read-only")
def test_read_only_mount(workspaces: Workspaces) -> None:
    """Everything works on a file system that refuses writes."""
    root = workspaces.path("v270_relaunched")
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
    mount += ' && ! touch "$1/x" 2>/dev/null && exec "$2" -c "$3" "$1"'
    command = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        mount,
        "sh",
        str(root),
        sys.executable,
        EVERY_CALL,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr and "BEGIN" not in done.stderr:
        pytest.skip("the system does not let its users mount")
    assert done.stdout.strip() == "2", done.stderr
