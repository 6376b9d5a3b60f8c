"""`pull` copies what xpframe reads of a workspace behind a real sshd, and nothing else."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import sshd
import xpframe
from conftest import SHARED, Workspaces, archives, listing, reference_names, references, unpack
from xpframe.errors import (
    ExperimentNotFoundError,
    InvalidArgumentError,
    MissingLibraryError,
    PullError,
    WorkspaceNotFoundError,
)

pytestmark = pytest.mark.slow

GLOBS = ["metrics.json", "*.csv", "runs/**/events.out.tfevents.*"]


@pytest.fixture
def host(server: sshd.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RSYNC_RSH", server.ssh())
    return "127.0.0.1"


def frames(root: Path, **options: Any) -> dict[str, pl.DataFrame]:
    """All frames of a workspace; the paths in them relative to it."""
    workspace = xpframe.Workspace(root)
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in workspace.experiments():
            frame = xpframe.xp_frame(name, workspace=root, run="all", backend="polars", **options)
            texts = pl.col(pl.String).str.replace_all(str(root), "", literal=True)
            found[name] = frame.with_columns(texts)
            failures: Any = xpframe.failures(name, workspace=root, run="all", backend="polars")
            found[f"failures of {name}"] = failures.with_columns(texts)
    return found


def assert_same(copy: Path, root: Path, **options: Any) -> int:
    expected, got = frames(root, **options), frames(copy, **options)
    assert got.keys() == expected.keys()
    for name, frame in expected.items():
        assert got[name].schema == frame.schema
        differing = [
            column
            for column in frame.columns
            if str(got[name][column].to_list()).replace(str(copy), "")
            != str(frame[column].to_list()).replace(str(root), "")
        ]
        assert [
            (column, got[name][column].to_list(), frame[column].to_list()) for column in differing
        ] == [], name
    return len(expected)


def files(root: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each regular file of a copy."""
    found = {}
    for path in root.rglob("*"):
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode) and ".xpframe-pull" not in path.parts:
            found[str(path.relative_to(root))] = (facts.st_size, facts.st_mtime_ns)
    return found


@pytest.mark.parametrize("name", references())
def test_a_copy_gives_the_same_frames(name: str, workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    root = workspaces.path(name)
    done = xpframe.pull(f"{host}:{root}", tmp_path / "copy")
    assert done.problems == []
    assert assert_same(tmp_path / "copy", root) >= 1
    copied = files(tmp_path / "copy")
    locks = {file for file in copied if file.endswith("/lock")}
    # a hard link is sent once
    inodes = {
        (tmp_path / "copy" / file).stat().st_ino: size
        for file, (size, _) in copied.items()
        if file not in locks
    }
    assert done.files == len(inodes)
    assert done.bytes == sum(inodes.values())
    there = files(root)
    assert {file: copied[file] for file in copied.keys() - locks} == {
        file: there[file] for file in copied.keys() - locks
    }
    links = {
        str(p.relative_to(root)): p.readlink() for p in (root / "experiments").rglob("*") if p.is_symlink()
    }
    copy = tmp_path / "copy"
    copied_links = {
        str(p.relative_to(copy)): p.readlink() for p in (copy / "experiments").rglob("*") if p.is_symlink()
    }
    assert copied_links == links


def test_all_workspaces_are_copied() -> None:
    assert len(reference_names()) >= 10


@pytest.mark.parametrize("name", ["lab_cifar", "lab_fails", "res_dev", "pkg_ir"])
def test_results_and_failures_travel(name: str, host: str, tmp_path: Path) -> None:
    """The archives with results and logs: the same values, and the same reasons of failures."""
    if name not in archives():
        pytest.skip(f"{name} is not here: {SHARED}")
    unpack(name, tmp_path)
    root = next(path for path in tmp_path.iterdir() if path.is_dir())
    before = listing(root)
    copy = tmp_path / "the copy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = xpframe.pull(
            f"{host}:{root}", copy, results=[*GLOBS, "results.csv", "out/listeners/*/info.json"]
        )
    for results in (
        "metrics.json",
        "results.csv",
        "out/listeners/*/info.json",
        {"board": "runs/**/events.out.tfevents.*"},
    ):
        assert_same(copy, root, results=results)
    assert listing(root) == before
    assert 0 < done.files < len(files(root))
    assert done.bytes < sum(size for size, _ in files(root).values())


def test_only_changes_travel_again(workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(workspaces.path("v270_full"), tmp_path / "there", symlinks=True))
    copy = tmp_path / "here"
    first = xpframe.pull(f"{host}:{root}", copy, results="metrics.json")
    before = files(copy)
    assert first.files == len(before)
    again = xpframe.pull(f"{host}:{root}", copy, results="metrics.json")
    assert (again.files, again.bytes, again.counts.deleted) == (0, 0, 0)
    assert files(copy) == before
    assert again.counts.all_files == first.files

    job = next(path.parent for path in sorted(root.glob("jobs/*/*/*.done")))
    marker = next(job.glob("*.done"))
    marker.rename(marker.with_suffix(".failed"))
    (job / "metrics.json").write_text('{"accuracy": 0.123456789}')
    vanished = max(root.glob("jobs/*/*"))
    shutil.rmtree(vanished)
    changed = xpframe.pull(f"{host}:{root}", copy, results="metrics.json")
    # the marker, the metrics, and now that it failed its logs
    assert changed.files == 2 + len([*job.glob("*.err"), *job.glob("*.out")])
    assert changed.counts.deleted == 1
    there = job.relative_to(root)
    assert (copy / there / marker.with_suffix(".failed").name).exists()
    assert not (copy / there / marker.name).exists()
    assert (copy / vanished.relative_to(root)).is_dir(), "what the host tidied up stays here"
    shutil.copytree(copy / vanished.relative_to(root), vanished)
    assert_same(copy, root, results="metrics.json")


def test_a_dry_run_writes_nothing(workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    root, copy = workspaces.path("v270_full"), tmp_path / "copy"
    said = xpframe.pull(f"{host}:{root}", copy, results="metrics.json", dry_run=True)
    assert not copy.exists()
    assert str(said).startswith(f"would pull {said.files} files, ")
    done = xpframe.pull(f"{host}:{root}", copy, results="metrics.json")
    assert (said.files, said.bytes) == (done.files, done.bytes)
    before = listing(copy)
    assert xpframe.pull(f"{host}:{root}", copy, results="metrics.json", dry_run=True).files == 0
    assert listing(copy) == before


def test_some_experiments_with_the_jobs_upstream(host: str, tmp_path: Path) -> None:
    if "lab_cifar" not in archives():
        pytest.skip("lab_cifar is not here")
    unpack("lab_cifar", tmp_path)
    root, copy = tmp_path / "cifar", tmp_path / "copy"
    xpframe.pull(f"{host}:{root}", copy, "cifar-v2", results="metrics.json")
    assert xpframe.Workspace(copy).experiments() == ["cifar-v2"]
    expected, got = frames(root, results="metrics.json"), frames(copy, results="metrics.json")
    assert got["cifar-v2"].equals(expected["cifar-v2"])
    listed = set(got["cifar-v2"]["job_id"])
    assert {path.name for path in copy.glob("jobs/*/*")} >= listed
    assert len([*copy.glob("jobs/*/*")]) < len([*root.glob("jobs/*/*")])
    xpframe.pull(f"{host}:{root}", copy, ["cifar*"], results="metrics.json")
    assert_same(copy, root, results="metrics.json")


def test_odd_names_are_only_names(workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    """Spaces, quotes, wildcards and what a shell would run, in the path and in the name of an experiment."""
    root = tmp_path / "a 'b' \"c\" $(touch pwned) [x]* ;é"
    shutil.copytree(workspaces.path("v270_full"), root, symlinks=True)
    name = "grid-search"
    for odd in ("[a]*b", "x `touch pwned` \\ y", "-rf", "日本"):
        shutil.copytree(root / "experiments" / name, root / "experiments" / odd, symlinks=True)
    copy = tmp_path / "copy of it"
    xpframe.pull(f"{host}:{root}", copy, ["[a]*b", "-rf", "x `touch pwned` \\ y"])
    assert xpframe.Workspace(copy).experiments() == ["-rf", "[a]*b", "x `touch pwned` \\ y"]
    xpframe.pull(f"{host}:{root}", tmp_path / "all")
    assert_same(tmp_path / "all", root)
    assert not [*tmp_path.rglob("pwned"), *Path.home().glob("pwned")]


def test_links_are_kept_or_followed(workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    """A directory of a job on another disk, a result elsewhere in the workspace, a link to nothing."""
    root = Path(shutil.copytree(workspaces.path("v270_full"), tmp_path / "there", symlinks=True))
    (first, second, third, *_) = sorted(path.parent for path in root.glob("jobs/*/*/metrics.json"))
    (tmp_path / "disk").mkdir()
    moved = Path(shutil.move(first, tmp_path / "disk" / first.name))
    first.symlink_to(moved)
    (root / "shared").mkdir()
    shutil.move(second / "metrics.json", root / "shared" / "m.json")
    (second / "metrics.json").symlink_to("../../../shared/m.json")
    (third / "metrics.json").unlink()
    (third / "metrics.json").symlink_to("nowhere.json")
    for _ in range(2):
        xpframe.pull(f"{host}:{root}", tmp_path / "copy", results="metrics.json")
        assert_same(tmp_path / "copy", root, results="metrics.json")
    assert (
        str((tmp_path / "copy" / second.relative_to(root) / "metrics.json").readlink())
        == "../../../shared/m.json"
    )
    assert not (tmp_path / "copy" / first.relative_to(root)).is_symlink()


def relay(path: Path, server: sshd.Server, limit: int, pause: float = 0) -> str:
    """An ssh whose answer ends after so many bytes, as when the network is gone, or comes slowly."""
    lines = [
        f"#!{sys.executable}",
        "import os, subprocess, sys, time",
        f"ssh = subprocess.Popen([*{shlex.split(server.ssh())!r}, *sys.argv[1:]], stdout=subprocess.PIPE)",
        f"rest = {limit}",
        "while rest and (block := os.read(ssh.stdout.fileno(), min(rest, 16384))):",
        "    os.write(1, block)",
        "    rest -= len(block)",
        f"    time.sleep({pause})",
        "if not rest:",
        "    ssh.kill()",
        "sys.exit(ssh.wait() and 255)",
    ]
    path.write_text("\n".join(lines))
    path.chmod(0o755)
    return str(path)


def big_workspace(workspaces: Workspaces, home: Path) -> Path:
    root = Path(shutil.copytree(workspaces.path("v270_full"), home / "there", symlinks=True))
    for number, job in enumerate(sorted(root.glob("jobs/*/*"))):
        (job / "rows.csv").write_bytes(b"a,b\n" + os.urandom(40_000).hex().encode() + b",%d\n" % number)
    return root


@pytest.mark.parametrize("limit", [5_000, 60_000, 250_000, 600_000])
def test_a_broken_pull_leaves_nothing_half(
    limit: int, workspaces: Workspaces, server: sshd.Server, tmp_path: Path
) -> None:
    root, copy = big_workspace(workspaces, tmp_path), tmp_path / "copy"
    with pytest.raises(PullError, match=r"it goes on where it stopped|this must work first"):
        xpframe.pull(
            f"127.0.0.1:{root}", copy, results="*.csv", ssh=relay(tmp_path / "wrapper", server, limit)
        )
    there = listing(root)
    for file in files(copy):
        assert there[file][0::4] == listing(copy / file)["."][0::4]
    before = len(files(copy))
    done = xpframe.pull(f"127.0.0.1:{root}", copy, results="*.csv", ssh=server.ssh())
    assert done.files <= len(files(copy)) - before
    assert_same(copy, root, results="*.csv")


def test_a_killed_pull_leaves_nothing_half(
    workspaces: Workspaces, server: sshd.Server, tmp_path: Path
) -> None:
    """SIGKILL for the command and for rsync: what is left is in a directory of its own."""
    root, copy = big_workspace(workspaces, tmp_path), tmp_path / "copy"
    slow = relay(tmp_path / "slow", server, 1 << 40, pause=0.01)
    code = f"import xpframe; xpframe.pull('127.0.0.1:{root}', '{copy}', results='*.csv', ssh='{slow}')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL
    )
    for _ in range(600):
        if len([*copy.glob("jobs/*/*/rows.csv")]) >= 2:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    copied = files(copy)
    assert (
        2 <= len([file for file in copied if file.endswith(".csv")]) < len([*root.glob("jobs/*/*/rows.csv")])
    )
    assert {file: facts[0] for file, facts in copied.items()} == {
        file: facts[0] for file, facts in files(root).items() if file in copied
    }
    xpframe.pull(f"127.0.0.1:{root}", copy, results="*.csv", ssh=server.ssh())
    assert_same(copy, root, results="*.csv")
    assert [*(copy / ".xpframe-pull" / "partial").iterdir()] == []


def test_a_running_experiment_runs_in_the_copy(workspaces: Workspaces, host: str, tmp_path: Path) -> None:
    """A lock says something only where it is held: the copy has it from the host."""
    import fcntl

    root = Path(shutil.copytree(workspaces.path("v270_killed"), tmp_path / "there", symlinks=True))
    name = xpframe.Workspace(root).experiments()[0]
    assert_same_after_pull(host, root, tmp_path / "dead")
    lock = root / "experiments" / name / "lock"
    lock.touch()
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        alive = xpframe.load_xp_info(xpframe.Workspace(root).load_xp_info(name).path)
        assert alive.alive
        states = alive.states
        xpframe.pull(f"{host}:{root}", tmp_path / "copy")
        copied = xpframe.Workspace(tmp_path / "copy").load_xp_info(name)
        assert copied.alive is None
        assert copied.states == states
    assert_same_after_pull(host, root, tmp_path / "copy")


def assert_same_after_pull(host: str, root: Path, copy: Path) -> None:
    xpframe.pull(f"{host}:{root}", copy)
    assert_same(copy, root)


def test_an_experiment_that_is_not_there(host: str, workspaces: Workspaces, tmp_path: Path) -> None:
    root = workspaces.path("v270_full")
    with pytest.raises(
        ExperimentNotFoundError, match=r"no experiment matches 'grid-serch' \(it has grid-search\)"
    ):
        xpframe.pull(f"{host}:{root}", tmp_path / "copy", "grid-serch")


@pytest.mark.parametrize("program", ["rsync", "ssh"])
def test_a_missing_program(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sshd.require_programs()
    for name in {"rsync", "ssh"} - {program}:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("RSYNC_RSH", raising=False)
    with pytest.raises(MissingLibraryError, match=f"needs {program}, which is not installed on this machine"):
        xpframe.pull("host:path", tmp_path / "copy")


@pytest.mark.parametrize(
    "source",
    [
        "/a/path",
        "host",
        "-oProxyCommand=x:path",
        "ho st:path",
        "host::module",
        "ssh://host/x",
        "host:",
        "a;b:c",
        ":x",
    ],
)
def test_what_is_no_address(source: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="give HOST:PATH"):
        xpframe.pull(source, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("glob", ["/etc/passwd", "../x", "a/../../b", "", "a\nb"])
def test_results_stay_in_the_jobs(glob: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="below the directories of jobs"):
        xpframe.pull("host:path", tmp_path / "copy", results=glob)


def test_only_a_copy_is_written_to(host: str, workspaces: Workspaces, tmp_path: Path) -> None:
    """A workspace of this machine, a directory with files, the copy of another workspace are refused."""
    root = workspaces.path("v270_full")
    mine = Path(shutil.copytree(root, tmp_path / "mine", symlinks=True))
    before = listing(mine)
    with pytest.raises(InvalidArgumentError, match="is not empty, and no copy that xpframe pull made"):
        xpframe.pull(f"{host}:{root}", mine)
    assert listing(mine) == before
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgumentError, match="is not a directory"):
        xpframe.pull(f"{host}:{root}", tmp_path / "file")
    xpframe.pull(f"{host}:{root}", tmp_path / "copy")
    with pytest.raises(InvalidArgumentError, match="give each workspace a directory of its own"):
        xpframe.pull(f"{host}:{mine}", tmp_path / "copy")


@pytest.mark.parametrize("call", ["frame", "use", "variable"])
def test_a_remote_workspace_names_pull(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(workspace: Any) -> str:
        if call == "variable":
            monkeypatch.setenv("XPFRAME_WORKSPACE", str(workspace))
        calls: dict[str, Any] = {
            "frame": lambda: xpframe.xp_frame("grid", workspace=workspace),
            "use": lambda: xpframe.use(workspace),
            "variable": lambda: xpframe.xp_frame("grid"),
        }
        with pytest.raises(WorkspaceNotFoundError) as raised:
            calls[call]()
        return str(raised.value)

    blamed = "from $XPFRAME_WORKSPACE; " if call == "variable" else ""
    copied = "copy it with: xpframe pull me@cluster:ws/a b DIRECTORY"
    assert attempt("me@cluster:ws/a b") == f"'me@cluster:ws/a b' is not on this machine ({blamed}{copied})"
    assert "xpframe pull" in attempt("s3://bucket/ws")


def test_a_directory_with_a_colon_is_a_directory(workspaces: Workspaces, tmp_path: Path) -> None:
    root = Path(shutil.copytree(workspaces.path("v270_full"), tmp_path / "host:ws", symlinks=True))
    assert xpframe.Workspace(root).experiments() == xpframe.Workspace(str(root)).experiments()


@pytest.mark.slow
def test_a_workspace_of_14_000_files(host: str, tmp_path: Path) -> None:
    """A thousand jobs of 14 files each: four of them travel, and a second time none."""
    from lazy_runs import job_id, write_runs

    root, copy = tmp_path / "there", tmp_path / "here"
    write_runs(root, 1, 1_000)
    for job in range(1_000):
        directory = root / "jobs" / "lab.train" / job_id(0, job)
        (directory / ".experimaestro" / "events").mkdir(parents=True)
        for name in (
            "params.json",
            "train.done",
            ".experimaestro/status.json",
            ".experimaestro/events/event-0.jsonl",
        ):
            (directory / name).write_text("" if name.endswith(("done", "jsonl")) else "{}" + " " * 300)
        for name in (
            "train.py",
            "train.out",
            "train.err",
            "train.lock",
            "model.pt",
            *(f"e{n}.ckpt" for n in range(5)),
        ):
            (directory / name).write_bytes(b"x" * 6_000)
    there = files(root)
    assert len(there) > 14_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = xpframe.pull(f"{host}:{root}", copy)
        copied = files(copy)
        assert first.files == len(copied) - len([name for name in copied if name.endswith("/lock")])
        assert first.bytes == sum(size for size, _ in copied.values())
        assert 4_000 <= first.files <= 4_010
        again = xpframe.pull(f"{host}:{root}", copy)
        (root / "jobs" / "lab.train" / job_id(0, 7) / "params.json").write_text("{}")
        changed = xpframe.pull(f"{host}:{root}", copy)
    assert (again.files, changed.files) == (0, 1)
    size = sum(size for size, _ in there.values())
    print(
        f"of {len(there):,} files ({size / 1e6:.1f} MB) {first.files:,} ({first.bytes / 1e6:.2f} MB) in "
        f"{first.seconds:.1f} s; again {again.counts.received:,} bytes in {again.seconds:.1f} s"
    )
