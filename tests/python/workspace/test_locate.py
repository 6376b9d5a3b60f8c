"""Which workspace is meant when none is named, and what is said when there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xpframe
from random_runs import RandomRun
from xpframe import Workspace, xp_table
from xpframe.errors import ExperimentNotFoundError, InvalidArgumentError, WorkspaceNotFoundError, XpFrameError

JOB = "a" * 64


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a home of its own, in which nothing says which workspace is meant."""
    (tmp_path / "home").mkdir()
    (tmp_path / "nowhere").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XPFRAME_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path / "nowhere")
    monkeypatch.setattr("xpframe.locate._used", None)
    return tmp_path


def make(root: Path, experiment: str = "grid") -> Path:
    """A workspace with one experiment of one job."""
    o = {"id": 1, "module": "lab", "type": "Train", "typename": "lab.Train", "identifier": JOB, "fields": {}}
    job = {"job_id": JOB, "task_id": "lab.train", "tags": {}, "timestamp": 1.5e9}
    run = RandomRun([o], [job]).write(root)
    run.parent.rename(root / "experiments" / experiment)
    return root


def settings(lab: Path, text: str) -> Path:
    path = lab / "home" / ".config" / "experimaestro" / "settings.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def listed(lab: Path, *entries: str) -> Path:
    """Settings with some workspaces, each given as the inside of a YAML mapping."""
    return settings(lab, "workspaces:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))


def meant(experiment: str = "grid", workspace: Any = None) -> Path:
    """The workspace in which an experiment is found: the root of the paths of its jobs."""
    (job,) = xp_table(experiment, workspace=workspace, columns="path").column_values("path")
    assert Path(job).name == JOB
    return Path(job).parents[2]


# the order of the places


def test_the_order_of_the_places(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument, `use`, the variable, the current directory, the settings: the first that says something."""
    roots = {name: make(lab / name) for name in ("argument", "used", "variable", "current", "listed")}
    listed(lab, f"id: listed, path: {roots['listed']}")
    assert meant() == Path(Workspace().path) == roots["listed"]
    monkeypatch.chdir(roots["current"])
    assert meant() == Path(Workspace().path) == roots["current"]
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(roots["variable"]))
    assert meant() == Path(Workspace().path) == roots["variable"]
    xpframe.use(roots["used"])
    assert meant() == Path(Workspace().path) == roots["used"]
    assert meant(workspace=roots["argument"]) == Workspace(roots["argument"]).path == roots["argument"]
    assert meant(workspace="listed") == Workspace("listed").path == roots["listed"]
    xpframe.use(None)
    assert meant() == roots["variable"]


def test_a_place_that_was_named_is_not_passed_over(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument or variable that names no workspace is an error, even where a later place has one."""
    root = make(lab / "ws")
    monkeypatch.chdir(root)
    for named in (lab / "gone", lab / "home"):
        with pytest.raises(WorkspaceNotFoundError, match=rf"{named}: [^$]*$"):
            meant(workspace=named)
        monkeypatch.setenv("XPFRAME_WORKSPACE", str(named))
        with pytest.raises(
            WorkspaceNotFoundError, match=rf"{named}: .* \(from \$XPFRAME_WORKSPACE; expected"
        ):
            meant()
        monkeypatch.setenv("XPFRAME_WORKSPACE", "")
        assert meant() == root


def test_use(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`use` takes a relative path or `~`, means the same from elsewhere, and keeps the old one on failure."""
    first, second = make(lab / "first"), make(lab / "home" / "second")
    monkeypatch.chdir(lab)
    xpframe.use("first")
    monkeypatch.chdir(lab / "nowhere")
    assert meant() == first
    xpframe.use("~/second")
    assert meant() == second
    with pytest.raises(WorkspaceNotFoundError):
        xpframe.use(lab / "gone")
    assert meant() == second
    second.rename(lab / "moved")
    with pytest.raises(WorkspaceNotFoundError, match=r"home/second: .* \(from xpframe.use\(…\); expected"):
        meant()
    xpframe.use(None)
    with pytest.raises(WorkspaceNotFoundError):
        meant()


@pytest.mark.parametrize(
    "given", ["~/ws", "../home/ws", "{lab}/home/ws", "{lab}/nowhere/../home/ws", "{lab}/link"]
)
def test_ways_to_write_a_path(given: str, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument and the variable take absolute and relative paths, `~` and symlinks."""
    root = make(lab / "home" / "ws")
    (lab / "link").symlink_to(root)
    given = given.format(lab=lab)
    assert meant(workspace=given).resolve() == root
    assert meant(workspace=Path(given)).resolve() == root
    monkeypatch.setenv("XPFRAME_WORKSPACE", given)
    assert meant().resolve() == root


# the current directory


def test_the_current_directory_and_its_parents(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anywhere below a workspace, it is meant; of two in each other, the inner."""
    outer = make(lab / "outer")
    inner = make(outer / "notes" / "inner")
    expected = {
        outer: outer,
        outer / "notes": outer,
        outer / "experiments" / "grid" / "20260101_000000": outer,
        inner: inner,
        inner / "experiments": inner,
    }
    for directory, root in expected.items():
        monkeypatch.chdir(directory)
        assert meant() == root, directory
    assert len(expected) == 5


def test_a_source_tree_is_no_workspace(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that merely has an `experiments/` is passed over on the way up, and taken when named."""
    root = make(lab / "ws")
    tree = root / "project"
    (tree / "experiments" / "grid").mkdir(parents=True)
    monkeypatch.chdir(tree)
    assert meant() == root
    assert Workspace(tree).experiments() == ["grid"]


def test_without_its_marker(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace whose marker file is lost is known by its runs, and one of version 1 by xp/ and jobs/."""
    root = make(lab / "ws")
    (root / ".__experimaestro__").unlink()
    monkeypatch.chdir(root)
    assert meant() == root
    old = lab / "old"
    (old / "xp" / "grid").mkdir(parents=True)
    (old / "jobs").mkdir()
    monkeypatch.chdir(old / "jobs")
    assert Workspace().path == old


# experimaestro's settings


def test_triggers_come_before_the_default(lab: Path) -> None:
    """The first workspace with a trigger for the experiment is meant, else the first of all."""
    a, b, c = (make(lab / name, "grid-1") for name in "abc")
    for root in (a, b, c):
        make_more(root, "ablation", "other")
    listed(
        lab,
        f"id: a, path: {a}",
        f'id: b, path: {b}, triggers: ["grid-*", "abl*"]',
        f'id: c, path: {c}, triggers: ["*-1", "other"]',
    )
    assert [meant(name) for name in ("grid-1", "ablation", "other")] == [b, b, c]
    assert Workspace().path == a
    with pytest.raises(ExperimentNotFoundError):
        meant("unheard-of")


def make_more(root: Path, *experiments: str) -> None:
    """Further experiments of a workspace: links to the run that it has."""
    for name in experiments:
        run = RUN.format(experiment=name)
        (root / run).parent.mkdir(parents=True)
        source = next((root / "experiments").glob("*/2*"))
        (root / run).mkdir()
        for file in source.iterdir():
            (root / run / file.name).write_bytes(file.read_bytes())


RUN = "experiments/{experiment}/20260101_000000"


def test_a_default_that_is_gone_is_not_replaced(lab: Path) -> None:
    """When the first workspace of the settings is gone, no other is taken for it: the text lists both."""
    there = make(lab / "there")
    listed(lab, f"id: gone, path: {lab}/gone", f"id: there, path: {there}")
    with pytest.raises(WorkspaceNotFoundError, match=f"{lab}/gone, {there}"):
        meant()
    assert meant(workspace="there") == there


@pytest.mark.parametrize(
    "path",
    [
        "{lab}/home/ws",
        "~/ws",
        "${env:LAB}/ws",
        "${env.LAB}/ws",
        "${oc.env:LAB}/ws",
        "${oc.env.LAB}/ws",
        "${env:NAME_OF_HOME}/../home/${env.WS}",
        "${oc.env:UNSET,${lab}/home}/ws",
        "${oc.env:LAB,/elsewhere}/ws",
        "${env:TILDE}/ws",
    ],
)
def test_paths_in_the_settings(path: str, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a workspace may have `~` and environment variables, in every spelling."""
    root = make(lab / "home" / "ws")
    variables = {"LAB": str(root.parent), "NAME_OF_HOME": str(lab / "home"), "WS": "ws", "TILDE": "~"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("UNSET", raising=False)
    written = path.replace("${lab}", str(lab)).replace("{lab}", str(lab))
    settings(lab, f'workspaces:\n  - id: main\n    path: "{written}"\n')
    assert meant().resolve() == root
    assert meant(workspace="main").resolve() == root


def test_unknown_variables_stay(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set stays as it is written, so that the text of the error shows it."""
    monkeypatch.delenv("UNSET", raising=False)
    listed(lab, 'id: main, path: "/data/${env:UNSET}/ws"')
    with pytest.raises(WorkspaceNotFoundError) as raised:
        meant()
    assert "/data/${env:UNSET}/ws" in str(raised.value)


def test_remote_workspaces_are_skipped(lab: Path) -> None:
    """An entry with an ssh host is on another machine, whatever its path and triggers."""
    a, b = make(lab / "a"), make(lab / "b")
    remote = f'id: a, path: {a}, triggers: ["*"], ssh: {{host: user@cluster}}'
    for ssh in ("ssh: {host: ''}", "ssh: {}", "ssh: null"):
        listed(lab, remote, f"id: b, path: {b}, {ssh}")
        assert meant() == meant(workspace="b") == b
    listed(lab, remote)
    with pytest.raises(WorkspaceNotFoundError, match="which names no workspace on this machine"):
        meant()
    with pytest.raises(WorkspaceNotFoundError):
        meant(workspace="a")


def test_several_workspaces_by_id(lab: Path) -> None:
    """A list of workspaces may mix ids and paths."""
    a, b = make(lab / "a"), make(lab / "b")
    listed(lab, f"id: first, path: {a}", f"id: second, path: {b}")
    table = xp_table("grid", workspace=["second", a], columns=["path"])
    assert [Path(path).parents[2] for path in table.column_values("path")] == [b, a]


def test_only_the_home_counts(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are those of `$HOME`; `$XDG_CONFIG_HOME` is not asked, as experimaestro does not."""
    root = make(lab / "ws")
    path = listed(lab, f"id: main, path: {root}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(lab / "elsewhere"))
    assert meant() == root
    (lab / "elsewhere").mkdir()
    monkeypatch.setenv("HOME", str(lab / "elsewhere"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parents[1]))
    with pytest.raises(WorkspaceNotFoundError, match=f"{lab}/elsewhere/.config/experimaestro/settings.yaml"):
        meant()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "text",
        "workspaces:",
        "workspaces: {}",
        "workspaces: text",
        "workspaces: [1, null, text, {}, {id: x}, {path: 3}]",
        "carbon: {enabled: false}",
    ],
)
def test_settings_that_name_no_workspace(text: str, lab: Path) -> None:
    """Settings without a workspace, or with entries that are none, are as no settings."""
    path = settings(lab, text)
    with pytest.raises(WorkspaceNotFoundError) as raised:
        meant()
    assert f"{path} (which names no workspace on this machine)" in str(raised.value)


def test_entries_that_are_none_cost_only_themselves(lab: Path) -> None:
    """What is not an entry is passed over, unknown keys are too; ids are text whatever YAML makes of them."""
    root = make(lab / "ws")
    settings(
        lab, f"workspaces:\n  - 3\n  - {{id: x}}\n  - {{id: 7, path: {root}, triggers: no, colour: red}}\n"
    )
    assert meant() == meant(workspace="7") == root


BROKEN = ["workspaces: [", "a: b: c", "\t- x", "'", "workspaces:\n  - id: a\n bad"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_settings(text: str, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are not YAML are an error that names the file, where they are needed, and only there."""
    path = settings(lab, text)
    for call in (meant, lambda: meant(workspace="main"), Workspace):
        with pytest.raises(WorkspaceNotFoundError, match="not valid YAML") as raised:
            call()
        assert (raised.value.file, raised.value.hint) == (str(path), "repair the file, or give workspace=…")
    root = make(lab / "ws")
    assert meant(workspace=root) == root
    monkeypatch.chdir(root)
    assert meant() == root


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"workspaces: 3\n"])
def test_settings_that_are_no_text(content: bytes, lab: Path) -> None:
    """Settings that are not UTF-8, or hold a number for the list, are an error of the family too."""
    settings(lab, "").write_bytes(content)
    with pytest.raises(XpFrameError):
        meant()


def test_a_home_that_nobody_has(lab: Path) -> None:
    """A path in the home of a user that does not exist is an error of the family."""
    path = "~nobody-of-this-name/ws"
    calls: list[Callable[[], object]] = [
        lambda: meant(workspace=path),
        lambda: xpframe.use(path),
        lambda: xpframe.load_xp_info(path),
    ]
    for call in calls:
        with pytest.raises(XpFrameError, match="~nobody-of-this-name"):
            call()
    listed(lab, f"id: a, path: {path}")
    with pytest.raises(XpFrameError, match="~nobody-of-this-name"):
        meant()


def test_a_current_directory_that_is_gone(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory that was deleted the other places are looked at, and the error says why not that one."""
    gone = lab / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(WorkspaceNotFoundError, match=r"the current directory \(which was deleted\)"):
        meant()
    root = make(lab / "ws")
    listed(lab, f"id: here, path: {root}", "id: relative, path: some/where")
    assert meant() == meant(workspace=root) == root
    for name in ("some/where", "relative"):
        with pytest.raises(XpFrameError):
            meant(workspace=name)


# compared with experimaestro

LISTED: list[list[str]] = [
    [],
    ['id: a, path: "@a"', 'id: b, path: "@b"'],
    ['id: a, path: "@a"', 'id: b, path: "@b", triggers: ["grid-*"]'],
    ['id: a, path: "@a", triggers: [ablation]', 'id: b, path: "@b", triggers: ["*"]'],
    ['id: a, path: "@a", triggers: ["*"], ssh: {host: u@c}', 'id: b, path: "@b"'],
    ['id: a, path: "@a", ssh: {host: u@c}', 'id: b, path: "@b", ssh: {shell_init: x}'],
    ['id: a, path: "@a", ssh: {host: u@c}', 'id: b, path: "@b", ssh: {host: u@d}'],
    ['id: a, path: "${env:LAB}/a"', 'id: b, path: "${oc.env.LAB}/b", triggers: ["grid-?"]'],
    ['id: a, path: "${env.LAB}/b"', 'id: b, path: "${oc.env:LAB}/a", triggers: ["[!g]*"]'],
    ['id: a, path: "~/b"', 'id: b, path: "~/link", triggers: ["GRID*", "other"]'],
    ['id: a, path: "@a/../b", max_retries: 9', 'id: b, path: "@a", triggers: ["*-1"]'],
    ['id: a, path: "@a", env: {Y: 2}, folders: [{path: "@b"}]', 'id: b, path: "@b", triggers: []'],
]
EXPERIMENTS = ["grid-1", "ablation", "other"]


@pytest.mark.parametrize("entries", LISTED, ids=range(len(LISTED)))
def test_as_experimaestro_finds_it(entries: list[str], lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each settings file, experiment and id, the workspace is the one that experimaestro would take."""
    theirs = pytest.importorskip("experimaestro.settings")
    monkeypatch.delattr(sys, "_called_from_test", raising=False)
    home = lab / "home"
    for name in "ab":
        make_more(make(home / name, "grid-1"), "ablation", "other")
    (home / "link").symlink_to(home / "a")
    monkeypatch.setenv("LAB", str(home))
    written = (
        "".join(f"  - {{{entry}}}\n" for entry in entries)
        .replace("@a", f"{home}/a")
        .replace("@b", f"{home}/b")
    )
    settings(lab, f"server: {{port: 1}}\nworkspaces:\n{written}" if entries else "workspaces: []")
    theirs.get_settings.cache_clear()
    try:
        compared = 0
        for experiment in EXPERIMENTS:
            try:
                expected = theirs.find_workspace(experiment_id=experiment).path
            except AssertionError:
                with pytest.raises(WorkspaceNotFoundError):
                    meant(experiment)
            else:
                assert meant(experiment).resolve() == expected
            compared += 1
        for entry in theirs.get_settings().workspaces:
            compared += 1
            if entry.is_remote:
                with pytest.raises(WorkspaceNotFoundError):
                    meant("other", entry.id)
            else:
                assert meant("other", entry.id).resolve() == theirs.find_workspace(workspace=entry.id).path
        assert compared == len(EXPERIMENTS) + len(entries)
    finally:
        theirs.get_settings.cache_clear()


# what is said


def test_not_found_says_every_place(lab: Path) -> None:
    """The text names `use`, the variable, the current directory, the settings file and the paths in it."""
    path = listed(lab, f"id: a, path: {lab}/a", f"id: b, path: {lab}/b", "id: r, path: /r, ssh: {host: h}")
    with pytest.raises(WorkspaceNotFoundError) as raised:
        meant()
    assert str(raised.value) == (
        f"no workspace: looked for xpframe.use(…), $XPFRAME_WORKSPACE, {lab}/nowhere and its parents, "
        f"and {path} ({lab}/a, {lab}/b) (give workspace=…, a directory that holds experiments/ or xp/)"
    )
    assert isinstance(raised.value, FileNotFoundError)


def test_an_unknown_id_names_its_neighbours(lab: Path) -> None:
    """A name that is neither a directory nor an id of the settings is an error with the nearest ids."""
    listed(lab, f"id: main, path: {lab}/a", f"id: archive, path: {lab}/b")
    with pytest.raises(WorkspaceNotFoundError) as raised:
        meant(workspace="mian")
    assert str(raised.value) == (
        "neither a directory nor a workspace in the settings has the name 'mian' (did you mean main?)"
    )
    with pytest.raises(WorkspaceNotFoundError, match=f"{lab}/nowhere/zzzzzzzzz: there is no such directory"):
        meant(workspace="zzzzzzzzz")


def test_no_workspace_is_no_list(lab: Path) -> None:
    """An empty list of workspaces is an argument without a meaning, not the default."""
    with pytest.raises(InvalidArgumentError, match="workspace is an empty list"):
        xp_table("grid", workspace=[])


def test_a_run_directory_needs_no_workspace(lab: Path) -> None:
    """The path of a run is enough: nothing is looked for, not even broken settings."""
    root = make(lab / "ws")
    settings(lab, BROKEN[0])
    assert xp_table(root / RUN.format(experiment="grid")).shape[0] == 1
    assert xpframe.load_xp_info(root / RUN.format(experiment="grid")).experiment == "grid"
