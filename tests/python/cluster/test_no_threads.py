"""Processes in which no thread can start, as on login nodes with limits: the calling thread does the work."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from public_names import public_directory
from reliability import effort

JOBS = 12_000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is read by several threads where they start, and whose memory is given back by another."""
    root = tmp_path_factory.mktemp("threads")
    (root / ".__experimaestro__").touch()
    for number in range(3):
        run = root / "experiments" / ("large" if number == 2 else "grid") / f"20260101_00000{number}"
        run.mkdir(parents=True)
        states = {}
        with (run / "jobs.jsonl").open("w") as jobs, (run / "objects.jsonl").open("w") as objects:
            for job in range(JOBS if number == 2 else 40):
                job_id = hashlib.sha256(f"{number} {job}".encode()).hexdigest()
                row = {
                    "job_id": job_id,
                    "task_id": "lab.train",
                    "tags": {"size": job},
                    "timestamp": 1.7e9 + job,
                }
                fields = {"rate": job / 8, "name": f"n{job % 7}", "sizes": [job, job + 1]}
                config = {"id": job + 1, "module": "lab", "type": "Train", "typename": "lab.train"}
                if number == 1 and job % 2:
                    write_results(root / "jobs" / "lab.train" / job_id, job)
                states[job_id] = "error" if job % 3 else "done"
                jobs.write(json.dumps(row) + "\n")
                objects.write(json.dumps({**config, "identifier": job_id, "fields": fields}) + "\n")
        if number == 2:
            (run / "status.json").write_text(json.dumps({"job_states": states}))
    return root


@pytest.fixture
def public_path() -> Iterator[Path]:
    """A directory for processes of another user."""
    with public_directory() as path:
        yield path


def write_results(directory: Path, job: int) -> None:
    """What a job wrote: every fourth one failed."""
    directory.mkdir(parents=True)
    (directory / "metrics.json").write_text(json.dumps({"loss": job / 3}))
    (directory / "rows.csv").write_text(
        "".join(f"{line}\n" for line in ("step,loss", f"1,{job}", f"2,{job}"))
    )
    (directory / ("train.failed" if job % 4 == 1 else "train.done")).write_text("1")
    (directory / "train.err").write_text("Traceback (most recent call last):\nValueError: no\n")


READ = """
    import hashlib, json, resource, sys, time, warnings
    import pandas, polars, pyarrow
    import xpframe
    warnings.simplefilter("error")
    root = sys.argv[1]

    class Output:
        "Where progress would be shown."
        def update(self, position): pass
        def close(self, position): pass

    def read():
        workspace = xpframe.Workspace(root)
        info = workspace.load_xp_info("grid")
        table = xpframe.xp_table("grid", workspace=root, run="all")
        seen = [info.states, info.tags, repr(info), info._repr_html_(), list(info.jobs)[:3], info.errors]
        seen += [xpframe.asdict(job) for job in list(info.jobs.values())[:50]]
        seen += [table.column_values(name) for name in table.column_names]
        seen.append(xpframe.xp_frame("grid", workspace=root, backend="pandas").to_csv())
        seen.append(str(workspace.check("grid")))
        seen.append(info.refresh().since(info) is not None)
        large = workspace.load_xp_info("large")
        seen.append(hashlib.sha256(large.table(columns="config.*").write(sys.argv[-1]).read_bytes()).hexdigest())
        lazy = xpframe.scan_xp("grid", workspace=root, run="all")
        seen.append(lazy.filter(polars.col("tags.size") < 5).collect().to_dicts())
        seen.append(lazy.collect(engine="streaming").height)
        seen.append(xpframe.failures("grid", workspace=root, backend="polars").to_dicts())
        results = xpframe.xp_table("grid", workspace=root, results={"m": "metrics.json", "c": "rows.csv"})
        seen += [results.column_values(name) for name in results.column_names if "result" in name]
        seen.append(xpframe.xp_series("grid", "rows.csv", workspace=root, backend="polars").to_dicts())
        curves = xpframe.scan_series("grid", "rows.csv", workspace=root, columns=["tags.size"])
        seen.append(curves.filter(polars.col("step") > 1).collect().to_dicts())
        seen.append([part.arrow().num_rows for part in xpframe.parts("large", workspace=root, rows=5000)])
        seen.append(str(xpframe.result_files("grid", workspace=root)))
        states = xpframe.xp_table("large", workspace=root, columns=["job_id", "state"])
        seen.append([states.column_values(name) for name in states.column_names])
        seen.append(len(xpframe.xp_table("grid", workspace=root, where="size < 5 and rate > 0.1")))
        seen.append(len(xpframe.WorkspaceStateProvider(root).get_jobs("grid")))
        from xpframe import progress
        with progress.watch(lambda: (1, 2, "jobs"), "title", output=Output()):
            time.sleep(0.01)
        return hashlib.sha256(repr(seen).encode()).hexdigest()
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READ) + textwrap.dedent(code), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.mark.slow
def test_each_thread_that_does_not_start(workspace: Path, tmp_path: Path) -> None:
    """However many threads start, from none to all: the same is read, and nothing is said on stderr."""
    library = tmp_path / "no_threads.so"
    source = Path(__file__).with_name("no_threads.c")
    command = [
        "cc",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        str(library),
        str(source),
    ]
    subprocess.run([*command, "-ldl"], check=True)
    code = """
        import ctypes
        threads = ctypes.CDLL(sys.argv[2])
        healthy = read()
        threads.threads_allow(-1)
        read()
        needed = threads.threads_started()
        refused = []
        for allowed in sorted({*range(0, needed, int(sys.argv[3])), 1, 2, 10_000}):
            threads.threads_allow(allowed)
            assert read() == healthy, allowed
            refused.append(threads.threads_refused())
        print(json.dumps([needed, refused]))
    """
    step, out = str(effort(7, 1)), str(tmp_path / "out.jsonl")
    done = run(code, str(workspace), str(library), step, out, LD_PRELOAD=str(library))
    assert (done.returncode, done.stderr) == (0, "")
    needed, refused = json.loads(done.stdout)
    # a thread for each read, for parts of the file, for batches, for progress
    assert needed > 10
    # how many wait for files depends on how long they took
    assert refused[0] > 10
    assert refused[-1] == 0


@pytest.mark.parametrize(
    "left", [0, 1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_limit_on_processes(left: int, workspace: Path, public_path: Path) -> None:
    """With RLIMIT_NPROC all but used up by the user's own threads, everything is read as without a limit."""
    code = """
        import os, threading
        healthy = read()
        os.unlink(sys.argv[-1])  # root wrote it
        if os.geteuid() == 0:
            os.setuid(54321)  # a user that has nothing else
        time.sleep(0.2)  # threads that ended are counted for a moment
        left = int(sys.argv[2])
        limit = len(os.listdir("/proc/self/task")) + left if left else 1
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
        if not left:
            try:
                threading.Thread(target=int).start()
            except RuntimeError:
                pass
            else:
                sys.exit("the limit does not hold")
        print(read() == healthy)
    """
    root = Path(shutil.copytree(workspace, public_path / "workspace"))
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    done = run(code, str(root), str(left), str(public_path / "out.jsonl"), PYTHONDONTWRITEBYTECODE="1")
    if "the limit does not hold" in done.stderr:
        pytest.skip("this kernel does not apply RLIMIT_NPROC to this process")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
