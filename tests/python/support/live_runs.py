"""Real experiments that run in a process of their own, to be looked at, and killed, while they run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TASKS = """
import time

from experimaestro import Action, Config, Interaction, Param, Task, experiment, tag


class Model(Config):
    size: Param[int]


class Learn(Task):
    model: Param[Model]
    n: Param[int]
    seconds: Param[float]
    fails: Param[bool]

    def execute(self):
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError("diverged")


class Judge(Task):
    learnt: Param[Learn]
    n: Param[int]

    def execute(self):
        pass


class Export(Action):
    model: Param[Model]

    def describe(self):
        return f"Export {self.model.size}"

    def execute(self, interaction: Interaction):
        raise NotImplementedError


def search(workspace, jobs, seconds):
    jobs, seconds = int(jobs), float(seconds)
    with experiment(workspace, "grid", no_environmental_impact=True, register_signals=False) as xp:
        models = [Model.C(size=size) for size in (1, 2)]
        xp.add_action(Export.C(model=models[0]))
        for n in range(jobs):
            # the third of four fails, and so does what depends on it
            learn = Learn.C(model=models[n % 2], n=tag(n), seconds=seconds * (n % 3), fails=n % 4 == 2)
            learnt = learn.submit()
            if n % 2 == 0:
                Judge.C(learnt=learnt, n=tag(n)).submit()
            time.sleep(seconds / 4)
"""


@dataclass
class Live:
    """An experiment that runs."""

    workspace: Path
    driver: subprocess.Popen[bytes]

    def run(self) -> Path | None:
        """The directory of its run, as soon as it is there."""
        found = sorted(self.workspace.glob("experiments/grid/2*"))
        return found[-1] if found else None

    def wait_for(self, name: str, seconds: float = 60) -> Path:
        """Waits until the run has a file."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = self.run()
            if run and (run / name).exists():
                return run
            assert self.driver.poll() is None, "the driver ended before"
            time.sleep(0.01)
        raise AssertionError(f"no {name} after {seconds} s")

    def job_processes(self) -> list[int]:
        """The processes of its jobs: those that name the workspace in their command line, but the driver."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = entry.read_bytes()
            except OSError:
                continue
            if os.fsencode(f"{self.workspace}/jobs/") in command:
                found.append(int(entry.parent.name))
        return found

    def kill(self, *, with_jobs: bool) -> None:
        """Kills the driver; its jobs too, or lets them end."""
        os.killpg(self.driver.pid, signal.SIGKILL)
        self.driver.wait(30)
        end = time.monotonic() + 30
        while (left := self.job_processes()) and time.monotonic() < end:
            for process in left if with_jobs else ():
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)
        assert not left


def start(home: Path, *, jobs: int, seconds: float) -> Live:
    """Starts an experiment of so many jobs, a job taking up to twice the seconds."""
    code, workspace = home / "code", home / "ws"
    code.mkdir(exist_ok=True)
    (code / "live_tasks.py").write_text(TASKS)
    call = "import sys, live_tasks; live_tasks.search(*sys.argv[1:])"
    with (home / "driver.log").open("wb") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", call, str(workspace), str(jobs), str(seconds)],
            cwd=code,
            env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(code)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Live(workspace, driver)
