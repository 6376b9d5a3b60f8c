"""Results as columns of frames, against the files themselves."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pages import check_html, text_of
from small_runs import SmallRun
from xpframe import Result, Workspace, parts, result_files, sample_workspace, scan_xp, xp_frame, xp_table
from xpframe.errors import ColumnError, InvalidArgumentError, XpFrameWarning
from xpframe.result_listing import ResultFiles

if TYPE_CHECKING:
    from conftest import Workspaces

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.errors.XpFrameWarning")


def rows(name: str, workspace: Path, **options: Any) -> list[dict[str, Any]]:
    """The rows of a frame as dicts, with the directory of each job."""
    return xp_frame(name, workspace=workspace, backend="polars", quiet=True, **options).to_dicts()


def flat(value: Any, prefix: str) -> dict[str, Any]:
    """A JSON object with the names of its columns."""
    if not isinstance(value, dict):
        return {prefix: value}
    pairs = [flat(inner, f"{prefix}.{key}") for key, inner in value.items()]
    return {key: inner for pair in pairs for key, inner in pair.items()}


def test_sample_shows_metrics() -> None:
    """Each job of the sample that wrote metrics.json shows its values; the others say that it is missing."""
    table = rows("grid-search", sample_workspace(), results="metrics.json")
    read = 0
    for row in table:
        file = Path(row["path"]) / "metrics.json"
        assert row["result@file"] == ("read" if file.exists() else "missing")
        if file.exists():
            read += 1
            expected = flat(json.loads(file.read_text()), "result")
            assert {name: row[name] for name in expected} == expected
    assert read > 0


def test_one_is_no_plural() -> None:
    """The text of a listing counts handles, that of parts counts parts and columns."""
    root = sample_workspace()
    assert repr(result_files("grid-search", workspace=root)) == "<ResultFiles: 3 handles>"
    assert (
        repr(ResultFiles(list(result_files("grid-search", workspace=root))[:1])) == "<ResultFiles: 1 handle>"
    )
    assert repr(parts("grid-search", workspace=root, columns="state")) == "<1 part of 1 column>"


def test_columns_stand_before_the_trailing_system_columns() -> None:
    """Results come after parameters; `result@path` is shown by name only."""
    table = xp_table("grid-search", workspace=sample_workspace(), results="metrics.json")
    groups = [table.column_metadata(name)["xpframe.group"] for name in table.column_names]
    first = groups.index("result")
    assert groups[first - 1] == "parameter"
    assert table.column_names[groups.index("result") :][-1] == "path"
    assert "result@path" not in table.column_names
    assert table.column_names[table.column_names.index("failure") - 1] == "result@file"


def test_dict_names_handles() -> None:
    """A dict of handles gives a level of names, and a state for each."""
    handles = {"a": "metrics.json", "b": "no/such.json"}
    table = xp_table("grid-search", workspace=sample_workspace(), results=handles)
    names = [name for name in table.column_names if name.startswith("result")]
    assert any(name.startswith("result.a.") for name in names)
    assert [name for name in names if "@" in name] == ["result.a@file", "result.b@file"]
    assert set(table.column_values("result.b@file")) == {"missing"}


def test_short_names_look_at_results_last() -> None:
    """A name that no tag or parameter has is that of a result; a glob finds results too."""
    full = xp_table("grid-search", workspace=sample_workspace(), results="metrics.json")
    results = [name for name in full.column_names if name.startswith("result.")]
    short = results[0].removeprefix("result.")
    chosen = xp_table(
        "grid-search",
        workspace=sample_workspace(),
        results="metrics.json",
        columns=[short, "result@path", "learning_rate"],
    )
    assert chosen.column_names[:2] == [results[0], "result@path"]
    assert not chosen.column_names[2].startswith("result")
    every = xp_table(
        "grid-search", workspace=sample_workspace(), results="metrics.json", columns=["result.*"]
    )
    assert every.column_names == results


def test_unknown_handles_and_columns_are_errors() -> None:
    """A parameter that no job has, a pattern that leads out and a wrong type are refused."""
    where: dict[str, Any] = {"workspace": sample_workspace()}
    with pytest.raises(InvalidArgumentError, match="no path parameter 'nothing_like_it'"):
        xp_table("grid-search", results="nothing_like_it", **where)
    with pytest.raises(InvalidArgumentError, match="leads out of the job's directory"):
        xp_table("grid-search", results="../x.json", **where)
    with pytest.raises(InvalidArgumentError, match="it is a handle"):
        xp_table("grid-search", results=["metrics.json"], **where)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="give one of max=, min= and first="):
        xp_table("grid-search", results=Result("metrics.json", max="a", min="b"), **where)
    with pytest.raises(ColumnError):
        xp_table("grid-search", results="metrics.json", columns=["result.no_such"], **where)


def test_earlier_runs_say_later(workspaces: Workspaces) -> None:
    """A job that several runs list has its result on the last of them."""
    root = workspaces.path("v270_relaunched")
    name = next(path.name for path in (root / "experiments").iterdir() if path.is_dir())
    table = rows(name, root, run="all", results="*.json", columns=["job_id", "run", "result@file"])
    last = {row["job_id"]: row["run"] for row in table}
    earlier = [row for row in table if last[row["job_id"]] != row["run"]]
    assert earlier
    assert {row["result@file"] for row in earlier} == {"later"}
    assert all(row["result@file"] != "later" for row in table if last[row["job_id"]] == row["run"])


def test_lazy_equals_eager() -> None:
    """`scan_xp` has the same result columns and values as `xp_frame`."""
    options: Any = {"workspace": sample_workspace(), "results": "metrics.json"}
    eager = xp_frame("grid-search", backend="polars", **options)
    lazy = scan_xp("grid-search", **options)
    assert lazy.collect().equals(eager)
    assert pickle.loads(pickle.dumps(lazy)).collect().equals(eager)
    results = [name for name in eager.columns if name.startswith("result.")]
    filtered = lazy.filter(pl.col("state") == "done").select(results).collect()
    assert filtered.equals(eager.filter(pl.col("state") == "done").select(results))


def test_projection_without_results_opens_no_file() -> None:
    """Columns that are no results are built without a look at result files."""
    info = Workspace(sample_workspace()).load_xp_info("grid-search")
    table = info.table(results="metrics.json", columns=["job_id", "tags.*"])
    assert not any(name.startswith("result") for name in table.column_names)


def test_losses_are_errors_with_job(tmp_path: Path) -> None:
    """A damaged file is in the errors, with file and job, and its row says so."""
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    table = rows("grid-search", root, results="metrics.json")
    job = next(row for row in table if row["result@file"] == "read")
    (Path(job["path"]) / "metrics.json").write_text('{"loss": oops')
    with pytest.warns(XpFrameWarning):
        after = xp_table("grid-search", workspace=root, results="metrics.json")
    states = dict(zip(after.column_values("job_id"), after.column_values("result@file"), strict=True))
    assert states[job["job_id"]] == "unreadable"
    error = next(error for error in after.errors if error.job == job["job_id"])
    assert str(error.file).endswith("metrics.json")


def test_discovery_lists_what_jobs_wrote() -> None:
    """`result_files` lists metrics.json with its jobs, files and bytes."""
    table = rows("grid-search", sample_workspace(), results="metrics.json")
    written = [Path(row["path"]) / "metrics.json" for row in table if row["result@file"] == "read"]
    found = [
        file
        for file in result_files("grid-search", workspace=sample_workspace())
        if file.handle == "metrics.json"
    ]
    assert sum(file.jobs for file in found) == len(written)
    assert sum(file.bytes for file in found) == sum(path.stat().st_size for path in written)
    assert {file.kind for file in found} == {"json"}


def test_discovery_shows_any_name(tmp_path: Path) -> None:
    """Handles are shown in one line each, whatever characters the names of files have."""
    run = SmallRun(tmp_path)
    assert "no file that could be a result" in result_files(run.path)._repr_html_()
    run.submit(1)
    directory = run.execute(1)
    names = ["<b>.json", "a\nb.csv", "\x1b[31m.tsv", "é 1.jsonl"]
    for name in names:
        (directory / name).write_text("{}")
    found = result_files(run.path)
    assert {file.handle for file in found} >= set(names)
    lines = str(found).splitlines()
    assert len(lines) == len(found)
    assert "\x1b" not in str(found)
    page = found._repr_html_()
    check_html(page)
    assert "<b>.json" in text_of(page)
    assert all(page.count(f">{file.kind}</td>") for file in found if file.kind)
