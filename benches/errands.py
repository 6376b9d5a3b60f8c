"""What a person does with a run besides reading a frame of it; each says itself what it took, in seconds.

An errand is a function of a run directory, a shape and how often to do it.
"""

from __future__ import annotations

import tempfile
import time
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from readers import ALL
from workspaces import DATA, copy_cut, size_of

Found = dict[str, float]


class Plain:
    """A Python object without any library's help."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


def attributes(run: Path, _shape: str, calls: int) -> Found:
    """One access to an attribute, of a config and of a plain Python object, after the first."""
    from xpframe import load_xp_info

    info = load_xp_info(run)
    config = next(iter(info.jobs.values()))
    timers = {
        "of_config": timeit.Timer("it.seed", globals={"it": config}),
        "of_plain": timeit.Timer("it.seed", globals={"it": Plain(config.seed)}),
    }
    number = 200_000
    best = dict.fromkeys(timers, float("inf"))
    for _ in range(calls):
        for name, timer in timers.items():
            best[name] = min(best[name], timer.timeit(number) / number)
    return best


def reload(run: Path, shape: str, calls: int) -> Found:
    """A run that was read grows by 1 %: what reading it again takes, and what reading all of it takes.

    `objects` is about the objects of the jobs, `frame` about all columns as a polars frame.
    """
    from xpframe import xp_frame

    jobs = sum(1 for _ in (run / "jobs.jsonl").open("rb")) * 100 // 101
    found: dict[str, list[float]] = {}
    for _ in range(calls):
        with tempfile.TemporaryDirectory(dir=DATA, prefix="reload-") as into:
            copied, rest = copy_cut(run, shape, jobs, Path(into))
            held = objects(copied)
            frame = xp_frame(copied, columns=ALL, backend="polars")
            assert frame.height == jobs
            del frame
            for name, content in rest.items():
                with (copied / name).open("ab") as file:
                    file.write(content)
            assert size_of(copied) == size_of(run)
            timed(found, "reload_objects", partial(again, held, copied))
            timed(found, "reload_frame", partial(xp_frame, copied, columns=ALL, backend="polars"))
            timed(found, "full_objects", partial(objects, run))
            timed(found, "full_frame", partial(xp_frame, run, columns=ALL, backend="polars"))
    return {name: median(seconds) for name, seconds in found.items()}


def objects(run: Path) -> Any:
    """A run with the objects of its jobs read."""
    from xpframe import load_xp_info

    info = load_xp_info(run)
    next(iter(info.jobs.values()))
    return info


def again(info: Any, run: Path) -> Any:
    """The same run, grown: refreshed where xpframe can do that, else loaded anew."""
    refresh = getattr(info, "refresh", None)
    if refresh is None:
        return objects(run)
    refreshed = refresh() or info
    # the job that was submitted last is one of the new ones
    refreshed.jobs[next(reversed(refreshed.jobs))]
    return refreshed


def displays(run: Path, _shape: str, calls: int) -> Found:
    """The notebook's view of a run, of its jobs and of one config, each of a run that was just loaded."""
    found: dict[str, list[float]] = {}
    for _ in range(calls):
        info = objects(run)
        timed(found, "info", info._repr_html_)
        timed(found, "jobs", info.jobs._repr_html_)
        timed(found, "config", next(iter(info.jobs.values()))._repr_html_)
        timed(found, "load", lambda: objects(run))
    return {name: median(seconds) for name, seconds in found.items()}


def arrow_bytes(run: Path, _shape: str, _calls: int) -> Found:
    """The bytes of the Arrow table of all columns; a buffer that several columns share is counted once."""
    import pyarrow

    from xpframe import xp_table

    return {"bytes": pyarrow.table(xp_table(run, columns=ALL)).get_total_buffer_size()}


def timed(found: dict[str, list[float]], name: str, do: Callable[[], Any]) -> None:
    start = time.perf_counter()
    result = do()
    found.setdefault(name, []).append(time.perf_counter() - start)
    assert result is not None


ERRANDS: dict[str, Callable[[Path, str, int], Found]] = {
    errand.__name__: errand for errand in (attributes, reload, displays, arrow_bytes)
}
