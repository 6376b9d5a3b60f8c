"""The ways from a run directory to its jobs: xpframe's, and those it is measured against.

Each reader is a function of a run directory and a shape. The frames of `SAME_CHOSEN` are equal, and so are
those of `SAME_ALL`: `compare.py` checks that before it measures (`equal` below).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import result_readers

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


ALL = ["job_id", "task", "submitted_at", "tags.*", "config.*"]


def xpframe_all(run: Path, _shape: str) -> pl.DataFrame:
    """Everything the two files hold: every tag and every parameter as a column."""
    from xpframe import xp_frame

    return xp_frame(run, columns=ALL, backend="polars")


def xpframe_pandas(run: Path, _shape: str) -> Any:
    """The same for pandas."""
    from xpframe import xp_frame

    return xp_frame(run, columns=ALL)


def orjson_all(run: Path, _shape: str) -> pl.DataFrame:
    """Everything the two files hold, by hand: orjson, references followed and flattened, a dict a job.

    The wide shape is beyond it: polars refuses columns of several types.
    """
    import polars as pl
    from orjson import loads

    objects: dict[int, Row] = {}
    roots: dict[str, Row] = {}
    with (run / "objects.jsonl").open("rb") as lines:
        for line in lines:
            found = loads(line)
            objects[found["id"]] = found["fields"]
            roots[found["identifier"]] = found["fields"]

    def put(row: Row, name: str, value: Any) -> None:
        if type(value) is dict:
            kind = value.get("type")
            if kind == "python":
                fields(row, name, objects[value["value"]])
            elif kind in ("path", "enum"):
                row[name] = value["value"]
            else:
                fields(row, name, value)
        elif type(value) is list:
            row[name] = [item(one) for one in value]
        else:
            row[name] = value

    def fields(row: Row, name: str, found: Row) -> None:
        for key, value in found.items():
            put(row, f"{name}.{key}", value)

    def item(value: Any) -> Any:
        return objects[value["value"]] if type(value) is dict else value

    rows = []
    with (run / "jobs.jsonl").open("rb") as lines:
        for line in lines:
            job = loads(line)
            row = {
                "job_id": job["job_id"],
                "task": job["task_id"],
                "submitted_at": datetime.fromtimestamp(job["timestamp"], UTC),
            }
            fields(row, "tags", job["tags"])
            fields(row, "config", roots[job["job_id"]])
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def read_ndjson(run: Path, shape: str) -> pl.DataFrame:
    """Both files as polars reads them: no reference is resolved. It fails on the wide shape.

    Rich runs cannot be read with the default inference, of 100 lines.
    """
    import polars as pl

    lines = None if shape == "rich" else 100
    pl.read_ndjson(run / "objects.jsonl", infer_schema_length=lines)
    return pl.read_ndjson(run / "jobs.jsonl", infer_schema_length=lines)


def duckdb(run: Path, _shape: str) -> int:
    """Both files as tables of DuckDB in memory: no reference is resolved, nothing is handed over."""
    import duckdb

    with duckdb.connect() as database:
        for name in ("objects", "jobs"):
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM read_json_auto('{run}/{name}.jsonl')")
        found = database.execute("SELECT count(*) FROM jobs").fetchone()
    assert found is not None
    return int(found[0])


def lazy_two(run: Path, _shape: str) -> pl.DataFrame:
    """Two parameters of the rich shape, lazily."""
    from xpframe import scan_xp

    return scan_xp(run).select("config.model.name", "config.epochs").collect()


def loop(info: Any, shape: str, class_of: Callable[[Any], str]) -> list[Row]:
    """The loop of experimaestro's documentation, over a run loaded by either library."""
    getters = {
        name: {column: attrgetter(expression) for column, expression in chosen.items()}
        for name, chosen in CHOSEN[shape].items()
    }
    rows = []
    for job_id, config in info.jobs.items():
        row: Row = {"job_id": job_id}
        for column, getter in getters.get(class_of(config), getters.get("", {})).items():
            row[column] = getter(config)
        rows.append(row)
    return rows


def loop_experimaestro(run: Path, shape: str) -> list[Row]:
    from experimaestro import load_xp_info

    return loop(load_xp_info(run), shape, lambda config: type(config).__qualname__.partition(".")[0])


def loop_xpframe(run: Path, shape: str) -> list[Row]:
    from xpframe import load_xp_info, typename

    return loop(load_xp_info(run), shape, lambda config: typename(config).rpartition(".")[2])


def states_xpframe(run: Path, _shape: str) -> pl.DataFrame:
    """The state of each job, from its directory."""
    from xpframe import xp_frame

    return xp_frame(run, columns=["state"], backend="polars")


def states_scandir(run: Path, _shape: str) -> list[tuple[str, float]]:
    """The least that Python can do: list the directory of each job, take the time of its marker."""
    import os

    found = []
    with os.scandir(run.parents[2] / "jobs") as tasks:
        for task in tasks:
            name = task.name.rpartition(".")[2]
            markers = {f"{name}.done", f"{name}.failed", f"{name}.pid"}
            with os.scandir(task.path) as jobs:
                for job in jobs:
                    with os.scandir(job.path) as entries:
                        found += [
                            (entry.name, entry.stat().st_mtime) for entry in entries if entry.name in markers
                        ]
    return found


def default_polars(run: Path, _shape: str) -> pl.DataFrame:
    """What a user types, with the states and times of all job directories."""
    from xpframe import xp_frame

    return xp_frame(run, backend="polars")


def default_pandas(run: Path, _shape: str) -> Any:
    """The same for pandas, the default backend."""
    from xpframe import xp_frame

    return xp_frame(run)


def default_experimaestro(run: Path, shape: str) -> pl.DataFrame:
    """The chosen parameters, the tags, states and times of the same jobs, from experimaestro's provider."""
    import polars as pl
    from experimaestro.scheduler.workspace_state_provider import WorkspaceStateProvider

    provider = WorkspaceStateProvider(run.parents[2], no_cleanup=True)
    states = {
        job.identifier: (str(job.state), job.starttime, job.endtime)
        for job in provider.get_jobs(run.parents[0].name, run.name)
    }
    frame = experimaestro(run, shape)
    found = [states.get(job_id, (None, None, None)) for job_id in frame["job_id"]]
    columns = zip(("state", "started_at", "ended_at"), zip(*found, strict=True), strict=True)
    return frame.with_columns(pl.Series(name, list(values)) for name, values in columns)


def default_failures(run: Path, _shape: str) -> Any:
    """Why jobs failed, with the ends of their logs."""
    from xpframe import load_xp_info

    return load_xp_info(run).failures().frame()


def default_results(run: Path, _shape: str) -> pl.DataFrame:
    """A result file of each job."""
    from xpframe import xp_frame

    return xp_frame(run, columns=["result.*"], results="metrics.json", backend="polars")


def default_check(run: Path, _shape: str) -> int:
    """What is wrong with a run: each config is compared with the params.json of its job."""
    from xpframe import Workspace

    return Workspace(run.parents[2]).check(run.parents[0].name).seen["compared"]


READERS: dict[str, Callable[[Path, str], Any]] = {
    found.__name__: found
    for found in (
        experimaestro,
        orjson,
        orjson_all,
        xpframe,
        xpframe_all,
        xpframe_pandas,
        read_ndjson,
        duckdb,
        lazy_two,
        loop_experimaestro,
        loop_xpframe,
        states_xpframe,
        states_scandir,
        default_polars,
        default_pandas,
        default_experimaestro,
        default_failures,
        default_results,
        default_check,
    )
}
READERS |= result_readers.READERS
SAME_CHOSEN = ("experimaestro", "orjson", "xpframe")
SAME_ALL = ("orjson_all", "xpframe_all")


def equal(run: Path, shape: str) -> None:
    """Fails unless all readers of one frame agree on it."""
    from polars.testing import assert_frame_equal

    groups = [SAME_CHOSEN] if shape == "wide" else [SAME_CHOSEN, SAME_ALL]
    for first, *others in groups:
        want = READERS[first](run, shape)
        assert want.height > 20, want.shape
        assert want.width > 3, want.shape
        for other in others:
            found = READERS[other](run, shape)
            # enum names are categories or text; the order of columns is not what this is about
            assert_frame_equal(
                found, want, check_dtypes=False, check_column_order=False, categorical_as_str=True
            )
    loops = [loop_experimaestro(run, shape), loop_xpframe(run, shape)]
    assert [[str(value) for value in row.values()] for row in loops[0]] == [
        [str(value) for value in row.values()] for row in loops[1]
    ]


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
