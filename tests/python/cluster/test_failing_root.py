"""A file system that fails at the root: "it is not there" and "it cannot be looked at" are two answers."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import unpack
from xpframe.errors import ReadError, RunNotFoundError, WorkspaceNotFoundError

if TYPE_CHECKING:
    from conftest import Workspaces

TESTS = next(above for above in Path(__file__).parents if above.name == "python")

# every call of each function fails below the directory that is named
CALLS = """
    import ctypes, json, os, sys, warnings
    import pandas
    import xpframe
    from xpframe import cli
    root, where, number, library = sys.argv[1:]
    faults = ctypes.CDLL(library) if library else None
    run = max((p for p in __import__("pathlib").Path(root).glob("experiments/grid-search/2*")), key=str)
    warnings.simplefilter("ignore")
    calls = {
        "load_xp_info": lambda: xpframe.load_xp_info(run),
        "xp_frame of a path": lambda: xpframe.xp_frame(run),
        "Workspace": lambda: xpframe.Workspace(root).runs("grid-search"),
        "xp_frame": lambda: xpframe.xp_frame("grid-search", workspace=root),
        "xp_frame of a glob": lambda: xpframe.xp_frame("grid-*", workspace=root),
        "scan_xp": lambda: xpframe.scan_xp("grid-search", workspace=root).collect(),
        "load_xp_info of a workspace": lambda: xpframe.Workspace(root).load_xp_info("grid-search"),
        "a run by name": lambda: xpframe.xp_frame("grid-search", workspace=root, run=run.name),
        "use": lambda: xpframe.use(root),
        "WorkspaceStateProvider": lambda: xpframe.WorkspaceStateProvider(root).get_jobs("grid-search"),
        "failures": lambda: xpframe.failures("grid-search", workspace=root),
        "xp_series": lambda: xpframe.xp_series("grid-search", "metrics.json", workspace=root),
        "scan_series": lambda: xpframe.scan_series("grid-search", "m.csv", workspace=root).collect(),
        "result_files": lambda: xpframe.result_files("grid-search", workspace=root),
        "parts": lambda: xpframe.parts("grid-search", workspace=root),
        "check": lambda: str(xpframe.Workspace(root).check()),
    }
    said = {}
    os.chdir("/")
    for name, call in calls.items():
        if faults:
            faults.fault_arm(where.encode(), 0, int(number), 1)
        else:
            os.chmod(where, 0)
        try:
            call()
        except Exception as error:
            said[name] = [[kind.__name__ for kind in type(error).__mro__], str(error)]
        else:
            said[name] = [[], ""]
        finally:
            faults.fault_disarm() if faults else os.chmod(where, 0o755)
    print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail."""
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    (source,) = TESTS.rglob("faults.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(path), str(source), "-ldl"], check=True)
    return path


def said(root: Path, where: Path, number: int = 0, library: Path | None = None) -> dict[str, Any]:
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(CALLS),
        str(root),
        str(where),
        str(number),
        str(library or ""),
    ]
    if library is None and os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    environment = {**os.environ, **({"LD_PRELOAD": str(library)} if library else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


PLACES = {"workspace": ".", "experiments": "experiments", "experiment": "experiments/grid-search"}
# a call that needs nothing of that directory succeeds
NEEDS = {"use": {"workspace"}, "check": {"workspace", "experiments"}}


@pytest.mark.parametrize("name", ["ESTALE", "EIO", "EACCES"])
@pytest.mark.parametrize("place", PLACES)
def test_a_failing_directory_is_no_absence(
    place: str, name: str, library: Path, workspaces: Workspaces
) -> None:
    """Where the system does not tell, the error is a ReadError with the path and the system's reason."""
    root = workspaces.path("v270_full")
    where = root / PLACES[place] if place != "workspace" else root
    number = getattr(errno, name)
    for call, (kinds, text) in said(root, where, number, library).items():
        if place not in NEEDS.get(call, PLACES):
            continue
        assert "ReadError" in kinds, (call, kinds, text)
        assert str(where) in text, (call, text)
        assert os.strerror(number) in text, (call, text)


@pytest.mark.parametrize("place", ["workspace", "experiments", "experiment", "run"])
def test_denied_is_no_absence(place: str, tmp_path: Path) -> None:
    """A directory that may not be searched is a ReadError that names it."""
    root = unpack("v270_full", tmp_path)
    run = max(root.glob("experiments/grid-search/2*"))
    where = run if place == "run" else root / PLACES[place]
    for call, (kinds, text) in said(root, where).items():
        if place == "run" or place not in NEEDS.get(call, PLACES):
            # the run is there, and what cannot be read of it is in its errors
            assert kinds == [] or "ReadError" in kinds, (call, text)
            continue
        assert "ReadError" in kinds, (call, kinds, text)
        assert str(where).rstrip("/.") in text, (call, text)
        assert "Permission denied" in text


def test_what_is_not_there_is_said_so(tmp_path: Path, workspaces: Workspaces) -> None:
    """Absent is still absent: no directory, a file instead of one, a link that leads nowhere or round."""
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("gone", "file/x", "nowhere", "loop"):
        path = tmp_path / name
        with pytest.raises(WorkspaceNotFoundError) as caught:
            xpframe.Workspace(path)
        assert str(caught.value).startswith(f"{path}: there is no such directory"), name
        with pytest.raises(RunNotFoundError) as no_run:
            xpframe.load_xp_info(path)
        assert str(no_run.value) == f"{path}: there is no such run directory"


@pytest.mark.parametrize("length", [300, 5000])
def test_names_that_no_file_system_has(length: int, tmp_path: Path, workspaces: Workspaces) -> None:
    """A name of 300 characters is an error of ours, with the path and the reason, in each argument."""
    name = "n" * length
    root = workspaces.path("v270_full")
    for call in (
        lambda: xpframe.load_xp_info(tmp_path / name),
        lambda: xpframe.load_xp_info(f"{tmp_path}/{name}/x"),
        lambda: xpframe.xp_table(tmp_path / name),
        lambda: xpframe.xp_table(f"./{name}/x"),
        lambda: xpframe.Workspace(tmp_path / name),
        lambda: xpframe.Workspace(name),
        lambda: xpframe.xp_table("grid-search", workspace=name),
        lambda: xpframe.use(name),
    ):
        with pytest.raises(ReadError) as caught:
            call()
        assert "File name too long" in str(caught.value)
        assert name[:200] in str(caught.value)
    with pytest.raises(xpframe.errors.InvalidNameError, match=f"has {length} bytes, more than 255"):
        xpframe.xp_table(name, workspace=root)


def test_the_current_directory_fails(library: Path, workspaces: Workspaces, tmp_path: Path) -> None:
    """A workspace around the current directory that fails is told: no other workspace is taken instead."""
    root = workspaces.path("v270_full")
    script = """
        import ctypes, errno, os, sys
        import xpframe
        faults = ctypes.CDLL(sys.argv[2])
        os.chdir(sys.argv[1] + "/experiments")
        faults.fault_arm(sys.argv[1].encode(), 0, errno.ESTALE, 1)
        try:
            xpframe.Workspace()
        except xpframe.XpFrameError as error:
            faults.fault_disarm()
            print(type(error).__name__, error)
    """
    settings = tmp_path / ".config/experimaestro/settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"workspaces: [{{id: other, path: {unpack('v270_killed', tmp_path)}}}]\n")
    command = [sys.executable, "-c", textwrap.dedent(script), str(root), str(library)]
    environment = {**os.environ, "LD_PRELOAD": str(library), "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    number = errno.ESTALE
    reason = f"cannot be read: {os.strerror(number)} (os error {number})"
    expected = f"ReadError {root}/experiments: {reason}\n"
    assert (done.stdout, done.stderr) == (expected, "")
