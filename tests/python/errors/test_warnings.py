"""The one warning of a call: what could not be read. Where that is asked for, the first of it is an error."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from definitions import thing
from engine import load
from situations import JOBS, experiment, facts, prepared, run_of
from xpframe import Workspace, XpFrameWarning, load_xp_info, xp_frame, xp_table


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return prepared(tmp_path, monkeypatch)


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
        given = reader(run, False)
    (warning,) = told
    assert warning.category is XpFrameWarning
    message = warning.message
    assert isinstance(message, XpFrameWarning)
    assert (warning.filename, warning.lineno) == (__file__, reader.__code__.co_firstlineno)
    first, *more = message.errors
    lists = ".errors" if hasattr(given, "errors") else "xp_table(…).errors"  # a DataFrame has none
    rest = f" (and {len(more)} more, see {lists})" if more else ""
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


@pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")
@pytest.mark.parametrize("name", ["broken", "lost", "unread"])
def test_calls_that_read_several_times_say_it_once(name: str, ws: Path, tmp_path: Path) -> None:
    """A report warns once; a comparison does not repeat what the loading of its runs said."""
    info = load(run_of(ws, name))
    calls: dict[str, Callable[[], Any]] = {
        "report": lambda: info.report(tmp_path / "page.html"),
        "compare": lambda: info.compare(info),
    }
    told = {}
    for call, function in calls.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function()
        told[call] = len(caught)
    assert told == {"report": 1, "compare": 0}


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
