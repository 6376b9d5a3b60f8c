"""What every error says, word for word: what went wrong, where, and what to do."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import xpframe
from engine import load
from random_runs import RandomRun
from xpframe import Workspace, XpFrameError, XpFrameWarning, _core, errors, load_xp_info, xp_frame, xp_table

RUN_ID = "20260101_000000"
JOBS = ["a" * 64, "b" * 64]
LOST_MODEL = {"type": "python", "value": 555}

BUILTIN: dict[str, tuple[type[Exception], ...]] = {
    "WorkspaceNotFoundError": (FileNotFoundError,),
    "ExperimentNotFoundError": (FileNotFoundError, KeyError),
    "RunNotFoundError": (FileNotFoundError, KeyError),
    "JobNotFoundError": (KeyError,),
    "InvalidNameError": (ValueError,),
    "InvalidArgumentError": (ValueError,),
    "ColumnError": (KeyError,),
    "TooManyColumnsError": (ValueError,),
    "FormatError": (ValueError,),
    "UnresolvedError": (AttributeError,),
    "FieldError": (AttributeError,),
    "ReadError": (OSError,),
    "MissingLibraryError": (ImportError,),
}


def thing(number: int, name: str, identity: str, /, **values: Any) -> dict[str, Any]:
    """An object definition as objects.jsonl holds it."""
    return {
        "id": 100 + number,
        "module": "lab",
        "type": name,
        "typename": f"lab.{name}",
        "identifier": identity,
        "fields": values,
    }


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


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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
        patch.delitem(sys.modules, "xpframe.frames_pandas", raising=False)
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
        lambda ws: grid(ws).jobs["aaaa"],
        "run 20260101_000000 of 'grid-search' has no job 'aaaa'",
        "{run}",
        f"did you mean {JOBS[0]}?",
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
        hint="it is 'full' or 'short'",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table([], workspace=ws),
        "no experiment was named",
        hint="give a name, a list of names or a glob",
    ),
    Situation(
        "InvalidArgumentError",
        lambda ws: xp_table("a\ud800b", workspace=ws),
        "experiment='a\\ud800b' has an unpaired surrogate",
        hint="no experiment can be called like this",
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
        "column 'job_id' is asked for twice",
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
        "no workspace was named",
        hint="give a path, some, or leave it out",
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
        "there are 51 columns; see xp_table(…).column_names",
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
        "rename to one name only what is one column",
    ),
    Situation(
        "TooManyColumnsError",
        lambda ws: xp_table("wide", workspace=very_wide(ws)),
        "3014 columns are more than max_columns=2000, most of them under config.model.table",
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

GROUPS = [WORKSPACES, EXPERIMENTS, RUNS, JOBS_OF_RUNS, NAMES, ARGUMENTS, COLUMNS, FILES, LIBRARIES]
SITUATIONS = [situation for group in GROUPS for situation in group]


def named(situations: list[Situation]) -> list[Any]:
    """Situations as parameters with short names."""
    return [pytest.param(s, id=f"{s.kind.removesuffix('Error')}-{n}") for n, s in enumerate(situations)]


@pytest.mark.parametrize("situation", named(SITUATIONS))
def test_texts(situation: Situation, ws: Path) -> None:
    """In each situation the error is of its class and its builtin, and says exactly this, pickled or not."""
    with pytest.raises(XpFrameError) as raised:
        situation.call(ws)
    error = raised.value
    places = {"{run}": str(run_of(ws, "grid-search")), "{ws}": str(ws), "{top}": str(ws.parent)}
    for name, path in places.items():
        texts = (part.replace(name, path) for part in situation[2:])
        situation = Situation(situation.kind, situation.call, *texts)
    said = (type(error).__name__, error.reason, error.place, error.hint or "")
    assert said == (situation.kind, *situation[2:])
    place = f"{situation.place}: " if situation.place else ""
    hint = f" ({situation.hint})" if situation.hint else ""
    assert str(error) == f"{place}{situation.reason}{hint}"
    assert isinstance(error, BUILTIN[situation.kind])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert twin is not error
        assert (type(twin), str(twin), facts(twin)) == (type(error), str(error), facts(error))


def facts(error: XpFrameError) -> tuple[object, ...]:
    return error.reason, error.file, error.line, error.job, error.field, error.hint


@pytest.mark.parametrize("situation", named(SITUATIONS))
def test_style(situation: Situation) -> None:
    """Reasons and hints start in lower case (or with a name) and end without a full stop."""
    for part in (situation.reason, situation.hint):
        assert not part[:1].isupper()
        assert not part.endswith((".", " ", "!"))


def test_every_class_is_met() -> None:
    """Each class of `xpframe.errors` has a situation above, is in the family, and is its builtin too."""
    classes = {name: getattr(errors, name) for name in errors.__all__}
    del classes["XpFrameError"], classes["XpFrameWarning"]
    assert {s.kind for s in SITUATIONS} == set(classes) == set(BUILTIN)
    assert len(classes) == 13
    for name, kind in classes.items():
        assert issubclass(kind, (XpFrameError, *BUILTIN[name])), name
        assert all(issubclass(kind, builtin) for builtin in BUILTIN[name]), name
        assert (kind.__module__, kind.__name__) == ("xpframe.errors", name)
    defined = {n for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)}
    assert defined == set(errors.__all__)


def test_the_family_is_public() -> None:
    """The family and its warning are names of the package; the warning is no error."""
    assert issubclass(xpframe.XpFrameError, Exception)
    assert xpframe.XpFrameError is errors.XpFrameError
    assert xpframe.XpFrameWarning is errors.XpFrameWarning
    assert issubclass(XpFrameWarning, UserWarning)
    assert not issubclass(XpFrameWarning, XpFrameError)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_class_carries_its_facts(name: str) -> None:
    """Each class says place, reason and hint in one line, and a pickle of it keeps all of them."""
    kind = getattr(errors, name)
    details = {"file": "objects.jsonl", "line": 7, "job": "3fa", "field": "config.lr", "hint": "do that"}
    error = kind("went wrong", **details)
    assert str(error) == "objects.jsonl:7, job 3fa, field config.lr: went wrong (do that)"
    assert facts(pickle.loads(pickle.dumps(error))) == ("went wrong", *details.values())
    bare = kind("went wrong")
    assert (str(bare), bare.place, facts(bare)) == ("went wrong", "", ("went wrong", *[None] * 5))
    assert str(kind("went wrong", line=7)) == "went wrong"


def test_facts_of_what_could_not_be_read(ws: Path) -> None:
    """The errors of a run say file, line, job and field as values, not only in the text."""
    (lost,) = load(run_of(ws, "lost")).errors
    assert (lost.file, lost.line, lost.job) == (str(run_of(ws, "lost") / "objects.jsonl"), 1, JOBS[0])
    broken = load(run_of(ws, "broken")).errors
    assert [(type(e).__name__, e.line) for e in broken] == [("FormatError", 2), ("FormatError", 3)]
    assert {e.file for e in broken} == {str(run_of(ws, "broken") / "objects.jsonl")}
    with pytest.raises(errors.FieldError) as raised:
        _ = grid(ws).jobs[JOBS[0]].modle
    assert raised.value.field == "modle"


# strict


READERS: list[Callable[[Path, bool], Any]] = [
    lambda run, strict: load_xp_info(run, strict=strict),
    lambda run, strict: Workspace(run.parents[2]).load_xp_info(run.parent.name, strict=strict),
    lambda run, strict: xp_table(run, strict=strict),
    lambda run, strict: xp_frame(run, backend="pandas", strict=strict),
    lambda run, strict: xp_frame(run, backend="polars", strict=strict),
    lambda run, strict: xp_frame(run.parent.name, workspace=run.parents[2], backend="pyarrow", strict=strict),
    lambda run, strict: load(run).table(strict=strict),
    lambda run, strict: load(run).frame(strict=strict),
]


@pytest.mark.parametrize("reader", READERS, ids=range(len(READERS)))
@pytest.mark.parametrize("name", ["broken", "lost", "unread"])
def test_one_warning_or_the_first_error(name: str, reader: Callable[[Path, bool], Any], ws: Path) -> None:
    """What cannot be read is one warning that names the caller's line; strict raises the first error."""
    run = run_of(ws, name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        reader(run, False)
    (warning,) = told
    assert warning.category is XpFrameWarning
    message = warning.message
    assert isinstance(message, XpFrameWarning)
    assert (warning.filename, warning.lineno) == (__file__, reader.__code__.co_firstlineno)
    first, *more = message.errors
    rest = f" (and {len(more)} more, see .errors)" if more else ""
    assert str(message) == f"could not be read: {first}{rest}"
    with pytest.raises(type(first)) as raised:
        reader(run, True)
    assert (str(raised.value), facts(raised.value)) == (str(first), facts(first))


def test_the_warning_has_what_errors_has(ws: Path) -> None:
    """The errors of the warning, of the info and of the table are the same."""
    with pytest.warns(XpFrameWarning) as told:
        info = load_xp_info(run_of(ws, "broken"))
    (message,) = [w.message for w in told]
    assert isinstance(message, XpFrameWarning)
    assert [str(e) for e in info.errors] == [str(e) for e in message.errors]
    assert len(message.errors) == 2
    with pytest.warns(XpFrameWarning):
        found = xp_table(run_of(ws, "broken"))
    assert [str(e) for e in found.errors] == [str(e) for e in message.errors]
    again = pickle.loads(pickle.dumps(message))
    assert (str(again), [str(e) for e in again.errors]) == (str(message), [str(e) for e in message.errors])


def test_nothing_is_told_of_what_can_be_read(ws: Path) -> None:
    """A run without a fault raises no warning and has no errors, strict or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for strict in (False, True):
            assert load_xp_info(run_of(ws, "grid-search"), strict=strict).errors == []
            assert xp_table("grid-search", workspace=ws, strict=strict).errors == []
            assert len(xp_frame("grid-search", workspace=ws, strict=strict)) == 2


def test_a_note_is_no_error(ws: Path) -> None:
    """A column that is split by types is told in the warning, is no error, and strict does not mind."""
    run = experiment(ws, "mixed", thing(1, "Train", JOBS[0], x=1), thing(2, "Train", JOBS[1], x="text"))
    for strict in (False, True):
        with pytest.warns(XpFrameWarning) as told:
            found = xp_table(run, strict=strict)
        (message,) = [w.message for w in told]
        assert isinstance(message, XpFrameWarning)
        assert str(message) == "values of several types are split into config.x@int, config.x@str"
        assert message.errors == found.errors == []


def test_a_warning_made_an_error_hides_nothing(ws: Path) -> None:
    """Where warnings are errors, the one warning is raised, with all that could not be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(XpFrameWarning, match="could not be read") as raised:
            load_xp_info(run_of(ws, "broken"))
    assert len(raised.value.errors) == 2


# near misses


@pytest.mark.parametrize(
    ("wanted", "known", "near"),
    [
        ("grid-serch", ["grid-search", "ablation"], ["grid-search"]),
        ("GRID-SEARCH", ["grid-search"], ["grid-search"]),
        ("search", ["grid-search", "research", "nothing"], ["grid-search", "research"]),
        ("learning_rte", [f"learning_rate{n}" for n in "4321"], [f"learning_rate{n}" for n in "123"]),
        ("zzzzzzzz", ["grid-search", "ablation"], []),
        ("anything", [], []),
        ("été-2", ["ete-2", "hiver"], ["ete-2"]),
        # of short names most letters must be right
        ("lr", ["id", "ls", "config.lr", "seed"], ["config.lr", "ls"]),
        ("x", ["y", "lr", "max"], []),
        ("run", ["sun", "sin", "task"], ["sun"]),
        ("", ["a", "grid-search"], []),
    ],
)
def test_near_misses(wanted: str, known: list[str], near: list[str]) -> None:
    """The nearest names come first, three at most, whatever their case; what is far is not offered."""
    assert _core.near_misses(wanted, known) == near
