"""What the system sees of xpframe: reads below the workspace, no socket, no program, no module of a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reliability import effort, figures
from strace import require_strace

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workspaces

# every public name, the command line and the magic, on each run of a workspace
EVERY_CALL = r"""
import contextlib, io, os, pathlib, pickle, sys, warnings
import pandas, polars, pyarrow, IPython
from IPython.core.interactiveshell import InteractiveShell
import xpframe
from xpframe import cli
warnings.simplefilter("ignore")
root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
used = set()
CALLED_OTHERWISE = ("table", "frame", "load", "plot", "refresh", "since")

class Watched:
    def __getattr__(self, name):
        used.add(name)
        return getattr(xpframe, name)

x = Watched()
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
shell.run_line_magic("load_ext", "xpframe")
sample = x.sample_workspace()
polars.DataFrame({"a": [1]}).lazy().filter(polars.col("a") > 0).collect()
pandas.DataFrame({"a": ["b"]}).to_html()
print("BEGIN", file=sys.stderr, flush=True)
x.use(root)
workspace = x.Workspace()
x.WorkspaceStateProvider(root)
calls = 0
quiet = io.StringIO()

def attempt(call, *arguments, **options):
    global calls
    calls += 1
    try:
        return call(*arguments, **options)
    except xpframe.XpFrameError:
        return None

with contextlib.redirect_stdout(quiet):
    for name in workspace.experiments():
        for run_id in workspace.runs(name):
            info = attempt(x.load_xp_info, workspace.load_xp_info(name, run_id).path)
            for job in info.jobs.values():
                attempt(x.asdict, job)
                x.fields(job), x.tags(job), x.typename(job), x.identifier(job)
                x.path(job), x.producer(job), x.upstream(job)
                repr(job), job._repr_html_(), hash(job), job == job, dir(job), pickle.loads(pickle.dumps(job))
            [action.describe() for action in info.actions.values()]
            for fact in dir(info):
                if not fact.startswith("_") and fact not in CALLED_OTHERWISE:
                    attempt(getattr, info, fact)
            repr(info), info._repr_html_()
            for extra in ("refresh",):
                attempt(getattr(info, extra, lambda: None))
            for saved in info.saved:
                attempt(info.load, saved)
            for backend in ("pandas", "polars", "pyarrow"):
                attempt(x.xp_frame, info.path, backend=backend)
            attempt(x.xp_table, info.path, results=x.Result("*.json"))
            attempt(x.failures, info.path), attempt(x.compare, info, info), attempt(x.result_files, info.path)
            attempt(x.xp_series, info.path, "log.jsonl")
            attempt(lambda: x.scan_series(info.path, "log.jsonl").collect())
            for answer in (x.factors, x.coverage, x.replicates):
                attempt(lambda: answer(x.xp_frame(info.path)))
            attempt(lambda: [x.diff(job, job) for job in info.jobs.values()])
            attempt(lambda: x.scan_xp(info.path).select("job_id", "state").collect())
            attempt(lambda: [part.arrow() for part in x.parts(info.path)])
            attempt(lambda: [part.arrow() for part in x.series_parts(info.path, "log.jsonl")])
            attempt(x.last_read)
            attempt(workspace.get_tags_map, name, run_id)
            attempt(workspace.get_dependencies_map, name, run_id)
        attempt(workspace.get_current_run, name), attempt(workspace.load, name)
        for words in (["ls"], ["runs", name], ["schema", name], ["frame", name], ["frame", name, "--json"],
                      ["frame", name, "-o", str(out / f"{name}.parquet")], ["check", str(root)]):
            try:
                cli.main([*words] if words[0] == "check" else [*words, "-w", str(root)])
            except SystemExit:
                pass
        for words in ("load {}", "load {} --lazy", "info {}", "runs {}", "schema {}", "ls"):
            attempt(shell.run_line_magic, "xpm", words.format(name))
        shell.run_line_magic("xpm", f"use {root}")
    attempt(getattr(workspace, "check", lambda: None))
    workspace._repr_html_(), repr(workspace)
print("END", file=sys.stderr, flush=True)
no_calls = {"Action", "Config", "EnumValue", "ExperimentInfo", "ReadReport", "Table", "Unresolved"}
no_calls |= {"XpFrameError", "XpFrameWarning", "__version__", "sample_workspace"}
# copies from another machine, over the network
no_calls |= {"pull", "Pulled"}
rest = set(xpframe.__all__) - used - no_calls
assert not rest, f"never called: {rest}"
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("labpkg", "experimaestro", "lab"))
assert not foreign, foreign
print(calls, flush=True)
os._exit(0)
"""

CHANGES = (
    r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)|\b(un|sym)?link(at)?\(|\brename|\b(mk|rm)dir|utime|f?ch(mod|own)"
)
CHANGES += r"|truncate|mknod|setxattr|fallocate|\bp?writev?(64)?\("
FOREIGN = r"\b(socket|connect|bind|sendto|sendmsg|execve|execveat|fork|vfork|ptrace|mount)\("


@pytest.fixture(scope="module")
def strace() -> str:
    return require_strace()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v270_full", "v1161_full", "v270_quirks"][: effort(1, 3)])
def test_the_system_sees_only_reads(name: str, strace: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """No public call changes anything below the workspace, opens a socket, or runs a program."""
    root = workspaces.path(name)
    log, out = tmp_path / "calls", tmp_path / "out"
    out.mkdir()
    traps = tmp_path / "traps"
    for module in ("labpkg", "lab"):
        (traps / module).mkdir(parents=True)
        (traps / module / "__init__.py").write_text("raise SystemExit('a module of a file was imported')\n")
    groups = "trace=%file,%network,%process,%desc"
    command = [strace, "-f", "-y", "-s", "300", "-e", groups, "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", EVERY_CALL, str(root), str(out)],
        env={**os.environ, "HOME": str(out), "IPYTHONDIR": str(out), "PYTHONPATH": str(traps)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    calls = int(done.stdout.splitlines()[-1])
    lines = log.read_text(errors="replace").splitlines()
    begin, end = (next(n for n, line in enumerate(lines) if f'"{word}' in line) for word in ("BEGIN", "END"))
    watched = [line for line in lines[begin + 1 : end] if "ENOENT" not in line]
    inside = [line for line in watched if str(root) in line]
    changing = [line for line in inside if re.search(CHANGES, line.partition(" = ")[0])]
    # what is written for the user: the files asked for, and words of the command line
    told = re.compile(r"\bwrite\((1|2|\d+</dev/null>|\d+<anon_inode:\[eventfd\]>|\d+<pipe:)")
    changing = [line for line in changing if str(out) not in line and not told.search(line)]
    assert changing == []
    foreign = [line for line in watched if re.search(FOREIGN, line) and "resumed" not in line]
    assert foreign == []
    imported = [line for line in watched if str(traps) in line and "O_RDONLY" in line and ".py" in line]
    assert imported == []
    assert len(inside) > 300
    assert calls > 50
    figures(
        f"trace-{name}", {"calls": calls, "system calls": len(watched), "below the workspace": len(inside)}
    )
