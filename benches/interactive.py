"""Judges what a person waits for: the import, a display, a Tab, a progress bar.

    python benches/interactive.py [--rounds 5]

Exits with 1 when one of these is missed:

- `import xpframe` takes at most 30 ms more than bare Python;
- each display and picture of a run of 10,000 jobs takes at most 200 ms; so does that of a workspace
  of 1,000 experiments;
- a Tab is answered within 50 ms: names in a workspace of 1,000 experiments, listed anew each time, and the
  fields of an object;
- a read whose progress is shown takes at most 1.1 times as long as one whose progress is not.

Each figure is the best of the rounds: other work on the machine is not what is measured.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lazy import Bar
from workspaces import environment, refuse_slow_build, run_of, with_directories

JOBS = 10_000
EXPERIMENTS = 1_000


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    refuse_slow_build()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home:
        many = many_experiments(Path(home))
        bars = [*imports(3 * rounds), *displays(many, rounds), *tabs(many, rounds), *progress(rounds)]
    print(*bars, sep="\n")
    return int(not all(bar.met() for bar in bars))


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def many_experiments(home: Path) -> Path:
    """A workspace of many experiments, each with the sample's run."""
    from xpframe import sample_workspace

    workspace = home / "workspace"
    shutil.copytree(sample_workspace(), workspace, symlinks=True)
    (run,) = (workspace / "experiments" / "grid-search").glob("2*")
    for number in range(EXPERIMENTS):
        shutil.copytree(run, workspace / "experiments" / f"exp-{number:03}" / run.name, symlinks=True)
    return workspace


def imports(rounds: int) -> Iterator[Bar]:
    def run(code: str) -> float:
        command = [sys.executable, "-c", code]
        return seconds(lambda: subprocess.run(command, check=True, env=environment()))

    bare, full = (min(run(code) for _ in range(rounds)) for code in ("pass", "import xpframe"))
    yield Bar("import xpframe, over bare Python", 1000 * (full - bare), 30, " ms")


def displays(many: Path, rounds: int) -> Iterator[Bar]:
    import xpframe

    workspace = xpframe.Workspace(many)
    shown: dict[str, Callable[[], object]] = {f"{EXPERIMENTS} experiments": workspace._repr_html_}
    for shape, run in (("rich", with_directories(JOBS)), ("wide", run_of("wide", JOBS))):
        info = xpframe.load_xp_info(run)
        table = info.table()
        shown |= {
            f"{shape}, info": info._repr_html_,
            f"{shape}, info as text": partial(repr, info),
            f"{shape}, jobs": info.jobs._repr_html_,
            f"{shape}, table": table._repr_html_,
            f"{shape}, config": next(iter(info.jobs.values()))._repr_html_,
            f"{shape}, states": info.plot.states,
            f"{shape}, parallel": info.plot.parallel,
            f"{shape}, timeline": info.plot.timeline,
            f"{shape}, tasks": info.plot.tasks,
        }
    for name, call in shown.items():
        best = min(seconds(call) for _ in range(rounds))
        yield Bar(f"display of {name}", 1000 * best, 200, " ms")


def tabs(many: Path, rounds: int) -> Iterator[Bar]:
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "xpframe")
    shell.run_line_magic("xpm", f"use {many}")
    shell.run_cell("info = %xpm info grid-search\njob_id = next(iter(info.jobs))", silent=True)

    def answer(code: str) -> None:
        with provisionalcompleter():
            found = list(shell.Completer.completions(code, len(code)))
        assert found, code

    for code in ("%xpm lo", "%xpm load exp-9", "%xpm load exp-001 --run 20", "info.jobs[job_id].mo"):
        times = []
        for _ in range(rounds):
            # listings are believed for a while
            shell.run_line_magic("reload_ext", "xpframe")
            shell.run_line_magic("xpm", f"use {many}")
            times.append(seconds(partial(answer, code)))
        yield Bar(f"Tab after {code!r}", 1000 * min(times), 50, " ms")


def progress(rounds: int) -> Iterator[Bar]:
    import xpframe
    from xpframe import progress

    class Nowhere:
        """Shows nothing, as fast as it can."""

        def update(self, position: progress.Position) -> None:
            pass

        def close(self, position: progress.Position) -> None:
            pass

    run = run_of("rich", 10 * JOBS)
    progress.PATIENCE = 0.0
    progress.detect_output = Nowhere
    calls = [partial(xpframe.xp_table, run, quiet=quiet) for quiet in (False, True)]
    pairs = [[seconds(call) for call in calls] for _ in range(2 * rounds)]
    shown, quiet = (min(pair[index] for pair in pairs) for index in (0, 1))
    yield Bar("a read with progress over one without", shown / quiet, 1.1)


if __name__ == "__main__":
    sys.exit(main())
