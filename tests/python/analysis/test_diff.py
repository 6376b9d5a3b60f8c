"""diff: where two jobs, configs or rows differ, and whether that counts for the identifier."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import xpframe
from analysis_frames import BACKENDS, TYPES, rows
from conftest import Workspaces
from xpframe.analysis import diff, side_by_side
from xpframe.errors import InvalidArgumentError, JobNotFoundError

BASE: dict[str, Any] = {"lr": 0.1, "epochs": 10, "name": None, "sizes": [1, 2]}


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    """Makes two jobs whose models have these fields, and identifiers of their own unless `same_id`."""
    count = iter(range(100))

    def make(a: dict[str, Any], b: dict[str, Any], *, same_id: bool = False) -> list[xpframe.Config]:
        workspace = tmp_path / str(next(count))
        shutil.copytree(xpframe.sample_workspace(), workspace, symlinks=True)
        (run,) = workspace.glob("experiments/*/2*")
        lines = [json.loads(line) for line in (run / "objects.jsonl").read_text().splitlines()]
        tasks = [line for line in lines if "learning_rate" in line["fields"]][:2]
        model = {"module": "lab", "type": "Model", "typename": "lab.Model", "file": "lab.py"}
        written = []
        for position, (task, fields) in enumerate(zip(tasks, (a, b), strict=True)):
            identifier = "a" * 64 if same_id or not position else "b" * 64
            written.append({"id": position + 1, **model, "identifier": identifier, "fields": fields})
            task["fields"] = {"model": {"type": "python", "value": position + 1}}
            written.append(task)
        (run / "objects.jsonl").write_text("".join(json.dumps(line) + "\n" for line in written))
        ids = [task["identifier"] for task in tasks]
        kept = [
            line
            for line in (run / "jobs.jsonl").read_text().splitlines(keepends=True)
            if json.loads(line)["job_id"] in ids
        ]
        (run / "jobs.jsonl").write_text("".join(kept))
        info = xpframe.load_xp_info(run, quiet=True)
        return [info.jobs[identifier] for identifier in ids]

    return make


def differences(a: Any, b: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(diff(a, b))]


def test_one_difference_counts(jobs: Any) -> None:
    """The only difference of a holder whose identifiers differ counts."""
    assert differences(*jobs(BASE, BASE | {"lr": 0.2})) == [("config.model.lr", "0.1", "0.2", True)]


def test_of_two_differences_nobody_knows(jobs: Any) -> None:
    """Which of two differences counts cannot be told."""
    assert differences(*jobs(BASE, BASE | {"lr": 0.2, "epochs": 9})) == [
        ("config.model.lr", "0.1", "0.2", None),
        ("config.model.epochs", "10", "9", None),
    ]


def test_what_does_not_change_the_identifier_does_not_count(jobs: Any) -> None:
    """A difference in a holder of the same identifier does not count."""
    a, b = jobs(BASE, BASE | {"lr": 0.2}, same_id=True)
    assert differences(a.model, b.model) == [("config.lr", "0.1", "0.2", False)]


def test_missing_is_not_null(jobs: Any) -> None:
    """A field that one side lacks is null in its column; a field that is null is 'None'."""
    without = {name: value for name, value in BASE.items() if name != "name"}
    assert differences(*jobs(BASE, without)) == [("config.model.name", "None", None, True)]


@pytest.mark.parametrize(
    ("a", "b", "texts"),
    [
        (1, 1.0, ("1", "1.0")),
        (1, True, ("1", "True")),
        ("1", 1, ("'1'", "1")),
        (0.0, -0.0, ("0.0", "-0.0")),
        (float("nan"), None, ("nan", "None")),
        ([1, 2], [2, 1], ("[1, 2]", "[2, 1]")),
        (2**70, 2**70 + 1, (str(2**70), str(2**70 + 1))),
    ],
)
def test_values_are_told_apart(jobs: Any, a: Any, b: Any, texts: tuple[str, str]) -> None:
    """Values differ where Python writes them in other ways, and are written in full."""
    assert differences(*jobs({"x": a}, {"x": b})) == [("config.model.x", *texts, True)]
    assert differences(*jobs({"x": a}, {"x": a}))[0][0] == "config.model@id"


def test_nan_equals_nan(jobs: Any) -> None:
    """Two NaNs are no difference; that identifiers differ without one is a row of its own."""
    nan = {"x": float("nan")}
    a, b = jobs(nan, nan)
    assert differences(a.model, b.model) == [("config@id", "a" * 64, "b" * 64, None)]
    a, b = jobs(nan, nan, same_id=True)
    assert differences(a.model, b.model) == []


def test_output_paths_are_relative_to_their_job(jobs: Any) -> None:
    """The same file of two job directories is no difference; another file is one."""
    places = [{"type": "path", "value": f"/ws/jobs/lab.learn/{letter * 64}/model.pt"} for letter in "ab"]
    a, b = jobs({"p": places[0]}, {"p": places[1]})
    assert differences(a.model, b.model) == [("config@id", "a" * 64, "b" * 64, None)]
    best = {"type": "path", "value": f"/ws/jobs/lab.learn/{'b' * 64}/best.pt"}
    a, b = jobs({"p": places[0]}, {"p": best})
    assert differences(a.model, b.model) == [
        ("config.p", "lab.learn/…/model.pt", "lab.learn/…/best.pt", True)
    ]


def test_classes_and_items_of_lists_and_dicts(workspaces: Workspaces) -> None:
    """A class is a difference of its own; configs in lists and dicts are compared item by item."""
    info = xpframe.Workspace(workspaces.path("v270_full")).load_xp_info("ablation", quiet=True)
    places = set()
    found = list(info.jobs.values())
    for other in found[1:]:
        places |= {row["place"] for row in rows(diff(found[0], other))}
    assert any(place.endswith("@type") for place in places)
    for one in found:
        assert rows(diff(one, one)) == []


def test_every_pair_of_the_grid_differs_where_the_table_does(workspaces: Workspaces) -> None:
    """Of two jobs of a task, diff and the columns of their rows name the same scalar parameters."""
    workspace = xpframe.Workspace(workspaces.path("v270_full"))
    info = workspace.load_xp_info("grid-search", quiet=True)
    table = info.table(columns=["job_id", "task", "config.*"], quiet=True)
    scalar = [
        name for name, kind in table.schema if not kind.startswith(("LargeList", "List")) and "@" not in name
    ]
    cells = {name: table.column_values(name) for name in scalar}
    compared = 0
    for b in range(1, len(table)):
        if cells["task"][b] != cells["task"][0]:
            continue
        ids = [cells["job_id"][row] for row in (0, b)]
        places = {row["place"] for row in rows(diff(info.jobs[ids[0]], info.jobs[ids[1]]))}
        for name in scalar[2:]:
            pair = [cells[name][row] for row in (0, b)]
            if any(isinstance(value, str) and "/jobs/" in value for value in pair):
                continue
            compared += 1
            assert (repr(pair[0]) != repr(pair[1])) == (name in places), name
    assert compared > 20


@pytest.mark.parametrize("backend", BACKENDS)
def test_library_of_the_result(backend: Any) -> None:
    """The result is of the library that was asked for; `counts` is null where it cannot be told."""
    workspace = xpframe.Workspace(xpframe.sample_workspace())
    first, *_, last = workspace.load_xp_info("grid-search").jobs.values()
    result = diff(first, last, backend=backend)
    assert isinstance(result, TYPES[backend])
    assert rows(result) == [
        {"place": "config.model.hidden_size", "a": "64", "b": "512", "counts": True},
        {"place": "config.learning_rate", "a": "0.1", "b": "0.001", "counts": None},
    ]
    assert len(diff(first, first, backend=backend)) == 0


def test_jobs_by_their_ids() -> None:
    """Ids, whole or their beginning, are looked for in the workspace; unknown ones are errors."""
    root = xpframe.sample_workspace()
    first, *_, last = xpframe.Workspace(root).load_xp_info("grid-search").jobs
    assert len(diff(first, last[:8], workspace=root)) == 2
    with pytest.raises(JobNotFoundError, match=r"no job 'ffffffff' in .* at least 4 of its first digits\)"):
        diff(first, "ffffffff", workspace=root)
    with pytest.raises(JobNotFoundError, match=r"no job '' in "):
        diff(first, "", workspace=root)


def test_rows_of_a_frame() -> None:
    """Two rows are compared in tags and parameters; `counts` needs the columns @id of the holders."""
    job = {"job_id": "x", "tags.lr": 1, "config.model.lr": 1, "config.model@id": "m", "result.loss": 0.5}
    other = job | {
        "job_id": "y",
        "tags.lr": 2,
        "config.model.lr": 1.0,
        "config.model@id": "n",
        "result.loss": 0.1,
    }
    assert differences(job, other) == [
        ("tags.lr", "1", "2", None),
        ("config.model.lr", "1", "1.0", True),
    ]
    del other["config.model.lr"]
    assert differences(job, other)[1] == ("config.model.lr", "1", None, True)
    frame = xpframe.xp_frame("grid-search", workspace=xpframe.sample_workspace(), columns=["*", "model@id"])
    assert differences(frame.iloc[0], frame.iloc[1]) == [
        ("tags.hidden_size", "64", "128", None),
        ("config.model.hidden_size", "64", "128", True),
    ]


def test_what_cannot_be_compared() -> None:
    """Anything but configs, ids and rows is an error that says what was given."""
    with pytest.raises(InvalidArgumentError, match=r"^int and list cannot be compared \(give two configs"):
        diff(1, [])
    info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    with pytest.raises(InvalidArgumentError, match=r"\(two runs: earlier.compare\(later\)\)$"):
        diff(info, info)


def test_side_by_side_in_text() -> None:
    """Two jobs in two columns, with what is missing and whether it counts."""
    rows_ = {"config.a": 1, "config.b": "x", "job_id": "i"}, {"config.a": 2, "job_id": "i"}
    shown = side_by_side(*rows_)
    assert str(shown).splitlines() == [
        "          a    b",
        "config.a  1    2        does not count for the id",
        "config.b  'x'  missing  does not count for the id",
        "2 differences",
    ]
    assert repr(shown) == "<SideBySide: 2 differences>"
    assert str(side_by_side(rows_[0], rows_[0])) == "no difference"
