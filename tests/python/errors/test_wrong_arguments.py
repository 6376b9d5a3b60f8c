"""Each public call with wrong types and values of each argument: the error is ours and says what to give."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xpframe
from xpframe import Result, XpFrameError
from xpframe.errors import InvalidArgumentError

WRONG: list[Any] = [
    1,
    1.5,
    True,
    None,
    -1,
    10**30,
    float("nan"),
    b"x",
    Ellipsis,
    [],
    [1],
    [None],
    [["a"]],
    ["latest"],
    ["learning_rate", 2],
    ("a", 1),
    {},
    {"a": 1},
    {"a": None},
    {"lr": ["a", "b"]},
    {1: "a"},
    {"a"},
    range(3),
    lambda: 1,
    Path("zz"),
    Result("metrics.json"),
    "",
    "zzzz",
    "a\udcff",
    "x\0y",
    "s3://bucket/ws",
    "host:path/ws",
]
Call = tuple[Callable[..., Any], tuple[Any, ...]]
# what an error must not show of Python and of the engine
INTERNAL = re.compile(
    r"not iterable|PyString|'items'|codec can't|cannot be converted|instance of|has no attribute"
)


def calls() -> dict[str, Call]:
    """The public calls, each with arguments that are right."""
    root = xpframe.sample_workspace()
    xpframe.use(root)
    workspace = xpframe.Workspace(root)
    info = workspace.load_xp_info("grid-search")
    table, frame = info.table(), info.frame()
    config = next(iter(info.jobs.values()))
    name, handle = ("grid-search",), ("grid-search", "metrics.json")
    return {
        "xp_frame": (xpframe.xp_frame, name),
        "xp_table": (xpframe.xp_table, name),
        "scan_xp": (xpframe.scan_xp, name),
        "xp_series": (xpframe.xp_series, handle),
        "scan_series": (xpframe.scan_series, handle),
        "failures": (xpframe.failures, name),
        "result_files": (xpframe.result_files, name),
        "factors": (xpframe.factors, (frame,)),
        "coverage": (xpframe.coverage, (frame,)),
        "replicates": (xpframe.replicates, (frame,)),
        "diff": (xpframe.diff, (config, config)),
        "compare": (xpframe.compare, (info, info)),
        "load_xp_info": (xpframe.load_xp_info, (info.path,)),
        "Workspace": (xpframe.Workspace, (root,)),
        "Workspace.runs": (workspace.runs, name),
        "Workspace.load_xp_info": (workspace.load_xp_info, name),
        "Workspace.get_tags_map": (workspace.get_tags_map, name),
        "Workspace.get_current_run": (workspace.get_current_run, name),
        "Workspace.load": (workspace.load, name),
        "Workspace.check": (workspace.check, ()),
        "info.load": (info.load, ()),
        "info.frame": (info.frame, ()),
        "info.series": (info.series, ("metrics.json",)),
        "info.failures": (info.failures, ()),
        "info.since": (info.since, (info,)),
        "info.compare": (info.compare, (info,)),
        "info.jobs[]": (info.jobs.__getitem__, ("x",)),
        "Table.select": (table.select, ("state",)),
        "Table.head": (table.head, (1,)),
        "Table.column_values": (table.column_values, ("state",)),
        "Table.value_counts": (table.value_counts, ("state",)),
        "Table.to_pandas": (table.to_pandas, ()),
        "plot.parallel": (info.plot.parallel, ()),
        "plot.states": (info.plot.states, ()),
        "Result": (lambda **options: xpframe.xp_table("grid-search", results=Result(**options)), ()),
        "use": (xpframe.use, (root,)),
    }


def wrongly(call: Any, *arguments: Any, **options: Any) -> Any:
    """Calls with arguments whose types are wrong on purpose."""
    return call(*arguments, **options)


def parameters(call: Callable[..., Any]) -> list[str]:
    if call.__name__ == "<lambda>":
        return ["handle", "format", "max", "min", "first", "separator", "header"]
    return list(inspect.signature(call).parameters)


@pytest.mark.filterwarnings("ignore")
def test_each_argument_with_each_wrong_value() -> None:
    """No argument lets an error of Python or of a library through; each is told with what to give."""
    walls, tried = [], 0
    try:
        for name, (call, right) in calls().items():
            for position, parameter in enumerate(parameters(call)):
                for wrong in WRONG:
                    arguments = list(right)
                    options: dict[str, Any] = {"handle": "metrics.json"} if name == "Result" else {}
                    if position < len(arguments):
                        arguments[position] = wrong
                    else:
                        options[parameter] = wrong
                    tried += 1
                    try:
                        with warnings.catch_warnings():
                            warnings.simplefilter("ignore")
                            call(*arguments, **options)
                    except XpFrameError as error:
                        if INTERNAL.search(str(error)):
                            walls.append(f"{name}({parameter}={wrong!r}): {error}")
                    except Exception as error:  # noqa: BLE001 - each is a fault
                        walls.append(f"{name}({parameter}={wrong!r}): {type(error).__name__}: {error}")
    finally:
        xpframe.use(None)
    assert walls == []
    assert tried > 3_000


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: wrongly(xpframe.xp_frame, "grid-search", columns={"lr": [1]}), "a dict from new names to"),
        (lambda: wrongly(xpframe.xp_frame, "grid-search", run=1), 'run=1 (it is "latest", "all", "distinct"'),
        (
            lambda: xpframe.xp_frame("grid-search", run=[]),
            "run is an empty list (name a run, or leave it out)",
        ),
        (
            lambda: wrongly(xpframe.xp_table("grid-search").value_counts, 3),
            "names=3 (give a name, or a list of names)",
        ),
        (lambda: xpframe.xp_table("grid-search").head(-1), "count=-1 (it is a number of rows, 0 or more)"),
        (
            lambda: wrongly(xpframe.factors, xpframe.xp_frame("grid-search"), by=3),
            "by=3 (give a name, a list of names",
        ),
        (lambda: wrongly(xpframe.xp_frame, "grid-search", names="python"), "'full', 'short' or 'identifier'"),
        (
            lambda: wrongly(xpframe.xp_frame, xpframe.Workspace().load_xp_info("grid-search")),
            "(a run that is loaded has calls of its own: info.frame(), info.series(), info.failures())",
        ),
        (lambda: xpframe.xp_frame("grid-search", run="ALL"), "(did you mean all? its only run is 20261127_"),
        (lambda: xpframe.xp_frame("grid-search", run=["last"]), "(did you mean latest? its only run is"),
        (lambda: xpframe.xp_frame("grid-search", run="2020"), "no run '2020' (its only run is"),
        (
            lambda: xpframe.xp_frame("grid-search/20261127_075321"),
            "(give the name 'grid-search' and run='20261127_075321')",
        ),
        (lambda: xpframe.xp_frame("gird/2026"), "(a name is one plain path component"),
        (lambda: xpframe.load_xp_info("grid-search"), "by name: Workspace().load_xp_info('grid-search')"),
        (
            lambda: xpframe.load_xp_info("me@host:ws/experiments/x/y"),
            "xpframe pull me@host:ws/experiments/x/y",
        ),
        (lambda: xpframe.Workspace("s3://bucket/ws"), "'s3://bucket/ws' is not on this machine (copy it"),
        (lambda: xpframe.use("host:/scratch/ws"), "copy it with: xpframe pull host:/scratch/ws DIRECTORY"),
        (lambda: xpframe.xp_frame("host:/scratch/ws/experiments/x/y"), "is not on this machine"),
    ],
)
def test_errors_that_used_to_end_in_a_wall(
    call: Callable[[], Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an argument is, where a name is meant, and how to come by files of another machine."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    with pytest.raises(XpFrameError) as raised:
        call()
    assert text in str(raised.value)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"handle": 5}, "(it is a handle (a path parameter or a file, as 'metrics.json'), a dict from names"),
        (
            {"format": "yaml"},
            "no result format 'yaml' (the formats are json, jsonl, csv, tsv, ",
        ),
        ({"format": 5}, "format=5 (it is the name of a format, or a function from a path to a dict)"),
        ({"max": "loss", "min": "loss"}, "(give one of max=, min= and first=)"),
        ({"separator": "ab"}, "(it is one ASCII character, as ';')"),
        ({"handle": "../x"}, "a pattern that leads out of the job's directory: '../x'"),
    ],
)
def test_a_result_is_refused_when_it_is_made(options: dict[str, Any], text: str) -> None:
    """`Result(…)` raises what a call with it would raise."""
    with pytest.raises(InvalidArgumentError) as raised:
        Result(**{"handle": "metrics.json", **options})
    assert text in str(raised.value)


def test_a_colon_in_a_name_is_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment may be called `a:b`, and a directory that is there may be too."""
    from situations import experiment, objects, prepared

    ws = prepared(tmp_path, monkeypatch)
    run = experiment(ws, "a:b", *objects())
    assert len(xpframe.xp_table("a:b", workspace=ws)) == 2
    assert len(xpframe.xp_table(str(run))) == 2
    monkeypatch.chdir(ws.parent)
    ws.rename(ws.parent / "ws:old")
    assert len(xpframe.xp_table("a:b", workspace="ws:old")) == 2
    with pytest.raises(xpframe.errors.WorkspaceNotFoundError, match="there is no such directory"):
        xpframe.Workspace("C:\\Users\\me\\ws")


def test_lists_of_runs_may_say_latest_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run=["latest"]` is the latest run, and a run that is named twice is read once."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    assert xpframe.xp_table("grid-search", run=["latest"]).shape == (12, 16)
    assert len(xpframe.xp_table("grid-search", run=["latest", "all"])) == 12


def test_counts_of_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """`value_counts("state")` is that of one name."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    table = xpframe.xp_table("grid-search")
    assert table.value_counts("state") == table.value_counts(["state"]) == [(("done",), 11), (("error",), 1)]


def test_a_table_names_where_errors_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning of a frame names what has the errors: a DataFrame has none."""
    from situations import prepared

    ws = prepared(tmp_path, monkeypatch)
    told = {}
    readers: dict[str, Callable[[], Any]] = {
        "xp_table": lambda: xpframe.xp_table("broken", workspace=ws),
        "xp_frame": lambda: xpframe.xp_frame("broken", workspace=ws),
        "info": lambda: xpframe.Workspace(ws).load_xp_info("broken"),
    }
    for name, call in readers.items():
        with pytest.warns(xpframe.XpFrameWarning) as caught:
            call()
        told[name] = str(caught[0].message).rpartition("see ")[2]
    assert told == {"xp_table": ".errors)", "xp_frame": "xp_table(…).errors)", "info": ".errors)"}
