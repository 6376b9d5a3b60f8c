"""The ways from a run directory to one frame: xpframe's, and those it is measured against.

Each reader is a function of a run directory and a shape that gives a polars frame. The chosen columns are the
same for all, hence so is the frame: `compare.py` checks that before it measures.

    python benches/readers.py READER SHAPE RUN_DIR CALLS     measures one reader in this process, prints JSON
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

Row = dict[str, Any]

# what a researcher would paste, by class of the task: column of the result -> expression on the object
CHOSEN: dict[str, dict[str, dict[str, str]]] = {
    "grid": {
        "Train": {"model": "model.name", "hidden": "model.hidden_size", "rate": "learning_rate"},
    },
    "rich": {
        "Train": {
            "model": "model.name",
            "d_model": "model.encoder.d_model",
            "heads": "model.encoder.attention.heads",
            "kind": "model.encoder.attention.pos.kind",
            "corpus": "data.id_",
            "optimizer_lr": "optimizer.lr",
            "weight_decay": "optimizer.weight_decay",
            "schedule": "optimizer.scheduler.kind",
            "epochs": "epochs",
            "batch_size": "batch_size",
            "grad_clip": "grad_clip",
        },
        "Eval": {
            "trained_model": "train.model.name",
            "trained_lr": "train.optimizer.lr",
            "corpus": "data.id_",
            "beam": "beam",
        },
    },
    "wide": {
        "": {"project": "common.project", "debug": "common.debug", "component_name": "component.name"},
    },
}
TAGS = {
    "grid": ("hidden_size", "learning_rate"),
    "rich": ("lr", "dataset", "d_model", "seed", "metric"),
    "wide": (),
}


def experimaestro(run: Path, shape: str) -> pl.DataFrame:
    """The loop of experimaestro's documentation: load_xp_info, tags, a dict a job, a DataFrame.

    Tags come straight from jobs.jsonl, which is quicker than asking experimaestro's provider for them.
    """
    from experimaestro import load_xp_info

    getters = {
        name: {column: attrgetter(expression) for column, expression in chosen.items()}
        for name, chosen in CHOSEN[shape].items()
    }
    info = load_xp_info(run)
    with (run / "jobs.jsonl").open() as lines:
        tags = {job["job_id"]: job["tags"] for job in map(json.loads, lines)}
    rows = []
    for job_id, config in info.jobs.items():
        row = {"job_id": job_id, **{f"tag_{tag}": tags[job_id].get(tag) for tag in TAGS[shape]}}
        name = type(config).__qualname__.partition(".")[0]
        for column, getter in getters.get(name, getters.get("", {})).items():
            row[column] = getter(config)
        rows.append(row)
    return framed(rows, shape)


def orjson(run: Path, shape: str) -> pl.DataFrame:
    """What a careful person writes by hand: orjson, a table of ids, references followed where needed."""
    from orjson import loads

    objects: dict[int, Row] = {}
    roots: dict[str, Row] = {}
    with (run / "objects.jsonl").open("rb") as lines:
        for line in lines:
            found = loads(line)
            objects[found["id"]] = found
            roots[found["identifier"]] = found
    chosen = {
        name: {column: expression.split(".") for column, expression in columns.items()}
        for name, columns in CHOSEN[shape].items()
    }
    rows = []
    with (run / "jobs.jsonl").open("rb") as lines:
        for line in lines:
            job = loads(line)
            config = roots[job["job_id"]]
            row = {"job_id": job["job_id"], **{f"tag_{tag}": job["tags"].get(tag) for tag in TAGS[shape]}}
            for column, steps in chosen.get(config["type"], chosen.get("", {})).items():
                value: Any = config
                for step in steps:
                    value = value["fields"][step]
                    if type(value) is dict and value.get("type") == "python":
                        value = objects[value["value"]]
                row[column] = value
            rows.append(row)
    return framed(rows, shape)


def xpframe(run: Path, shape: str) -> pl.DataFrame:
    """The same columns, asked of xpframe."""
    from xpframe import xp_frame

    return xp_frame(run, columns=wanted(shape), backend="polars")


def xpframe_all(run: Path, _shape: str) -> pl.DataFrame:
    """Everything the two files hold: every tag and every parameter as a column."""
    from xpframe import xp_frame

    columns = ["job_id", "task", "submitted_at", "tags.*", "config.*"]
    return xp_frame(run, columns=columns, backend="polars")


READERS: dict[str, Callable[[Path, str], pl.DataFrame]] = {
    "experimaestro": experimaestro,
    "orjson": orjson,
    "xpframe": xpframe,
    "xpframe_all": xpframe_all,
}


def wanted(shape: str) -> dict[str, str]:
    """The chosen columns in xpframe's words."""
    tags = {f"tag_{tag}": f"tags.{tag}" for tag in TAGS[shape]}
    parameters = {
        column: f"config.{expression}"
        for chosen in CHOSEN[shape].values()
        for column, expression in chosen.items()
    }
    return {"job_id": "job_id", **tags, **parameters}


def framed(rows: list[Row], shape: str) -> pl.DataFrame:
    """The rows as a frame with every chosen column, in one order."""
    import polars as pl

    names = list(wanted(shape))
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, strict=False)


def measured(reader: str, shape: str, run: Path, calls: int) -> Row:
    """The seconds of the first call and of those that follow, and the memory that came with them."""
    start = time.perf_counter()
    import polars  # noqa: F401 -- every reader makes a polars frame: its import is nobody's merit

    __import__({"xpframe_all": "xpframe"}.get(reader, reader))
    imported = time.perf_counter() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # the wide shape is made of columns that split, each with a warning
    warnings.simplefilter("ignore")
    seconds, rows, columns = [], 0, 0
    for _ in range(calls):
        gc.collect()
        start = time.perf_counter()
        frame = READERS[reader](run, shape)
        seconds.append(time.perf_counter() - start)
        rows, columns = frame.shape
        del frame
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {
        "import": imported,
        "first": seconds[0],
        "again": median(seconds[1:] or seconds),
        "rows": rows,
        "columns": columns,
        "mebibytes": grown,
    }


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
