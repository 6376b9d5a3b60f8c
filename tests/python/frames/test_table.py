"""The table of every run of every workspace, cell by cell, and each way to ask for columns and rows."""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import hostile
import xpframe
from conftest import references
from engine import arrow_shape, differences, table
from expected import expected_table
from random_runs import RandomRun
from witness import runs_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workspaces
    from expected import Column

SYSTEM = {
    "job_id": "utf8",
    "task": "utf8",
    "state": "utf8",
    "failure": "utf8",
    "submitted_at": "timestamp",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "duration_s": "float64",
    "path": "utf8",
}
STATES = {"unscheduled", "waiting", "ready", "scheduled", "running", "done", "error", "transient", "lost"}


def default_names(expected: list[Column], *, repeated: bool = False) -> list[str]:
    """The names of the default columns in order, given those that the witness computes; `repeated` says that
    some runs are of one experiment.
    """
    names = [c.name for c in expected if c.name != "dependencies"]
    names.insert(names.index("task") + 1, "state")
    middle = names.index("submitted_at")
    return [
        *names[:middle],
        "failure",
        *(["reused"] if repeated else []),
        "submitted_at",
        "started_at",
        "ended_at",
        "duration_s",
        *names[middle + 1 :],
    ]


def compare(found: Any, dependencies: Any, expected: list[Column]) -> list[str]:
    """Differences of all cells; submission times to the microsecond, dependencies in any order."""
    assert {f.name: arrow_shape(f.type) for f in dependencies.schema} == {"dependencies": "list<utf8>"}
    loose = {"submitted_at", "dependencies"}
    words = differences(found, [c for c in expected if c.name not in loose])
    by_name = {c.name: c for c in expected}
    for a, b in zip(found["submitted_at"].to_pylist(), by_name["submitted_at"].cells, strict=True):
        if (a is None) != (b is None) or (a and abs(a - b) > timedelta(microseconds=1)):
            words.append(f"submitted_at: is {a}, expected {b}")
    for a, b in zip(dependencies["dependencies"].to_pylist(), by_name["dependencies"].cells, strict=True):
        if sorted(a or []) != sorted(b or []):
            words.append(f"dependencies: is {a}, expected {b}")
    return words


@pytest.mark.parametrize("name", references())
def test_every_table_is_the_witness_s(name: str, workspaces: Workspaces) -> None:
    """Names, order, types and every cell of the default columns of every run."""
    cells = 0
    runs = runs_of(workspaces.path(name))
    for run in runs:
        expected = expected_table([run])
        found = table(run.path)
        assert found.column_names == default_names(expected), run.path
        dependencies = table(run.path, columns=["dependencies"])
        assert compare(found, dependencies, expected) == [], run.path
        shapes = {f.name: arrow_shape(f.type) for f in found.schema}
        assert SYSTEM.items() <= shapes.items()
        assert set(found["state"].to_pylist()) <= STATES
        cells += found.num_rows * len(
            expected
        )  # state, failure and times but submission are judged elsewhere
    print(f"{name}: {cells} of {cells} cells in {len(runs)} runs")
    assert cells > 40


def grid(workspaces: Workspaces) -> Path:
    return workspaces.path("v270_full")


@pytest.mark.parametrize("name", ["v270_full", "v216_full", "v1161_full"])
def test_all_experiments_make_one_table(name: str, workspaces: Workspaces) -> None:
    """A glob with `run="all"` is one table, experiment and run first, types decided on all of its jobs."""
    root = workspaces.path(name)
    found = table("*", workspace=root, run="all")
    runs = {(r.experiment, r.run_id): r for r in runs_of(root)}
    order = list(dict.fromkeys(zip(found["experiment"].to_pylist(), found["run"].to_pylist(), strict=True)))
    assert set(order) == {k for k, r in runs.items() if r.rows}
    expected = expected_table([runs[k] for k in order])
    assert found.column_names == default_names(expected, repeated=len({e for e, _ in order}) < len(order))
    dependencies = table("*", workspace=root, run="all", columns=["dependencies"])
    assert compare(found, dependencies, expected) == []
    assert found.num_rows == sum(len(r.rows) for r in runs.values())


def test_list_of_experiments(workspaces: Workspaces) -> None:
    """A list of names gives the latest run of each, in the order of the list."""
    found = table(["quick", "grid-search"], workspace=grid(workspaces))
    assert list(dict.fromkeys(found["experiment"].to_pylist())) == ["quick", "grid-search"]
    assert len(set(found["run"].to_pylist())) == 2


def test_run_by_id_and_list_of_runs(workspaces: Workspaces) -> None:
    """`run=` takes an id or a list of ids; one run shows neither experiment nor run."""
    root = grid(workspaces)
    ids = [r.run_id for r in runs_of(root) if r.experiment == "quick"]
    assert len(ids) == 4
    one = table("quick", workspace=root, run=ids[0])
    assert "run" not in one.column_names
    two = table("quick", workspace=root, run=ids[:2])
    assert list(dict.fromkeys(two["run"].to_pylist())) == ids[:2]


def test_names_do_not_depend_on_what_is_asked(workspaces: Workspaces) -> None:
    """Each column asked for alone has the name, type and cells that it has in the whole table."""
    for experiment in ("grid-search", "ablation"):
        whole = table(experiment, workspace=grid(workspaces))
        assert whole.num_columns > 30
        for name in whole.column_names:
            alone = table(experiment, workspace=grid(workspaces), columns=[escape_glob(name)])
            assert alone.column_names == [name]
            assert alone.schema.field(0).type == whole.schema.field(name).type
            assert str(alone[name].to_pylist()) == str(whole[name].to_pylist())


def escape_glob(name: str) -> str:
    return name


def test_columns_by_name_glob_and_short_name(workspaces: Workspaces) -> None:
    """Exact names, globs and short names select; tags win over parameters of the same short name."""
    found = table(
        "grid-search", workspace=grid(workspaces), columns=["job_id", "learning_rate", "config.model.*"]
    )
    assert found.column_names[:2] == ["job_id", "tags.learning_rate"]
    assert found.column_names[2:] == [
        "config.model.name",
        "config.model.hidden_size",
        "config.model.layers",
        "config.model.version",
    ]
    found = table("grid-search", workspace=grid(workspaces), columns=["model.hidden_size"])
    assert found.column_names == ["config.model.hidden_size"]


def test_columns_by_renaming(workspaces: Workspaces) -> None:
    """A dictionary selects, orders and renames."""
    names = {"lr": "tags.learning_rate", "model": "config.model.name"}
    found = table("grid-search", workspace=grid(workspaces), columns=names)
    whole = table("grid-search", workspace=grid(workspaces))
    assert found.column_names == ["lr", "model"]
    assert found["lr"].to_pylist() == whole["tags.learning_rate"].to_pylist()
    assert found["model"].to_pylist() == whole["config.model.name"].to_pylist()


def test_a_table_gives_columns_by_name(workspaces: Workspaces) -> None:
    """One name, a list or a tuple; in the order given."""
    found = xpframe.xp_table("grid-search", workspace=grid(workspaces), columns=["job_id", "task", "tags.*"])
    assert found.select("task").column_names == ["task"]
    assert found.select(["task", "job_id"]).column_names == ["task", "job_id"]
    assert found.select(("task",)).column_names == ["task"]


def test_object_facts_work_when_asked_for(workspaces: Workspaces) -> None:
    """`@type` and `@id` of any place are there by name, though not shown by default."""
    root = grid(workspaces)
    found = table(
        "grid-search", workspace=root, columns=["config.model@type", "config.model@id", "config@type"]
    )
    run = [r for r in runs_of(root) if r.experiment == "grid-search"][-1]
    models = [r.config.fields.get("model") if r.config else None for r in run.rows]
    assert sum(m is not None for m in models) == 4
    assert found["config.model@type"].to_pylist() == [m and m.typename for m in models]
    assert found["config.model@id"].to_pylist() == [m and m.identifier for m in models]
    assert found["config@type"].to_pylist() == [r.config.typename for r in run.rows if r.config]


def test_short_names_strip_prefixes(workspaces: Workspaces) -> None:
    """A tag keeps the short name; a parameter of that name goes if it only repeats the tag."""
    root = grid(workspaces)
    whole, short = table("grid-search", workspace=root), table("grid-search", workspace=root, names="short")
    assert short["learning_rate"].to_pylist() == whole["tags.learning_rate"].to_pylist()
    assert short["model.name"].to_pylist() == whole["config.model.name"].to_pylist()
    assert "config.learning_rate" in short.column_names  # null where the tag is not
    assert len(set(short.column_names)) == short.num_columns
    train = table("grid-search", workspace=root, names="short", task="labpkg.tasks.train")
    assert "config.learning_rate" not in train.column_names
    assert train["learning_rate"].null_count == 0


def test_task_keeps_rows_and_columns(workspaces: Workspaces) -> None:
    """`task=` keeps the jobs of that kind and the columns that they have, named and typed as in the whole."""
    whole = table("grid-search", workspace=grid(workspaces))
    found = table("grid-search", workspace=grid(workspaces), task="labpkg.tasks.evaluate")
    mine = [i for i, t in enumerate(whole["task"].to_pylist()) if t == "labpkg.tasks.evaluate"]
    kept = {n: [c[i] for i in mine] for n, c in whole.to_pydict().items()}
    assert found.num_rows == len(mine) == 5
    assert found.column_names == [n for n in whole.column_names if n in found.column_names]
    dropped = [n for n in whole.column_names if n not in found.column_names]
    assert len(dropped) > 10
    assert all(kept[n] == [None] * 5 for n in dropped)
    for name in found.column_names:
        assert found.schema.field(name).type == whole.schema.field(name).type
        assert found[name].to_pylist() == kept[name]
    named = table(
        "grid-search", workspace=grid(workspaces), task="evaluate", columns=["config.learning_rate"]
    )
    assert named["config.learning_rate"].null_count == 5


def test_max_columns_names_the_prefix(workspaces: Workspaces) -> None:
    """Too many columns is an error before anything is built, that says which prefix explodes."""
    with pytest.raises(ValueError, match="under config") as raised:
        table("ablation", workspace=grid(workspaces), max_columns=20)
    assert "max_columns" in str(raised.value)
    assert isinstance(raised.value, xpframe.errors.XpFrameError)
    found = table("ablation", workspace=grid(workspaces), max_columns=20, columns=["job_id"])
    assert found.num_columns == 1


def test_an_exploding_dictionary_is_named(tmp_path: Path) -> None:
    """A dictionary of three thousand keys is named as the culprit; other columns can be asked for."""
    job = {"id": 1, "module": "lab", "type": "Train", "typename": "lab.Train", "identifier": "0" * 64}
    fields = {"lr": 0.1, "extra": {"table": {f"k{n}": n for n in range(3000)}}}
    rows = [{"job_id": "0" * 64, "task_id": "lab.train", "tags": {}, "timestamp": 1.0}]
    run = RandomRun([{**job, "fields": fields}], rows).write(tmp_path)
    with pytest.raises(ValueError, match=r"config\.extra\.table"):
        table(run)
    assert table(run, columns=["config.lr"])["config.lr"].to_pylist() == [0.1]
    assert table(run, columns=["config.extra.table.k7"])["config.extra.table.k7"].to_pylist() == [7]
    assert table(run, max_columns=4000).num_columns > 3000


@pytest.mark.parametrize(
    ("arguments", "builtin", "near"),
    [
        ({"experiment": "grid-serch"}, FileNotFoundError, "grid-search"),
        ({"experiment": "grid-search", "run": "20260101_000000"}, FileNotFoundError, "2026"),
        ({"experiment": "grid-search", "columns": ["tags.learning_rat"]}, KeyError, "tags.learning_rate"),
        ({"experiment": "grid-search", "columns": ["config.modl.name"]}, KeyError, "config.model.name"),
        ({"experiment": "grid-search", "columns": ["name"]}, KeyError, "config.model.name"),
        (
            {"experiment": "grid-search", "task": "labpkg.tasks.trian"},
            (KeyError, ValueError),
            "labpkg.tasks.train",
        ),
        ({"experiment": "grid-search", "names": "tiny"}, ValueError, "short"),
        ({"experiment": "../v270_full"}, (ValueError, FileNotFoundError), "v270_full"),
    ],
)
def test_errors_name_near_misses(
    arguments: dict[str, Any], builtin: type[Exception], near: str, workspaces: Workspaces
) -> None:
    """A wrong name is an error of xpframe and of Python that says which names come near."""
    with pytest.raises(builtin) as raised:
        table(workspace=grid(workspaces), **arguments)
    assert near in str(raised.value)
    assert isinstance(raised.value, xpframe.errors.XpFrameError)


def test_unknown_backend(workspaces: Workspaces) -> None:
    """An unknown backend says which there are."""
    with pytest.raises(ValueError, match="polars"):
        xpframe.xp_frame("grid-search", workspace=grid(workspaces), backend="excel")  # type: ignore[call-overload]


def test_timezone_of_times_without_zone(workspaces: Workspaces) -> None:
    """Times that the files hold without zone are read in `timezone=`; submission times do not move."""
    root = grid(workspaces)
    utc = table("grid-search", workspace=root, timezone="UTC")
    tokyo = table("grid-search", workspace=root, timezone="Asia/Tokyo")
    moved = zip(utc["started_at"].to_pylist(), tokyo["started_at"].to_pylist(), strict=True)
    assert {a - b for a, b in moved} == {timedelta(hours=9)}
    assert utc["submitted_at"].equals(tokyo["submitted_at"])
    first = utc["started_at"].to_pylist()[0]
    assert datetime(2026, 11, 23, 7, 18, tzinfo=UTC) < first < datetime(2026, 11, 23, 7, 19, tzinfo=UTC)
    took = zip(
        utc["ended_at"].to_pylist(), utc["started_at"].to_pylist(), utc["duration_s"].to_pylist(), strict=True
    )
    assert all(abs((e - s).total_seconds() - d) < 1e-6 for e, s, d in took)


def test_one_warning_tells_of_all_errors(workspaces: Workspaces) -> None:
    """What cannot be read is listed in `.errors` and told in one warning; the rest comes back."""
    root = workspaces.path("v270_quirks")
    run = next(root.glob("experiments/serial-fail/2*"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        info = xpframe.load_xp_info(run)
    assert [w.category for w in caught] == [xpframe.XpFrameWarning]
    assert caught[0].filename == __file__
    assert len(info.jobs) == 3
    failed = "2cf3418980b2c568ef94e865ccc869af423b2141c3bf7d47a00686347b869af0"
    assert failed in {e.job for e in info.errors}
    assert all(e.reason and e.file for e in info.errors)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = xpframe.xp_frame(run, backend="pyarrow")
    assert [w.category for w in caught] == [xpframe.XpFrameWarning]
    assert frame.num_rows == 4
    assert frame["job_id"].to_pylist()[1] == failed
    assert frame["config.n"].to_pylist() == [5, None, 6, 7]


def test_strict_raises_the_first_error(workspaces: Workspaces) -> None:
    """`strict=True` raises what `strict=False` lists first; a whole run raises nothing."""
    root = workspaces.path("v270_quirks")
    run = next(root.glob("experiments/serial-fail/2*"))
    for call in (xpframe.load_xp_info, xpframe.xp_frame):
        with pytest.raises(xpframe.errors.XpFrameError, match=r"params\.json|objects\.jsonl"):
            call(run, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        info = xpframe.load_xp_info(max(grid(workspaces).glob("experiments/grid-search/2*")), strict=True)
    assert info.errors == []
    assert len(info.jobs) == 9


def test_split_columns_are_told(workspaces: Workspaces) -> None:
    """Columns that had to be split are named in one warning."""
    with pytest.warns(xpframe.XpFrameWarning, match="config.lr") as caught:
        xpframe.xp_frame("ablation", workspace=grid(workspaces), backend="pyarrow")
    assert len(caught) == 1


def test_values_are_counted(workspaces: Workspaces) -> None:
    """`value_counts` says what counting the rows says, of one column and of several, over all runs."""
    with pytest.warns(xpframe.XpFrameWarning):
        found = xpframe.xp_table("*", workspace=grid(workspaces), run="all")
    plain = [name for name, kind in found.schema if not kind.startswith(("LargeList", "Struct"))]
    assert len(found.batches()) > 1
    assert len(plain) > 20
    for names in [*([name] for name in plain), *(["task", name] for name in plain), ["run", "task", "state"]]:
        rows = Counter(map(repr, zip(*map(found.column_values, names), strict=True)))
        assert {repr(values): count for values, count in found.value_counts(names)} == rows, names
        assert [repr(values) for values, _ in found.value_counts(names)] == list(rows)
    assert found.value_counts([]) == []
    with pytest.raises(xpframe.errors.ColumnError):
        found.value_counts(["task", "nothing"])


def test_numbers_that_are_equal_are_counted_together(tmp_path: Path) -> None:
    """NaN is one value, and so are 0.0 and -0.0."""
    values = dict(zip("abcdef", ["NaN", "0.0", "-0.0", "NaN", "null", "1.5"], strict=True))
    made = hostile.Workspace(tmp_path)
    made.jobs(values)
    made.objects(*(hostile.line(ord(job), f'"x":{value}', job) for job, value in values.items()))
    found = xpframe.xp_table(made.run).value_counts(["config.x"])
    assert [(str(value), count) for (value,), count in found] == [
        ("nan", 2),
        ("0.0", 2),
        ("None", 1),
        ("1.5", 1),
    ]


def test_metadata_says_where_a_column_comes_from(workspaces: Workspaces) -> None:
    """Every field carries its group; tags and parameters their place and Python type."""
    schema = table("grid-search", workspace=grid(workspaces)).schema
    groups = {f.name: (f.metadata or {}).get(b"xpframe.group", b"").decode() for f in schema}
    assert {g for n, g in groups.items() if n.startswith("tags.")} == {"tag"}
    assert {g for n, g in groups.items() if n.startswith("config.")} == {"parameter"}
    assert {g for n, g in groups.items() if n in SYSTEM} == {"system"}
