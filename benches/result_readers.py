"""The ways from the result files of jobs to one frame: xpframe's, and those it is measured against."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

EVENTS = "runs/events.out.tfevents.*"


def directories(run: Path) -> Iterator[tuple[str, Path]]:
    """The identifier and the directory of each job."""
    jobs = run.parents[2] / "jobs"
    with (run / "jobs.jsonl").open() as lines:
        for job in map(json.loads, lines):
            yield job["job_id"], jobs / job["task_id"] / job["job_id"]


def opened_and_read(run: Path, pattern: str) -> int:
    """Opens and reads the files, as large as they are, and does nothing with them."""
    count = 0
    for _, directory in directories(run):
        for file in directory.glob(pattern) if "*" in pattern else [directory / pattern]:
            descriptor = os.open(file, os.O_RDONLY)
            count += len(os.read(descriptor, os.fstat(descriptor).st_size)) > 0
            os.close(descriptor)
    return count


def board_floor(run: Path, _shape: str) -> int:
    return opened_and_read(run, EVENTS)


def board_xpframe(run: Path, _shape: str) -> pl.DataFrame:
    from xpframe import xp_series

    return xp_series(run, EVENTS, backend="polars", quiet=True)


def board_accumulator(run: Path, _shape: str) -> list[Any]:
    """TensorBoard's own loader, all points, as tuples."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = []
    for job, directory in directories(run):
        loaded = EventAccumulator(str(directory / "runs"), size_guidance={"scalars": 0})
        loaded.Reload()
        for tag in loaded.Tags()["scalars"]:
            rows += [(job, tag, point.step, point.wall_time, point.value) for point in loaded.Scalars(tag)]
    return rows


def board_tbparse(run: Path, _shape: str) -> list[Any]:
    """tbparse, a frame a job, all in a list."""
    from tbparse import SummaryReader

    frames = [SummaryReader(str(directory / "runs")).scalars for _, directory in directories(run)]
    return [frame for frame in frames for _ in range(len(frame))]


def csv_xpframe(run: Path, _shape: str) -> pl.DataFrame:
    from xpframe import xp_series

    return xp_series(run, "results.csv", backend="polars", quiet=True)


def csv_polars(run: Path, _shape: str) -> pl.DataFrame:
    """The glob of polars; which job a row belongs to is a path."""
    import polars as pl

    files = run.parents[2] / "jobs" / "*" / "*" / "results.csv"
    return pl.scan_csv(files, include_file_paths="path").collect()


def csv_pandas(run: Path, _shape: str) -> pd.DataFrame:
    """The loop that everybody writes."""
    import pandas as pd

    frames = [pd.read_csv(path / "results.csv").assign(job_id=job) for job, path in directories(run)]
    return pd.concat(frames, ignore_index=True)


def json_floor(run: Path, _shape: str) -> int:
    return opened_and_read(run, "metrics.json")


def json_xpframe(run: Path, _shape: str) -> pl.DataFrame:
    from xpframe import xp_frame

    columns = ["job_id", "result.*"]
    return xp_frame(run, results="metrics.json", columns=columns, backend="polars", quiet=True)


def json_normalize(run: Path, _shape: str) -> pd.DataFrame:
    """json and `pandas.json_normalize`, the other loop that everybody writes."""
    import pandas as pd

    files = ((job, path / "metrics.json") for job, path in directories(run))
    return pd.json_normalize([{"job_id": job, **json.loads(file.read_bytes())} for job, file in files])


def board_stream(run: Path, _shape: str) -> int:
    """All scalars into a Parquet file, as they are read."""
    import tempfile

    import polars as pl

    from xpframe import scan_series

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "scalars.parquet"
        scan_series(run, EVENTS, quiet=True).sink_parquet(target)
        return int(pl.scan_parquet(target).select(pl.len()).collect().item())


READERS: dict[str, Callable[[Path, str], Any]] = {
    reader.__name__: reader
    for reader in (
        board_floor,
        board_xpframe,
        board_accumulator,
        board_tbparse,
        board_stream,
        csv_xpframe,
        csv_polars,
        csv_pandas,
        json_floor,
        json_xpframe,
        json_normalize,
    )
}


def equal(run: Path) -> None:
    """Fails unless the readers of one kind of file agree on its values."""
    accumulated = sorted(board_accumulator(run, ""))
    frame = board_xpframe(run, "")
    texts = ("job_id", "metric")
    columns = [frame[name].cast(str) if name in texts else frame[name] for name in frame.columns]
    assert sorted(zip(*(column.to_list() for column in columns), strict=True)) == accumulated
    ours, theirs = csv_xpframe(run, ""), csv_polars(run, "")
    for name in ("epoch", "step", "train_loss", "accuracy", "phase"):
        assert sorted(ours[name]) == sorted(theirs[name]), name
    ours, loop = json_xpframe(run, ""), json_normalize(run, "")
    assert ours["result.per_class.a"].to_list() == loop["per_class.a"].to_list()
