"""What every error says, word for word: what went wrong, where, and what to do."""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest

import xpframe
from engine import load
from situations import JOBS, SITUATIONS, Situation, facts, grid, prepared, run_of
from xpframe import XpFrameError, XpFrameWarning, _core, errors

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
    "PullError": (OSError,),
    "MissingLibraryError": (ImportError,),
}


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return prepared(tmp_path, monkeypatch)


def named(situations: list[Situation]) -> list[Any]:
    """Situations as parameters with short names."""
    return [pytest.param(s, id=f"{s.kind.removesuffix('Error')}-{n}") for n, s in enumerate(situations)]


@pytest.mark.parametrize("situation", named(SITUATIONS))
def test_texts(situation: Situation, ws: Path) -> None:
    """In each situation the error is of its class and its builtin, and says exactly this, pickled or not.

    Reasons and hints start in lower case (or with a name) and end without a full stop.
    """
    with pytest.raises(XpFrameError) as raised:
        situation.call(ws)
    error = raised.value
    places = {"{run}": str(run_of(ws, "grid-search")), "{ws}": str(ws), "{top}": str(ws.parent)}
    for name, path in places.items():
        texts = (part.replace(name, path) for part in situation[2:])
        situation = Situation(situation.kind, situation.call, *texts)
    said = (type(error).__name__, error.reason, error.place, error.hint or "")
    assert said == (situation.kind, *situation[2:])
    for part in (error.reason, error.hint or ""):
        assert not part[:1].isupper()
        assert not part.endswith((".", " ", "!"))
    place = f"{situation.place}: " if situation.place else ""
    hint = f" ({situation.hint})" if situation.hint else ""
    assert str(error) == f"{place}{situation.reason}{hint}"
    assert isinstance(error, BUILTIN[situation.kind])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert twin is not error
        assert (type(twin), str(twin), facts(twin)) == (type(error), str(error), facts(error))


def test_every_class_is_met() -> None:
    """Each class of `xpframe.errors` has a situation above, is in the family, and is its builtin too."""
    classes = {name: getattr(errors, name) for name in errors.__all__}
    del classes["XpFrameError"], classes["XpFrameWarning"]
    assert {s.kind for s in SITUATIONS} == set(classes) == set(BUILTIN)
    assert len(classes) == 14
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
