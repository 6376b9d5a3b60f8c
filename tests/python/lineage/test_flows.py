"""The picture of tasks: what flows from the jobs of one to those of another."""

from __future__ import annotations

from typing import Any

import pytest

import xpframe
from conftest import archives, unpack


def picture(archive: str, folder: str, experiment: str, home: Any) -> Any:
    if archive not in archives():
        pytest.skip("the full set of reference workspaces is not here")
    unpack(archive, home)
    return xpframe.Workspace(home / folder).load_xp_info(experiment).plot.tasks()


def test_what_flows(tmp_path: Any) -> None:
    """Each Evaluate uses one config that a Learn produced; the class is named beside the arrow."""
    shown = picture("lab_cifar", "cifar", "cifar", tmp_path)
    assert shown.data() == [
        {"task": "lab.evaluate", "needs": "lab.learn", "dependencies": 23, "products": ["lab.TrainedModel"]}
    ]
    assert "Trained" in shown.svg
    assert "lab.evaluate needs lab.learn, 23 times, by lab.TrainedModel" in shown.svg


def test_jobs_of_other_runs(tmp_path: Any) -> None:
    """Jobs that the run uses and does not list have a box of their own."""
    shown = picture("v270_quirks", "v270_quirks", "stub", tmp_path)
    (row,) = shown.data()
    assert row["needs"] == "labpkg.tasks.Train of other runs"
    assert (row["dependencies"], row["products"]) == (2, ["labpkg.tasks.Trained"])
    assert "Train of other runs" in shown.svg
