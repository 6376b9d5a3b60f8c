"""Writing over a file that is there: mode, owner and links stay; a pipe or device is left alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from public_names import public_directory
from xpframe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from conftest import Workspaces

Write = Callable[[Path], Any]


@pytest.fixture(params=["table", "picture", "report"])
def write(request: pytest.FixtureRequest, workspaces: Workspaces) -> Write:
    """What writes: a table as CSV, a picture as SVG, a report as HTML, each under one ending."""
    root = workspaces.path("v270_full")
    if request.param == "table":
        table = xpframe.xp_table("grid-search", workspace=root)
        return lambda path: table.write(path.with_suffix(".csv"))
    info = xpframe.Workspace(root).load_xp_info("grid-search")
    if request.param == "report":
        return lambda path: info.report(path.with_suffix(".html"), quiet=True)
    picture = info.plot.states()
    return lambda path: picture.save(path.with_suffix(".svg"))


@pytest.fixture
def public_path() -> Iterator[Path]:
    """A directory for processes of another user."""
    with public_directory() as path:
        yield path


@pytest.fixture
def name(write: Write, tmp_path: Path) -> str:
    """The name of the file that is written."""
    return Path(write(tmp_path / "probe")).name.replace("probe", "out")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_stays(mode: int, write: Write, name: str, tmp_path: Path) -> None:
    """A file of this mode has it afterwards: what only its owner may read is not shown to all."""
    out = tmp_path / name
    out.write_text("before")
    out.chmod(mode)
    write(out)
    assert stat.S_IMODE(out.stat().st_mode) == mode
    assert out.read_text() != "before"


def test_a_new_file_has_the_mode_of_the_umask(write: Write, name: str, tmp_path: Path) -> None:
    """A file that was not there has the mode that any program gives it."""
    before = os.umask(0o027)
    try:
        write(tmp_path / name)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_stay(write: Write, name: str, tmp_path: Path) -> None:
    """root that writes over a file of somebody leaves it to them."""
    out = tmp_path / name
    out.write_text("before")
    os.chown(out, 1234, 4321)
    write(out)
    assert (out.stat().st_uid, out.stat().st_gid) == (1234, 4321)


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_is_written_through(there: bool, write: Write, name: str, tmp_path: Path) -> None:
    """A symbolic link stays one, by way of another link too, and the file that it means is written."""
    (tmp_path / "disk").mkdir()
    real = tmp_path / "disk" / name
    if there:
        real.write_text("before")
        real.chmod(0o600)
    (tmp_path / "link").symlink_to(Path("disk") / name)
    out = tmp_path / name
    out.symlink_to("link")
    write(out)
    assert str(out.readlink()) == "link"
    assert real.stat().st_size > 100
    assert stat.S_IMODE(real.stat().st_mode) == (0o600 if there else 0o666 & ~umask())
    assert {path.name for path in real.parent.iterdir()} == {name}


def umask() -> int:
    """The umask of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a link to a device", "a socket"])
def test_no_regular_file_is_left_alone(kind: str, write: Write, name: str, tmp_path: Path) -> None:
    """A pipe, a device or a socket is neither replaced nor opened: the error says what it is."""
    out = tmp_path / name
    if kind == "a pipe":
        os.mkfifo(out)
    elif kind == "a socket":
        import socket

        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(tmp_path)
            server.bind(name)
    elif kind == "a device":
        try:
            os.mknod(out, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    else:
        out.symlink_to("/dev/null")
    before = out.lstat()
    with pytest.raises(InvalidArgumentError) as caught:
        write(out)
    shown = kind.removeprefix("a link to ")
    assert str(caught.value) == (
        f"{str(out)!r} is {shown}, not a regular file (it is left as it is: name a file)"
    )
    assert out.lstat() == before


def test_a_loop_of_links_is_an_error(write: Write, name: str, tmp_path: Path) -> None:
    """A link to itself is refused by its name."""
    out = tmp_path / name
    out.symlink_to(name)
    with pytest.raises(OSError, match="symbolic links") as caught:
        write(out)
    assert caught.value.filename == str(out)


def test_pictures_are_not_saved_into_workspaces(tmp_path: Path, workspaces: Workspaces) -> None:
    """A picture is no more written into a workspace than a table is."""
    root = workspaces.path("v270_full")
    picture = xpframe.Workspace(root).load_xp_info("grid-search").plot.states()
    for ending in ("svg", "png"):
        with pytest.raises(InvalidArgumentError, match="is inside the workspace"):
            picture.save(root / f"states.{ending}")


def test_a_read_only_file_stays(public_path: Path, workspaces: Workspaces) -> None:
    """A file that its owner protected from writing is not replaced, though its directory would allow it."""
    out = public_path / "out.csv"
    out.write_text("before")
    out.chmod(0o444)
    script = """
        import os, sys
        import xpframe
        table = xpframe.xp_table("grid-search", workspace=sys.argv[1])
        import polars, secrets, xpframe.export, xpframe.whole_file
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            table.write(sys.argv[2])
        except OSError as error:
            print(type(error).__name__, error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(workspaces.path("v270_full")), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"PermissionError [Errno 13] Permission denied: '{out}'\n", "")
    assert out.read_text() == "before"


def test_a_failed_write_leaves_the_file(write: Write, name: str, tmp_path: Path) -> None:
    """Where nothing can be written, the file is as it was and nothing lies beside it."""
    out = tmp_path / name
    out.write_text("before")
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write(out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(out)
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == out.suffix and path != out] == [
        name.replace("out", "probe")
    ]
