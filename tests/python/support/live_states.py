"""Real drivers whose jobs wait, time out and are submitted again, under a clock of any zone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from live_runs import Live

if TYPE_CHECKING:
    from pathlib import Path

TASKS = """
import time
from pathlib import Path

from experimaestro import GracefulTimeout, Param, ResumableTask, Task, experiment
from experimaestro.tokens import CounterToken


class Hold(Task):
    seconds: Param[float]

    def execute(self):
        time.sleep(self.seconds)


class Resumed(ResumableTask):
    n: Param[int]

    def execute(self):
        if not Path("tried").exists():
            Path("tried").touch()
            time.sleep(3)
            raise GracefulTimeout("out of time")


class Mended(Task):
    n: Param[int]

    def execute(self):
        if not Path("tried").exists():
            Path("tried").touch()
            raise ValueError("diverged")


def submit(token, task):
    token(1, task)
    task.submit()
    time.sleep(0.5)


def opened(workspace):
    return experiment(workspace, "grid", no_environmental_impact=True, register_signals=False)


def timed_out(workspace, seconds):
    # the holder gets the token when the first attempt times out
    with opened(workspace) as xp:
        token = CounterToken("one", xp.workdir / "token", 1)
        submit(token, Resumed.C(n=1))
        submit(token, Hold.C(seconds=seconds))


def failed(workspace, seconds):
    with opened(workspace) as xp:
        Mended.C(n=1).submit()


def submitted_again(workspace, seconds):
    with opened(workspace) as xp:
        token = CounterToken("one", xp.workdir / "token", 1)
        submit(token, Hold.C(seconds=seconds))
        submit(token, Mended.C(n=1))


def waiting(workspace, seconds):
    with opened(workspace) as xp:
        token = CounterToken("one", xp.workdir / "token", 1)
        submit(token, Hold.C(seconds=seconds))
        submit(token, Mended.C(n=2))


def plain(workspace, seconds):
    with opened(workspace) as xp:
        Hold.C(seconds=seconds).submit()
"""


def start(home: Path, story: str, seconds: float, zone: str = "UTC") -> Live:
    """Starts a driver that does what a function above says."""
    code, workspace = home / "code", home / "ws"
    code.mkdir(exist_ok=True)
    (code / "waiting_tasks.py").write_text(TASKS)
    call = "import sys, waiting_tasks as w; getattr(w, sys.argv[1])(sys.argv[2], float(sys.argv[3]))"
    with (home / "driver.log").open("wb") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", call, story, str(workspace), str(seconds)],
            cwd=code,
            env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(code), "TZ": zone},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Live(workspace, driver)
