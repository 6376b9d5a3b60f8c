"""Workspaces of real packages and of failing experiments: loaded, checked and displayed, value by value."""

from __future__ import annotations

import json
import subprocess
import sys
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import SUPPORT, archives
from engine import dump, load, table
from oracle import Dump, WitnessView, at_home
from witness import runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

# the directory of each archive that is the workspace, and the root that its files record
LABS = {
    "pkg_ir": ("ir", "/lab/pkg/ws/ir"),
    "lab_cifar": ("cifar", "/lab/pkg/cifar"),
    "lab_fails": ("fails", "/lab/pkg/fails"),
    "lab_keys": ("keys/ws", "/lab/pkg/keys/ws"),
}
# findings of `check` that are no notes
EXPECTED_FINDINGS: dict[str, set[tuple[str, str]]] = {
    "pkg_ir": {("warning", "path-gone")},
    "lab_cifar": set(),
    "lab_fails": {("warning", "stale-pid")},
    "lab_keys": set(),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The root of an unpacked workspace."""
    home = tmp_path_factory.mktemp("labs")
    unpacked: set[str] = set()

    def root(name: str) -> Path:
        if name not in archives():
            pytest.skip(f"{name} is not here")
        if name not in unpacked:
            subprocess.run(["tar", "-xpzf", str(archives()[name]), "-C", str(home)], check=True)
            unpacked.add(name)
        return home / LABS[name][0]

    return root


def told(value: Any, root: str, recorded: str) -> Any:
    """A value of xpframe in the words of `own_load`, with paths as they were recorded."""
    if isinstance(value, xpframe.Config):
        fields = {name: told(inner, root, recorded) for name, inner in xpframe.fields(value).items()}
        name = xpframe.typename(value).removeprefix(f"{value.__xpmtypename__.rpartition('.')[0]}.")
        return {"@": name, "id": xpframe.identifier(value), "fields": fields}
    if isinstance(value, (xpframe.EnumValue, Enum)):
        return {"enum": value.name}
    if isinstance(value, PurePath):
        text = str(value)
        return {"path": recorded + text[len(root) :] if text.startswith(root) else text}
    if isinstance(value, dict):
        return {"dict": {key: told(inner, root, recorded) for key, inner in value.items()}}
    if isinstance(value, list):
        return [told(item, root, recorded) for item in value]
    return value


@pytest.mark.parametrize("name", LABS)
def test_values_are_those_of_experimaestros_own_load(
    name: str, lab: Callable[[str], Path], tmp_path: Path
) -> None:
    """Each value of each job of each run, which experimaestro loads with classes that take anything."""
    root, recorded = lab(name), LABS[name][1]
    compared = 0
    for number, run in enumerate(sorted(root.glob("experiments/*/2*"))):
        home = tmp_path / str(number)
        home.mkdir()
        own = subprocess.run(
            [sys.executable, str(SUPPORT / "own_load.py"), str(run), str(home)],
            capture_output=True,
            text=True,
            check=False,
            env={"HOME": str(home)},
        )
        assert own.returncode == 0, own.stderr[-2000:]
        expected = json.loads(own.stdout)
        info = load(run)
        assert list(info.jobs) == list(expected)
        for job_id, job in info.jobs.items():
            assert told(job, str(root), recorded) == expected[job_id]
            compared += 1
    assert compared > 0


@pytest.mark.parametrize("name", LABS)
def test_values_are_those_of_the_witness(name: str, lab: Callable[[str], Path]) -> None:
    """Values and sharing against the slow reader, jobs without a line in objects.jsonl too."""
    root = lab(name)
    for run in runs_of(root):
        info = load(run.path)
        dumped, sharing = dump(dict(info.jobs))
        mine = Dump(WitnessView())
        witnessed = {job_id: mine.value(job, job_id, []) for job_id, job in run.jobs.items()}
        assert at_home(dumped, str(root)) == at_home(witnessed, str(root))
        assert sharing == mine.sharing()


@pytest.mark.parametrize("name", LABS)
def test_labs_are_checked_and_displayed(name: str, lab: Callable[[str], Path]) -> None:
    """`check` has no false error, and every display works."""
    root = lab(name)
    workspace = xpframe.Workspace(root)
    findings = workspace.check()
    serious = {(one.severity, one.kind) for one in findings if one.severity != "info"}
    assert serious == EXPECTED_FINDINGS[name]
    for experiment in workspace.experiments():
        info = load(workspace._workspace.latest(experiment).path)
        shown: list[Any] = [workspace, findings, info, info.jobs, info.actions, info.failures()]
        shown += [*list(info.jobs.values())[:3], *info.actions.values()]
        for value in shown:
            assert value._repr_html_()
            assert repr(value)
        assert len(table(experiment, workspace=root)) == len(info.states)


def test_actions_that_experimaestro_could_not_write(lab: Callable[[str], Path]) -> None:
    """status.json has their class and description; they are shown without a config."""
    root = lab("pkg_ir")
    (experiment,) = xpframe.Workspace(root).experiments()
    info = load(xpframe.Workspace(root)._workspace.latest(experiment).path)
    without = [action for action in info.actions.values() if action.config is None]
    recorded = json.loads((info.path / "status.json").read_text())["actions"]
    assert set(info.actions) == set(recorded)
    assert len(without) == 4
    for identifier, action in info.actions.items():
        assert action.describe() == recorded[identifier]["description"]
        assert xpframe.typename(action) == recorded[identifier]["class"].removesuffix(".XPMConfig")
    with pytest.raises(AttributeError, match="could not write the config"):
        _ = without[0].model
    with pytest.raises(TypeError, match="could not write the config"):
        xpframe.fields(without[0])
