"""Arguments that are no text: unpaired surrogates, bytes and other types are errors of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xpframe
from xpframe.errors import InvalidArgumentError, JobNotFoundError, XpFrameError

HALF = "\udcff"


@pytest.fixture(scope="module")
def root() -> Path:
    """The sample."""
    return xpframe.sample_workspace()


@pytest.fixture
def info(root: Path) -> xpframe.ExperimentInfo:
    """A run."""
    return xpframe.Workspace(root).load_xp_info("grid-search")


@pytest.mark.parametrize("kind", ["jobs", "actions"])
@pytest.mark.parametrize("key", [HALF, f"a{HALF}b", b"x", 3, None, "\0", "x" * 300])
def test_mappings_take_any_key(key: Any, kind: str, info: xpframe.ExperimentInfo) -> None:
    """`in`, `get` and `[]` answer any key as a dict does: it is not there."""
    mapping = getattr(info, kind)
    assert key not in mapping
    assert mapping.get(key, "nothing") == "nothing"
    with pytest.raises(JobNotFoundError) as caught:
        mapping[key]
    assert f"no {kind[:-1]} " in str(caught.value)
    if key == HALF:
        assert str(caught.value) == (
            f"no {kind[:-1]} '\\udcff' (it has an unpaired surrogate, and no identifier has)"
        )


Call = Callable[[Path, Any], object]

# argument → the call, for text
TEXTS: dict[str, Call] = {
    "experiment": lambda root, bad: xpframe.xp_table(bad, workspace=root),
    "experiment in a list": lambda root, bad: xpframe.xp_table([bad], workspace=root),
    "run": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, run=bad),
    "run in a list": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, run=[bad]),
    "task": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, task=bad),
    "task in a list": lambda root, bad: xpframe.xp_frame("grid-search", workspace=root, task=["*", bad]),
    "columns": lambda root, bad: xpframe.xp_frame("grid-search", workspace=root, columns=bad),
    "columns in a list": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, columns=["state", bad]
    ),
    "columns in a dict": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, columns={"x": bad}
    ),
    "names of columns": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, columns={bad: "state"}
    ),
    "timezone": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, timezone=bad),
    "lazy columns": lambda root, bad: xpframe.scan_xp("grid-search", workspace=root, columns=bad).collect(),
    "lazy task": lambda root, bad: xpframe.scan_xp("grid-search", workspace=root, task=bad).collect(),
    "lazy run": lambda root, bad: xpframe.scan_xp("grid-search", workspace=root, run=bad).collect(),
    "Workspace.runs": lambda root, bad: xpframe.Workspace(root).runs(bad),
    "get_current_run": lambda root, bad: xpframe.Workspace(root).get_current_run(bad),
    "Workspace.load_xp_info": lambda root, bad: xpframe.Workspace(root).load_xp_info(bad),
    "run_id": lambda root, bad: xpframe.Workspace(root).load_xp_info("grid-search", bad),
    "get_tags_map": lambda root, bad: xpframe.Workspace(root).get_tags_map(bad),
    "get_dependencies_map": lambda root, bad: xpframe.Workspace(root).get_dependencies_map(
        "grid-search", bad
    ),
    "Workspace.load": lambda root, bad: xpframe.Workspace(root).load("grid-search", bad),
    "check": lambda root, bad: xpframe.Workspace(root).check(bad),
    "run of check": lambda root, bad: xpframe.Workspace(root).check("grid-search", run=bad),
    "load": lambda root, bad: xpframe.Workspace(root).load_xp_info("grid-search").load(bad),
    "table of a run": lambda root, bad: (
        xpframe.Workspace(root).load_xp_info("grid-search").table(columns=bad)
    ),
    "Table.select": lambda root, bad: xpframe.xp_table("grid-search", workspace=root).select(bad),
    "column_values": lambda root, bad: xpframe.xp_table("grid-search", workspace=root).column_values(bad),
    "column_metadata": lambda root, bad: xpframe.xp_table("grid-search", workspace=root).column_metadata(bad),
    "value_counts": lambda root, bad: xpframe.xp_table("grid-search", workspace=root).value_counts([bad]),
    "where": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, where=bad),
    "a value of where": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, where={"state": bad}
    ),
    "results": lambda root, bad: xpframe.xp_table("grid-search", workspace=root, results=bad),
    "results in a dict": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, results={"m": bad}
    ),
    "the row of a result": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, results=xpframe.Result("metrics.json", max=bad)
    ),
    "the format of a result": lambda root, bad: xpframe.xp_table(
        "grid-search", workspace=root, results=xpframe.Result("metrics.json", format=bad)
    ),
    "series": lambda root, bad: xpframe.xp_series("grid-search", bad, workspace=root),
    "metrics": lambda root, bad: xpframe.xp_series("grid-search", "m.json", workspace=root, metrics=bad),
    "scan_series": lambda root, bad: xpframe.scan_series("grid-search", bad, workspace=root).collect(),
    "failures": lambda root, bad: xpframe.failures(bad, workspace=root),
    "task of failures": lambda root, bad: xpframe.failures("grid-search", workspace=root, task=bad),
    "result_files": lambda root, bad: xpframe.result_files(bad, workspace=root),
    "parts": lambda root, bad: list(xpframe.parts("grid-search", workspace=root, columns=bad)),
    "colour of a picture": lambda root, bad: (
        xpframe.Workspace(root).load_xp_info("grid-search").plot.parallel(color=bad)
    ),
    "series of a picture": lambda root, bad: (
        xpframe.Workspace(root).load_xp_info("grid-search").plot.series(bad)
    ),
    "jobs of a provider": lambda root, bad: xpframe.WorkspaceStateProvider(root).get_jobs(bad),
    "run of a provider": lambda root, bad: xpframe.WorkspaceStateProvider(root).get_jobs("grid-search", bad),
    "state of a provider": lambda root, bad: xpframe.WorkspaceStateProvider(root).get_jobs(state=bad),
    "job of a provider": lambda root, bad: xpframe.WorkspaceStateProvider(root).get_job("lab.train", bad),
}
# those that say what the argument is instead
OWN_WORDS = {"the row of a result", "the format of a result", "metrics"}
# argument → the call, for paths
PATHS: dict[str, Call] = {
    "workspace": lambda _, bad: xpframe.xp_table("grid-search", workspace=bad),
    "workspace in a list": lambda root, bad: xpframe.xp_table("grid-search", workspace=[root, bad]),
    "Workspace": lambda _, bad: xpframe.Workspace(bad),
    "use": lambda _, bad: xpframe.use(bad),
    "load_xp_info": lambda _, bad: xpframe.load_xp_info(bad),
    "WorkspaceStateProvider": lambda _, bad: xpframe.WorkspaceStateProvider(bad),
    "report": lambda root, bad: xpframe.Workspace(root).load_xp_info("grid-search").report(bad),
    "write": lambda root, bad: xpframe.xp_table("grid-search", workspace=root).write(bad),
    "save": lambda root, bad: xpframe.Workspace(root).load_xp_info("grid-search").plot.states().save(bad),
}


@pytest.mark.parametrize("name", TEXTS)
def test_surrogates_in_text(name: str, root: Path) -> None:
    """An unpaired surrogate where a name is expected is an error of ours that shows it."""
    with pytest.raises(XpFrameError) as caught:
        TEXTS[name](root, f"x{HALF}")
    assert not isinstance(caught.value, UnicodeError)
    assert "'x\\udcff'" in str(caught.value)
    if name not in OWN_WORDS:
        assert "has an unpaired surrogate (no name is written like this)" in str(caught.value)


@pytest.mark.parametrize(
    "bad", [b"grid-search", 3, 1.5, [b"x"], object()], ids=lambda bad: type(bad).__name__
)
@pytest.mark.parametrize("name", TEXTS)
def test_other_types_as_text(name: str, bad: Any, root: Path) -> None:
    """Bytes where a name is expected are an InvalidArgumentError; other types may be a TypeError."""
    with pytest.raises((InvalidArgumentError, TypeError)) as caught:
        TEXTS[name](root, bad)
    if isinstance(bad, bytes):
        assert isinstance(caught.value, InvalidArgumentError), caught.value
        assert "b'grid-search'" in str(caught.value)


@pytest.mark.parametrize("bad", [b"/tmp", 3, [1], "\ud800x", "a\0b"], ids=repr)
@pytest.mark.parametrize("name", PATHS)
def test_what_is_no_path(name: str, bad: Any, root: Path) -> None:
    """Bytes, numbers, text that no file system encodes, and NUL characters are errors of ours."""
    if name == "workspace" and isinstance(bad, list):
        pytest.skip("a list of workspaces")
    with pytest.raises(XpFrameError) as caught:
        PATHS[name](root, bad)
    assert not isinstance(caught.value, UnicodeError)
    if isinstance(bad, bytes):
        assert str(caught.value) == f"{bad!r} is not a path (give a str or a pathlib.Path)"


def test_paths_that_are_not_utf8(tmp_path: Path) -> None:
    """A path with bytes that are no UTF-8 is a path: what Python makes of it is found."""
    import shutil

    odd = os.fsdecode(os.fsencode(tmp_path) + b"/w\xff")
    shutil.copytree(xpframe.sample_workspace(), odd)
    assert len(xpframe.xp_table("grid-search", workspace=odd)) == 12
    assert xpframe.Workspace(Path(odd)).experiments() != []


@pytest.mark.parametrize("bad", [-1, 1 << 70, "3", None, 1.5])
def test_max_columns(bad: Any, root: Path) -> None:
    """A limit that is no number of columns is an error of ours."""
    with pytest.raises(InvalidArgumentError) as caught:
        xpframe.xp_table("grid-search", workspace=root, max_columns=bad)
    assert str(caught.value) == f"max_columns={bad!r} (it is a number of columns, 0 or more)"


def test_attributes_of_configs(info: xpframe.ExperimentInfo) -> None:
    """A field with an unpaired surrogate is one that a config has not."""
    (config, *_) = info.jobs.values()
    assert not hasattr(config, HALF)
    changes: list[Any] = [lambda: setattr(config, HALF, 1), lambda: delattr(config, HALF)]
    for change in changes:
        with pytest.raises(AttributeError, match="configs are immutable"):
            change()


@pytest.mark.parametrize(
    "arguments",
    [
        ["frame", "grid-search", "-c", b"\xff"],
        ["schema", "grid-search", "--task", b"\xff"],
        ["frame", "grid-search", "--run", b"\xff"],
        ["frame", b"\xff"],
        ["runs", b"\xff"],
        ["check", "-e", b"\xff"],
    ],
    ids=repr,
)
def test_command_line(arguments: list[Any], root: Path) -> None:
    """A name on the command line that is not UTF-8 is one line on stderr that shows it."""
    command = [sys.executable, "-m", "xpframe", *arguments, "-w", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if arguments[0] == "check" else 1)
    assert done.stdout == ""
    assert done.stderr.startswith("xpframe: ")
    assert "'\\udcff'" in done.stderr
    assert "unpaired surrogate" in done.stderr
    assert done.stderr.count("\n") == 1
