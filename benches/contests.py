"""Contests: things that are done in turns, each in a process of its own, and compared within a round.

The machine may be noisy; the median of the rounds' ratios is not, as long as a round is short.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from statistics import median

import directories
import errands
import readers
import worker
from workspaces import FILES, ROOT, environment, run_of, size_of, with_directories, with_results

Found = dict[str, float]
Task = Callable[[], Found]

LIMITS = ROOT / "target" / "limits" / "release" / "limits"
SMALL, MIDDLE, LARGE, HUGE = 1_000, 10_000, 100_000, 1_000_000
ROUNDS = {SMALL: 5, MIDDLE: 5, LARGE: 3, HUGE: 3}
READ_BY = ("experimaestro", "orjson", "orjson_all", "read_ndjson", "duckdb")
OURS = ("xpframe", "xpframe_all", "xpframe_pandas")
# polars refuses fields of several types
IMPOSSIBLE = {("wide", "orjson_all"), ("wide", "read_ndjson")}
# how often a reader reads in its process: the slow ones once where that is long enough
CALLS = {SMALL: 7, MIDDLE: 5, LARGE: 3, HUGE: 1}
SLOW = {
    "experimaestro",
    "orjson_all",
    "loop_experimaestro",
    "default_experimaestro",
    "board_accumulator",
    "board_tbparse",
}
# how many jobs have result files, and the scalars of one job where they are streamed
RESULT_JOBS, STREAMED_SCALARS = 2_000, 25_000

RESULTS = {
    "board": ("board_xpframe", "board_floor"),
    "tensorboard": ("board_xpframe", "board_accumulator", "board_tbparse"),
    "csv": ("csv_xpframe", "csv_polars", "csv_pandas"),
    "json": ("json_xpframe", "json_floor", "json_normalize"),
}

COLD = {
    "python": "pass",
    "polars": "import polars",
    "frame": "import sys, xpframe; xpframe.xp_frame(sys.argv[1], backend='polars')",
    "attribute": "import sys, xpframe\n"
    "for config in xpframe.load_xp_info(sys.argv[1]).jobs.values(): print(config.learning_rate)",
}
PEAK = "\nprint(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"


@dataclass
class Contest:
    """What is compared, and what each took, a round after the other."""

    key: str
    tasks: dict[str, Task]
    rounds: int
    # what the page says of it: the shape, the jobs, the bytes of the two files
    shape: str = ""
    jobs: int = 0
    size: int = 0
    judged: bool = True
    found: list[dict[str, Found]] = field(default_factory=list)

    def hold(self) -> None:
        """Does everything once a round, each round beginning with another task."""
        names = list(self.tasks)
        for at in range(self.rounds):
            start = at % len(names)
            self.found.append({name: self.tasks[name]() for name in names[start:] + names[:start]})

    def ratios(self, over: tuple[str, str], under: tuple[str, str]) -> list[float]:
        """One of each round."""
        return [found[over[0]][over[1]] / found[under[0]][under[1]] for found in self.found]

    def median(self, task: str, what: str) -> float | None:
        """What the rounds say of a task, nothing if it does not tell."""
        values = [found[task][what] for found in self.found if what in found[task]]
        return median(values) if values else None


def contests(
    shapes: list[str], sizes: list[int], rounds: int | None, only: str, *, quick: bool
) -> Iterator[Contest]:
    """The contests that were asked for, one after the other; a workspace is made when its contest comes."""

    def planned() -> Iterator[tuple[str, Callable[[], Contest]]]:
        for shape in shapes:
            for jobs in sizes:
                if not quick or jobs == SMALL or shape == "rich":
                    yield f"{shape}-{jobs}", partial(frames, shape, jobs)
        # small sizes when in haste: the contests are tried, their bars are not judged
        large, middle, few = (MIDDLE, SMALL, 2_000) if quick else (LARGE, MIDDLE, 20_000)
        for shape in shapes:
            yield f"growth-{shape}", partial(growth, shape, [size for size in sizes if size >= middle])
        yield "cold", cold
        yield "lazy", partial(readings, "rich", large, ("lazy_two", "xpframe_all"))
        yield "reload", partial(errand, "reload", "rich", large + large // 100, 1)
        yield "attributes", partial(errand, "attributes", "rich", middle, 5)
        yield "loop", partial(readings, "rich", middle, ("loop_xpframe", "loop_experimaestro"))
        yield "states", partial(states, few)
        yield "default", partial(default, few)
        for end in directories.QUESTIONS:
            yield f"slow-{end}", partial(slow, end, 2_000)
        written = 200 if quick else RESULT_JOBS
        for kind, names in RESULTS.items():
            yield f"results-{kind}", partial(results, written, names)
        yield "results-growth", partial(results_growth, written)
        yield "results-stream", partial(results_stream, 100 if quick else RESULT_JOBS)
        yield "displays", partial(errand, "displays", "rich", middle, 3)

    for key, make in planned():
        if not fnmatch(key, only):
            continue
        contest = make()
        contest.key = key
        contest.judged = not quick
        if quick or rounds:
            contest.rounds = rounds or 2
        if contest.tasks:
            yield contest


def frames(shape: str, jobs: int) -> Contest:
    """All readers of one run, and the limits."""
    run = run_of(shape, jobs)
    others = [] if jobs >= HUGE else [name for name in READ_BY if (shape, name) not in IMPOSSIBLE]
    warm = run_of(shape, 30)
    tasks: dict[str, Task] = {name: reading(name, shape, run, warm, jobs) for name in [*OURS, *others]}
    tasks["limits"] = partial(limits, shape, run, CALLS.get(jobs, 3))
    arrow = worked("arrow_bytes", shape, run, run, 1)["bytes"]
    tasks["bytes"] = lambda: {"mebibytes": (size_of(run) + arrow) / 2**20, "arrow": arrow / 2**20}
    return of_run(run, shape, jobs, tasks)


def growth(shape: str, sizes: list[int]) -> Contest:
    """The same frame of runs of several sizes."""
    warm = run_of(shape, 30)
    tasks = {str(jobs): reading("xpframe_all", shape, run_of(shape, jobs), warm, jobs) for jobs in sizes}
    return Contest("", tasks if len(sizes) > 1 else {}, 5, shape)


def readings(shape: str, jobs: int, names: tuple[str, ...]) -> Contest:
    """Some readers of one run."""
    run, warm = run_of(shape, jobs), run_of(shape, 30)
    return of_run(run, shape, jobs, {name: reading(name, shape, run, warm, jobs) for name in names}, rounds=5)


def states(jobs: int) -> Contest:
    """The states of jobs, found in their directories."""
    run, warm = with_directories(jobs), with_directories(30)
    names = ("states_xpframe", "states_scandir")
    # the kernel knows the directories when the first reader comes
    worked("states_scandir", "rich", run, warm, 1)
    return of_run(
        run, "rich", jobs, {name: reading(name, "rich", run, warm, MIDDLE) for name in names}, rounds=5
    )


def default(jobs: int) -> Contest:
    """What users type, on jobs that have directories, and the floor: the same files opened and read."""
    run, warm = directories.whole_run(jobs), directories.whole_run(30)
    names = ("polars", "pandas", "experimaestro", "failures", "results", "check")
    tasks: dict[str, Task] = {
        f"default_{name}": reading(f"default_{name}", "rich", run, warm, MIDDLE) for name in names
    }
    tasks["default_floor"] = directories.floor(run)
    tasks["default_floor"]()
    return of_run(run, "rich", jobs, tasks, rounds=5)


def slow(end: str, jobs: int) -> Contest:
    """The same where each call below the workspace takes a millisecond."""
    return of_run(
        directories.slow_run(end, jobs), "grid", jobs, {"slow": directories.waiting(end, jobs)}, rounds=3
    )


def results(jobs: int, names: tuple[str, ...]) -> Contest:
    """Readers of the result files of some jobs."""
    run, warm = with_results(jobs), with_results(30)
    rounds = 2 if SLOW & set(names) else 5
    tasks = {name: reading(name, "grid", run, warm, MIDDLE) for name in names}
    return of_run(run, "grid", jobs, tasks, rounds=rounds)


def results_growth(jobs: int) -> Contest:
    """The scalars of a tenth of the jobs, and of all."""
    warm = with_results(30)
    tasks = {
        str(500 * count): reading("board_xpframe", "grid", with_results(count), warm, MIDDLE)
        for count in (jobs // 10, jobs)
    }
    return Contest("", tasks, 5, "grid")


def results_stream(jobs: int) -> Contest:
    """Fifty million scalars into a Parquet file, and what may be in memory meanwhile."""
    run, warm = with_results(jobs, STREAMED_SCALARS), with_results(30)
    tasks: dict[str, Task] = {"board_stream": reading("board_stream", "grid", run, warm, HUGE)}
    tasks["gibibyte"] = lambda: {"mebibytes": 1024.0}
    return Contest("", tasks, 1, "grid", jobs, 0)


def errand(name: str, shape: str, jobs: int, calls: int) -> Contest:
    """What errands.py knows to do with one run."""
    run = run_of(shape, jobs)
    return of_run(run, shape, jobs, {name: partial(worked, name, shape, run, run, calls)}, rounds=5)


def cold() -> Contest:
    """Whole processes, from the first byte of Python to the last."""
    run = run_of("grid", 30)
    tasks: dict[str, Task] = {name: partial(process, code, run) for name, code in COLD.items()}
    return of_run(run, "grid", 30, tasks, rounds=15)


def of_run(run: Path, shape: str, jobs: int, tasks: dict[str, Task], rounds: int | None = None) -> Contest:
    """A contest about one run, whose files come into the page cache now."""
    warm_cache(run)
    return Contest("", tasks, rounds or ROUNDS.get(jobs, 5), shape, jobs, size_of(run))


def reading(name: str, shape: str, run: Path, warm: Path, jobs: int) -> Task:
    """A reader of readers.py in a process of its own, `jobs` says how often it may read there."""
    calls = 1 if name in SLOW and jobs > SMALL else CALLS.get(jobs, 3)

    def once() -> Found:
        found = worked(name, shape, run, warm, calls)
        assert found["rows"] >= 20, (name, found)
        return found

    return once


def worked(name: str, shape: str, run: Path, warm: Path, calls: int) -> Found:
    """What worker.py says."""
    assert name in errands.ERRANDS or name in readers.READERS, name
    command = [sys.executable, str(Path(worker.__file__)), name, shape, str(run), str(warm), str(calls)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    found: Found = json.loads(done.stdout)
    return found


def limits(shape: str, run: Path, calls: int) -> Found:
    """What the program limits says: the median of its calls for each limit."""
    command = [str(LIMITS), shape, str(run), str(calls)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said = json.loads(done.stdout)
    return {name: median(seconds) for name, seconds in said.items() if isinstance(seconds, list)}


def process(code: str, run: Path) -> Found:
    """The seconds of a whole process; its peak of memory is asked of another one."""

    def command(what: str) -> list[str]:
        return [sys.executable, "-c", what, str(run)]

    start = time.perf_counter()
    subprocess.run(command(code), check=True, stdout=subprocess.DEVNULL, env=environment())
    found = {"first": time.perf_counter() - start}
    if Path("/proc/self/status").exists():
        done = subprocess.run(
            command(code + PEAK), check=True, capture_output=True, text=True, env=environment()
        )
        found["mebibytes"] = int(done.stdout.split()[-1]) / 1024
    return found


def warm_cache(run: Path) -> None:
    """The files are in the page cache when the first reader comes."""
    for name in FILES:
        with (run / name).open("rb") as file:
            while file.read(1 << 20):
                pass
