"""What can go wrong, what is said then, and a workspace in which it does."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import xpframe
from definitions import thing
from engine import load
from random_runs import RandomRun
from xpframe import Workspace, XpFrameError, load_xp_info, xp_frame, xp_table

RUN_ID = "20260101_000000"
JOBS = ["a" * 64, "b" * 64]
LOST_MODEL = {"type": "python", "value": 555}


def objects() -> list[dict[str, Any]]:
    model = {"type": "python", "value": 101}
    wide = {f"k{n}": n for n in range(30)}
    return [
        thing(1, "Model", "model", name="cnn"),
        thing(2, "Train", JOBS[0], lr=0.1, model=model, other={"name": "x"}, wide=wide),
        thing(3, "Train", JOBS[1], lr=0.2, model=model, other={"name": "y"}),
    ]


def experiment(workspace: Path, name: str, *definitions: dict[str, Any]) -> Path:
    """A run of two jobs over some objects, in an experiment of that name."""
    jobs = [{"job_id": j, "task_id": "lab.train", "tags": {"lr": 1}, "timestamp": 1.5e9} for j in JOBS]
    run = RandomRun(list(definitions), jobs).write(workspace)
    run.parent.rename(workspace / "experiments" / name)
    return workspace / "experiments" / name / RUN_ID


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an experiment for each thing that goes wrong; home and current directory are empty."""
    root = tmp_path / "ws"
    experiment(root, "grid-search", *objects())
    experiment(root, "lost", thing(1, "Train", JOBS[0], model=LOST_MODEL), thing(2, "Train", JOBS[1]))
    broken = experiment(root, "broken", *objects())
    lines = (broken / "objects.jsonl").read_text().splitlines(keepends=True)
    (broken / "objects.jsonl").write_text(lines[0] + '{"id": tru\n' + "[]\n" + "".join(lines[1:]))
    unread = experiment(root, "unread", *objects())
    (unread / "objects.jsonl").unlink()
    (unread / "objects.jsonl").mkdir()
    (root / "experiments" / "empty").mkdir()
    for name in ("home", "nowhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XPFRAME_WORKSPACE", raising=False)
    xpframe.use(None)
    return root


def run_of(ws: Path, name: str) -> Path:
    return ws / "experiments" / name / RUN_ID


def grid(ws: Path) -> Any:
    return load(run_of(ws, "grid-search"))


Call = Callable[[Path], Any]


class Situation(NamedTuple):
    """A call, the class of what it raises, and the three parts of the text.

    `{ws}` is the workspace, `{top}` the directory around it, `{run}` the run of grid-search.
    """

    kind: str
    call: Call
    reason: str
    place: str = ""
    hint: str = ""


def anything(value: Any) -> Any:
    """A value whose type is wrong on purpose."""
    return value


def empty_beside(ws: Path) -> Path:
    """Another workspace, without experiments."""
    (ws.parent / "empty" / "experiments").mkdir(parents=True)
    return ws.parent / "empty"


def linked_out(ws: Path) -> None:
    (ws / "experiments" / "link").symlink_to(ws.parent / "home")
    Workspace(ws).runs("link")


def very_wide(ws: Path) -> Path:
    """The workspace, with an experiment in which one dictionary of a model explodes."""
    model = thing(1, "Model", "model", table={f"k{n}": n for n in range(3_000)})
    experiment(ws, "wide", model, *objects()[1:2], thing(3, "Train", JOBS[1], lr=0.2))
    path = run_of(ws, "wide") / "objects.jsonl"
    path.write_text(re.sub(r'"(other|wide)":\{[^}]*\}', r'"\1":1', path.read_text()))
    return ws


def without_job_id(ws: Path) -> None:
    jobs = run_of(ws, "grid-search") / "jobs.jsonl"
    jobs.write_text(jobs.read_text() + '{"task_id": "lab.train", "tags": {}}\n')
    load_xp_info(run_of(ws, "grid-search"), strict=True)


def without(library: Any, ws: Path) -> None:
    """Asks for the frame of a library as if it were not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, library, None)
        patch.delitem(sys.modules, "xpframe.backends.pandas", raising=False)
        xp_frame("grid-search", workspace=ws, backend=library)


NAME_HINT = "a name is one plain path component: no '/', not '.' or '..', not an absolute path"
RUN_FILES = "expected there: objects.jsonl, jobs.jsonl, configs.json, state.json"

WORKSPACES = [
    Situation(
        "WorkspaceNotFoundError",
        lambda ws: Workspace(ws / "nothing"),
        "there is no such directory",
        "{ws}/nothing",
        "the workspace around it is {ws}",
    ),
    Situation(
        "WorkspaceNotFoundError",
        lambda ws: xpframe.use(ws / "nothing"),
        "there is no such directory",
        "{ws}/nothing",
        "the workspace around it is {ws}",
    ),
    Situation(
        "WorkspaceNotFoundError",
        lambda ws: Workspace(ws.parent / "home"),
        "this directory is not an experimaestro workspace",
        "{top}/home",
        "expected there: the marker .__experimaestro__, or experiments/, or xp/ of version 1",
    ),
    Situation(
        "WorkspaceNotFoundError",
        lambda ws: Workspace(ws / ".__experimaestro__"),
        "a workspace is a directory, this is a file",
        "{ws}/.__experimaestro__",
        "the workspace around it is {ws}",
    ),
    Situation(
        "WorkspaceNotFoundError",
        lambda _: xp_frame("grid-search"),
        "no workspace: looked for xpframe.use(…), $XPFRAME_WORKSPACE, {top}/nowhere and its parents, "
        "and {top}/home/.config/experimaestro/settings.yaml (which names no workspace on this machine)",
        "",
        "give workspace=…, a directory that holds experiments/ or xp/",
    ),
]

EXPERIMENTS = [
    Situation(
        "ExperimentNotFoundError",
        lambda ws: Workspace(ws).load_xp_info("grid-serch"),
        "no experiment 'grid-serch'",
        "{ws}",
        "did you mean grid-search? the workspace holds 5 experiments",
    ),
    Situation(
        "ExperimentNotFoundError",
        lambda ws: xp_frame("zzzzzzzzzz", workspace=ws),
        "no experiment 'zzzzzzzzzz'",
        "{ws}",
        "the workspace holds 5 experiments",
    ),
    Situation(
        "ExperimentNotFoundError",
        lambda ws: xp_frame("zz*", workspace=ws),
        "no experiment matches 'zz*'",
        "{ws}",
        "it has broken, empty, grid-search, lost, unread",
    ),
    Situation(
        "ExperimentNotFoundError",
        lambda ws: xp_frame("grid-serch", workspace=[ws, empty_beside(ws)]),
        "no experiment matches 'grid-serch' in {ws}, {top}/empty",
        "",
        "did you mean grid-search?",
    ),
]

RUNS = [
    Situation(
        "RunNotFoundError",
        lambda ws: Workspace(ws).load_xp_info("grid-search", "20260101_000001"),
        "experiment 'grid-search' has no run '20260101_000001'",
        "{ws}",
        "did you mean 20260101_000000? its only run is 20260101_000000",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: xp_frame("grid-search", workspace=ws, run="yesterday"),
        "experiment 'grid-search' has no run 'yesterday'",
        "{ws}",
        "its only run is 20260101_000000",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: xp_frame("empty", workspace=ws),
        "experiment 'empty' has no run",
        "{ws}/experiments/empty",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: load_xp_info(ws / "experiments" / "nothing"),
        "there is no such run directory",
        "{ws}/experiments/nothing",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: load_xp_info(ws / "experiments" / "grid-search"),
        "this is not the directory of a run",
        "{ws}/experiments/grid-search",
        "this is an experiment: give one of its runs, as {run}",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: load_xp_info(run_of(ws, "grid-search") / "jobs.jsonl"),
        "this is not the directory of a run",
        "{run}/jobs.jsonl",
        "give the directory {run}",
    ),
    Situation(
        "RunNotFoundError",
        load_xp_info,
        "this is not the directory of a run",
        "{ws}",
        "this is a workspace: give experiments/<name>/<run> below it",
    ),
    Situation(
        "RunNotFoundError",
        lambda ws: load_xp_info(ws.parent / "home"),
        "this is not the directory of a run",
        "{top}/home",
        RUN_FILES,
    ),
]

JOBS_OF_RUNS = [
    Situation(
        "JobNotFoundError",
        lambda ws: grid(ws).jobs["aaa"],
        "run 20260101_000000 of 'grid-search' has no job 'aaa'",
        "{run}",
        f"did you mean {JOBS[0][:12]}? at least 4 characters are needed",
    ),
    Situation(
        "JobNotFoundError",
        lambda ws: grid(ws).jobs["nothing"],
        "run 20260101_000000 of 'grid-search' has no job 'nothing'",
        "{run}",
        "it has 2",
    ),
    Situation(
        "JobNotFoundError",
        lambda ws: grid(ws).actions["nothing"],
        "run 20260101_000000 of 'grid-search' has no action 'nothing'",
        "{run}",
        "it has 0",
    ),
    Situation(
        "JobNotFoundError",
        lambda ws: grid(ws).load("model"),
        "run 20260101_000000 of 'grid-search' saved nothing under the name 'model'",
        "{run}/data",
        "it saved nothing",
    ),
    Situation(
        "JobNotFoundError",
        lambda ws: load(run_of(ws, "unread")).jobs[JOBS[0]],
        "the config of the job could not be read",
        f"job {JOBS[0]}",
        "see .errors",
    ),
]

NAMES = [
    Situation(
        "InvalidNameError",
        lambda ws: Workspace(ws).runs("../outside"),
        "'../outside' cannot be the name of one experiment",
        hint=NAME_HINT,
    ),
    Situation(
        "InvalidNameError",
        lambda ws: Workspace(ws).runs(""),
        "the experiment name is empty",
        hint=NAME_HINT,
    ),
    Situation(
        "InvalidNameError",
        lambda ws: Workspace(ws).load_xp_info("grid-search", ".."),
        "'..' cannot be the name of one run",
        hint=NAME_HINT,
    ),
    Situation(
        "InvalidNameError",
        lambda ws: grid(ws).load("a/b"),
        "'a/b' cannot be the name of one saved object",
        hint=NAME_HINT,
    ),
    Situation(
        "InvalidNameError",
        lambda ws: Workspace(ws).runs("x" * 300),
        "the experiment name has 300 bytes, more than 255",
        hint=NAME_HINT,
    ),
    Situation(
        "InvalidNameError",
        linked_out,
        "is a symlink to {top}/home, outside of {ws}/experiments",
        "{ws}/experiments/link",
        "names never leave the workspace: open the workspace where the run really is",
    ),
]

ARGUMENTS = [
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_frame("grid-search", workspace=ws, backend=anything("spark")),
        "backend='spark'",
        hint="it is 'pandas', 'polars' or 'pyarrow'",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("grid-search", workspace=ws, names=anything("tiny")),
        "names='tiny'",
        hint="it is 'full', 'short' or 'identifier'",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table([], workspace=ws),
        "experiment is an empty list",
        hint="give a name, a list of names or a glob",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("a\ud800b", workspace=ws),
        "experiment='a\\ud800b' has an unpaired surrogate",
        hint="no name is written like this",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xpframe.scan_xp("grid-search", workspace=ws, keep_bytes=-1),
        "keep_bytes=-1",
        hint="it is a number of bytes, 0 or more",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws).select(["job_id", "job_id"]),
        "column 'job_id' is selected twice",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table(anything(3), workspace=ws),
        "experiment=3",
        hint="give a name, a list of names, a glob, or the path of a run directory",
    ),
    Situation(
        "InvalidArgumentError",
        lambda _: xp_table("grid-search", workspace=[]),
        "workspace is an empty list",
        hint="name a workspace, or leave it out",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("grid-search", workspace=ws, timezone="Mars/Base"),
        "there is no time zone 'Mars/Base'",
        hint="give a name of the IANA database, as Europe/Paris or UTC",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("grid-search", workspace=ws, task="lab.trian"),
        "no job of task 'lab.trian'",
        hint="did you mean lab.train?",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("grid-search", workspace=ws, task="zzzzzzzzzzzzz"),
        "no job of task 'zzzzzzzzzzzzz'",
        hint="there are lab.train",
    ),
]

COLUMNS = [
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns=["config.lrr"]),
        "no column 'config.lrr'",
        "field config.lrr",
        "did you mean config.lr, lr?",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns="zzzzzzzzzzzzz"),
        "no column 'zzzzzzzzzzzzz'",
        "field zzzzzzzzzzzzz",
        "there are 43 columns; see xp_table(…).column_names",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns="name"),
        "'name' could be any of 2 columns",
        "field name",
        "write one of config.model.name, config.other.name",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns="config.model"),
        "no column 'config.model'",
        "field config.model",
        "it holds other values: ask for config.model.* or config.model@type",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns="job_id").column_values("jb_id"),
        "no column 'jb_id'",
        "field jb_id",
        "did you mean job_id?",
    ),
    Situation(
        "ColumnError",
        lambda ws: xp_table("grid-search", workspace=ws, columns={"x": "config.wide.*"}),
        "two columns would be called 'x'",
        "field config.wide.k1",
        "give each column its own new name",
    ),
    Situation(
        "TooManyColumnsError",
        lambda ws: xp_table("wide", workspace=very_wide(ws)),
        "3013 columns are more than max_columns=2000, most of them under config.model.table",
        "field config.model.table",
        "choose some with columns=[…], or raise max_columns",
    ),
]

FILES = [
    Situation(
        "FormatError",
        lambda ws: load_xp_info(run_of(ws, "broken"), strict=True),
        "the JSON value is not finished (a file that is being written, or was cut), at byte 8",
        "{ws}/experiments/broken/20260101_000000/objects.jsonl:2",
    ),
    Situation(
        "FormatError",
        without_job_id,
        'a job without "job_id"',
        "{run}/jobs.jsonl:3",
        "its row is left out",
    ),
    Situation(
        "UnresolvedError",
        lambda ws: load_xp_info(run_of(ws, "lost"), strict=True),
        "refers to object 555, which no file holds",
        f"{{ws}}/experiments/lost/20260101_000000/objects.jsonl:1, job {JOBS[0]}",
        "its columns are null; the object was lost when the experiment was written",
    ),
    Situation(
        "UnresolvedError",
        lambda ws: load(run_of(ws, "lost")).jobs[JOBS[0]].model.name,
        "object 555 is referred to but no file holds it",
        "field name",
        "it was lost when the experiment was written",
    ),
    Situation(
        "FieldError",
        lambda ws: grid(ws).jobs[JOBS[0]].modle,
        "lab.Train has no field 'modle'",
        "field modle",
        "did you mean model?",
    ),
    Situation(
        "FieldError",
        lambda ws: grid(ws).jobs[JOBS[0]].model.zzzzzzzzz,
        "lab.Model has no field 'zzzzzzzzz'",
        "field zzzzzzzzz",
        "it has name",
    ),
    Situation(
        "ReadError",
        lambda ws: load_xp_info(run_of(ws, "unread"), strict=True),
        "is not a regular file",
        "{ws}/experiments/unread/20260101_000000/objects.jsonl",
    ),
]


def unanswered(ws: Path) -> None:
    """Pulls from a host to which ssh finds no way: rsync ends as it does then."""
    program = ws.parent / "bin" / "rsync"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 255\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        xpframe.pull("cluster:/data", ws.parent / "copy", ssh="sh -c true")


HOSTS = [
    Situation(
        "PullError",
        unanswered,
        "ssh ended without a word",
        "cluster",
        "this must work first: sh cluster true",
    )
]

LIBRARIES = [
    Situation(
        "MissingLibraryError",
        lambda ws: without("pandas", ws),
        "backend='pandas' needs pandas, which is not installed",
        hint="pip install 'xpframe[pandas]'",
    ),
    Situation(
        "MissingLibraryError",
        lambda ws: without("polars", ws),
        "backend='polars' needs polars, which is not installed",
        hint="pip install 'xpframe[polars]'",
    ),
    Situation(
        "MissingLibraryError",
        lambda ws: without("pyarrow", ws),
        "backend='pyarrow' needs pyarrow, which is not installed",
        hint="pip install 'xpframe[pandas]'",
    ),
]

GROUPS = [WORKSPACES, EXPERIMENTS, RUNS, JOBS_OF_RUNS, NAMES, ARGUMENTS, COLUMNS, FILES, HOSTS, LIBRARIES]
SITUATIONS = [situation for group in GROUPS for situation in group]


def facts(error: XpFrameError) -> tuple[object, ...]:
    """What an error says, as values."""
    return error.reason, error.file, error.line, error.job, error.field, error.hint
