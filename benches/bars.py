"""The limits that a change must not cross, and whether the measurements keep them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from contests import Contest

Place = tuple[str, str]
FIRST = "first"
OURS = ("xpframe_all", FIRST)


@dataclass(frozen=True)
class Bar:
    """A limit for the ratio of two measurements of one contest; with `least` a minimum, else a maximum."""

    measure: str
    contest: str
    over: Place
    under: Place
    must: float
    aim: float | None = None
    least: bool = False

    def ratios(self, held: dict[str, Contest]) -> list[float]:
        """One ratio per round; empty if this was not measured."""
        contest = held.get(self.contest)
        if contest is None or any(task not in contest.tasks for task, _ in (self.over, self.under)):
            return []
        return contest.ratios(self.over, self.under)

    def verdict(self, held: dict[str, Contest]) -> str:
        ratios = self.ratios(held)
        if not ratios:
            return "not measured"
        if not held[self.contest].judged:
            return "tried only"
        reached = median(ratios)
        if not self.keeps(reached, self.must):
            return "MISSED"
        return "aim met" if self.aim is not None and self.keeps(reached, self.aim) else "met"

    def keeps(self, reached: float, asked: float) -> bool:
        return reached >= asked if self.least else reached <= asked


def times_faster(other: str, shown: str, shape: str, jobs: int, must: float, aim: float | None = None) -> Bar:
    measure = f"{shown} / full frame: {shape}, {jobs:,} jobs"
    return Bar(measure, f"{shape}-{jobs}", (other, FIRST), OURS, must, aim, least=True)


EXPERIMAESTRO = "experimaestro"
ORJSON = "orjson loop"

BARS = [
    *(
        times_faster("experimaestro", EXPERIMAESTRO, shape, 1_000, 60, 120)
        for shape in ("grid", "rich", "wide")
    ),
    *(
        times_faster("experimaestro", EXPERIMAESTRO, shape, 10_000, must, 2 * must)
        for shape, must in (("grid", 130), ("rich", 180), ("wide", 90))
    ),
    times_faster("experimaestro", EXPERIMAESTRO, "rich", 100_000, 250, 500),
    *(
        times_faster("orjson_all", ORJSON, shape, 100_000, must)
        for shape, must in (("grid", 20), ("rich", 60))
    ),
    Bar(
        "two columns, lazily / full frame: rich, 100,000 jobs",
        "lazy",
        ("lazy_two", FIRST),
        OURS,
        0.7,
        0.5,
    ),
    Bar(
        "reload after 1 % was appended / full read: rich, 100,000 jobs",
        "reload",
        ("reload", "reload_objects"),
        ("reload", "full_objects"),
        0.06,
        0.03,
    ),
    Bar(
        "attribute of a config / of a plain Python object",
        "attributes",
        ("attributes", "of_config"),
        ("attributes", "of_plain"),
        5,
        3,
    ),
    Bar(
        "loop / experimaestro's loop: rich, 10,000 jobs",
        "loop",
        ("loop_xpframe", FIRST),
        ("loop_experimaestro", FIRST),
        1 / 20,
        1 / 40,
    ),
    Bar(
        "process: import, polars frame of 30 jobs / `import polars`",
        "cold",
        ("frame", FIRST),
        ("polars", FIRST),
        1.2,
        1.05,
    ),
    Bar(
        "process: import, attributes of 30 jobs / `python -c pass`",
        "cold",
        ("attribute", FIRST),
        ("python", FIRST),
        2,
        1.5,
    ),
    *(
        Bar(
            f"full frame of 1,000,000 jobs / of 100,000 jobs: {shape}",
            f"growth-{shape}",
            ("1000000", FIRST),
            ("100000", FIRST),
            11,
            10,
        )
        for shape in ("grid", "rich", "wide")
    ),
    *(
        Bar(
            f"full frame of 100,000 jobs / of 10,000 jobs: {shape}",
            f"growth-{shape}",
            ("100000", FIRST),
            ("10000", FIRST),
            12,
        )
        for shape in ("grid", "rich", "wide")
    ),
    *(
        Bar(
            f"peak memory / (files + Arrow): rich, {jobs:,} jobs",
            f"rich-{jobs}",
            ("xpframe_all", "mebibytes"),
            ("bytes", "mebibytes"),
            1.0,
            0.8,
        )
        for jobs in (100_000, 1_000_000)
    ),
    Bar(
        "default call / open and read its files: 20,000 directories",
        "default",
        ("default_polars", FIRST),
        ("default_floor", FIRST),
        1.5,
    ),
    Bar(
        "experimaestro's provider / default call: 20,000 job directories",
        "default",
        ("default_experimaestro", FIRST),
        ("default_polars", FIRST),
        20,
        least=True,
    ),
    *(
        Bar(
            f"full frame, pandas / polars: {shape}, {jobs:,} jobs",
            f"{shape}-{jobs}",
            ("xpframe_pandas", FIRST),
            OURS,
            must,
        )
        for jobs, must in ((1_000, 2.0), (100_000, 1.3))
        for shape in ("grid", "rich", "wide")
    ),
    Bar(
        "states of 20,000 jobs / `os.scandir` and `stat`",
        "states",
        ("states_xpframe", FIRST),
        ("states_scandir", FIRST),
        0.5,
        0.25,
    ),
    *(
        Bar(f"{measure}, 2,000 jobs", f"results-{kind}", (over, FIRST), (under, FIRST), must, least=least)
        for measure, kind, over, under, must, least in (
            ("1 M scalars / open and read", "board", "board_xpframe", "board_floor", 4, False),
            ("EventAccumulator / 1 M scalars", "tensorboard", "board_accumulator", "board_xpframe", 60, True),
            ("tbparse / 1 M scalars", "tensorboard", "board_tbparse", "board_xpframe", 100, True),
            ("400,000 CSV rows / `polars.scan_csv`", "csv", "csv_xpframe", "csv_polars", 0.6, False),
            ("pandas loop / 400,000 CSV rows", "csv", "csv_pandas", "csv_xpframe", 8, True),
            ("JSON files / open and read", "json", "json_xpframe", "json_floor", 3, False),
            ("json and json_normalize / JSON files", "json", "json_normalize", "json_xpframe", 1, True),
        )
    ),
    Bar("1 M scalars / 100,000 scalars", "results-growth", ("1000000", FIRST), ("100000", FIRST), 12),
    Bar(
        "peak memory: 50 M scalars to Parquet / 1 GiB",
        "results-stream",
        ("board_stream", "mebibytes"),
        ("gibibyte", "mebibytes"),
        1,
    ),
]
