"""`where=` keeps the rows that the filter of polars keeps, and those of experimaestro's own filter."""

from __future__ import annotations

import random
import warnings
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from experimaestro.cli.filter import FilterContext, createFilter

import xpframe
from conftest import Workspaces, archives, unpack
from xpframe.errors import ColumnError, InvalidArgumentError, XpFrameError

EXPRESSIONS = 500
# of a dependency of experimaestro's
pytestmark = pytest.mark.filterwarnings("ignore:.*parseAll.*", "ignore::xpframe.XpFrameWarning")


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "lab_cifar" not in archives():
        pytest.skip("lab_cifar is not here")
    home = tmp_path_factory.mktemp("cifar")
    unpack("lab_cifar", home)
    return home / "cifar"


def read(root: Path, name: str = "cifar", **options: Any) -> pl.DataFrame:
    return xpframe.xp_frame(name, workspace=root, backend="polars", **options)


def scan(root: Path, name: str = "cifar", **options: Any) -> pl.DataFrame:
    return xpframe.scan_xp(name, workspace=root, **options).collect()


# --- random expressions, and the same in polars ---

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "lr": ("tags.lr", [0.001, 0.01, 0.1, 0.05, 1]),
    "seed": ("tags.seed", [1, 2, 3, 4, 2.5, 9]),
    "name": ("tags.name", ["transformer", "lstm", "no such"]),
    "model.hidden_size": ("config.model.hidden_size", [32, 64, 128, 256]),
    "optimizer.lr": ("config.optimizer.lr", [0.001, 0.01, 0.1]),
    "epochs": ("config.epochs", [10, 3]),
    "result.val.accuracy": ("result.val.accuracy", [0.8, 0.85, 0.87]),
    "duration_s": ("duration_s", [0.1, 1.0, 2.0]),
    "failure": ("failure", ["FAILED", "DEPENDENCY"]),
}


def written(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def random_test(chance: random.Random, depth: int) -> tuple[str, pl.Expr]:
    """A filter as text, and as an expression of polars that was made without xpframe."""
    kind = chance.choice(["and", "or", "not", "brackets"]) if depth and chance.random() < 0.7 else "leaf"
    if kind in ("and", "or"):
        parts = [random_test(chance, depth - 1) for _ in range(chance.randint(2, 3))]
        text = f" {kind} ".join(f"({text})" for text, _ in parts)
        expr = parts[0][1]
        for _, part in parts[1:]:
            expr = expr & part if kind == "and" else expr | part
        return text, expr
    if kind in ("not", "brackets"):
        text, expr = random_test(chance, depth - 1)
        return (f"not ({text})", ~expr) if kind == "not" else (f"(({text}))", expr)
    return random_leaf(chance)


def random_leaf(chance: random.Random) -> tuple[str, pl.Expr]:
    if chance.random() < 0.15:
        state = chance.choice(["done", "error", "running"])
        shown = chance.choice([state, state.upper(), state.title()])
        return f'@state = "{shown}"', pl.col("state") == state
    name, (full, values) = chance.choice(list(COLUMNS.items()))
    column, value = pl.col(full), chance.choice(values)
    is_text = isinstance(value, str)
    operator = chance.choice(["=", "!=", "in", "not in", "null", "not null", "<", ">=", "quoted", "~"])
    match operator:
        case "in":
            some = chance.sample(values, 2)
            return f"{name} in [{', '.join(map(written, some))}]", any_of(column, some)
        case "not in":
            some = chance.sample(values, 2)
            return f"{name} not in [{', '.join(map(written, some))}]", ~any_of(column, some)
        case "null":
            return f"{name} = null", column.is_null()
        case "not null":
            return f"{name} != null", column.is_not_null()
        case "!=":
            return f"{name} != {written(value)}", column.ne_missing(value)
        case "<":
            return f"{name} < {written(value)}", (column < value).fill_null(value=False)
        case ">=":
            return f"{name} >= {written(value)}", (column >= value).fill_null(value=False)
        case "quoted" if not is_text:
            return f'{name} = "{value}"', (column == value).fill_null(value=False)
        case "~" if is_text:
            return f'{name} ~ "{value[:2]}"', column.str.starts_with(value[:2]).fill_null(value=False)
    return f"{name} = {written(value)}", (column == value).fill_null(value=False)


def any_of(column: pl.Expr, values: list[Any]) -> pl.Expr:
    expr = (column == values[0]).fill_null(value=False)
    for value in values[1:]:
        expr |= (column == value).fill_null(value=False)
    return expr


@pytest.mark.slow
def test_random_expressions_equal_the_filter_of_polars(cifar: Path) -> None:
    """500 of them, eager and lazy, with a result of jobs among the columns."""
    chance = random.Random(18)
    options: dict[str, Any] = {"results": "metrics.json", "run": "all"}
    whole = read(cifar, **options)
    lengths = set()
    for number in range(EXPRESSIONS):
        text, expr = random_test(chance, depth=number % 4)
        expected = whole.filter(expr)
        assert read(cifar, where=text, **options).equals(expected), text
        assert scan(cifar, where=text, **options).equals(expected), text
        lengths.add(len(expected))
    print(f"{EXPRESSIONS} of {EXPRESSIONS} expressions, {len(lengths)} different numbers of rows")
    assert len(lengths) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v270_full", "v270_quirks", "v216_full", "v1161_full"])
def test_every_value_finds_its_rows(name: str, workspaces: Workspaces) -> None:
    """Equality with some values of each column that can be compared, as a dict."""
    root = workspaces.path(name)
    tried = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for experiment in xpframe.Workspace(root).experiments():
            whole = read(root, experiment)
            for column in whole.columns:
                series = whole[column]
                if series.dtype.is_nested() or series.dtype == pl.Null or "`" in column:
                    continue
                for value in series.unique(maintain_order=True).to_list()[:3]:
                    given = str(value) if series.dtype == pl.Datetime else value
                    where = {column: None if value is None else given}
                    expected = whole.filter(series.eq_missing(pl.Series([value], dtype=series.dtype)[0]))
                    assert read(root, experiment, where=where).equals(expected), (column, value)
                    tried += 1
    print(f"{tried} values")
    assert tried > 20


# --- experimaestro as judge ---


def judged(frame: pl.DataFrame, query: str) -> list[str]:
    """The jobs that experimaestro's filter keeps."""
    tags = {
        row["job_id"]: {
            name.removeprefix("tags."): value
            for name, value in row.items()
            if name.startswith("tags.") and value is not None
        }
        for row in frame.iter_rows(named=True)
    }
    keep = createFilter(query, FilterContext(tags_map=tags))
    kept = []
    for row in frame.iter_rows(named=True):
        job: Any = SimpleNamespace(
            identifier=row["job_id"],
            state=SimpleNamespace(name=row["state"].upper()),
            path=Path("/jobs") / row["task"] / row["job_id"],
        )
        if keep(job):
            kept.append(row["job_id"])
    return kept


def random_common(chance: random.Random) -> str:
    """An expression that both know: texts in quotes, `and` before `or`, no brackets."""

    def leaf() -> str:
        name, values = chance.choice(
            [
                ("name", ["transformer", "lstm", "lite"]),
                ("@state", ["DONE", "ERROR", "RUNNING"]),
                ("@name", ["lab.learn", "lab.evaluate"]),
            ]
        )
        return chance.choice([f'{name} = "{chance.choice(values)}"', f"{name} = {name}", f"seed = {name}"])

    chain = leaf()
    for _ in range(chance.randint(0, 3)):
        chain += f" and {leaf()}"
    for _ in range(chance.randint(0, 2)):
        chain += f" or {leaf()}"
    return chain


@pytest.mark.slow
def test_experimaestro_keeps_the_same_rows(cifar: Path) -> None:
    chance = random.Random(7)
    frame = read(cifar)
    seen = set()
    for _ in range(300):
        query = random_common(chance)
        kept = read(cifar, where=query, columns="job_id")["job_id"].to_list()
        assert kept == judged(frame, query), query
        seen.add(len(kept))
    print(f"300 of 300 expressions, {len(seen)} different numbers of rows")
    assert len(seen) > 4


def test_a_job_without_a_tag_as_experimaestro_has_it(workspaces: Workspaces) -> None:
    root = workspaces.path("v270_full")
    for name in xpframe.Workspace(root).experiments():
        frame = read(root, name)
        for column in [each for each in frame.columns if each.startswith("tags.")]:
            if frame[column].dtype != pl.String or "@" in column:
                continue
            tag = column.removeprefix("tags.")
            value = frame[column].drop_nulls()[0]
            for query in (
                f'{tag} = "{value}"',
                f'{tag} = "x" or {tag} = {tag}',
                f'{tag} = "{value}" and {tag} = {tag}',
            ):
                assert read(root, name, where=query)["job_id"].to_list() == judged(frame, query), query


def test_what_is_mended(cifar: Path) -> None:
    """Where experimaestro errs, as measured: these are the differences."""
    frame = read(cifar)

    def ours(query: str) -> int:
        return len(read(cifar, where=query))

    # `or` and `and` are read from left to right
    query = 'name = "lstm" or name = "transformer" and @state = "ERROR"'
    assert len(judged(frame, query)) == len(frame.filter(pl.col("state") == "error"))
    named = pl.col("tags.name")
    mended = (named == "lstm") | ((named == "transformer") & (pl.col("state") == "error"))
    assert ours(query) == len(frame.filter(mended))
    # a list holds no text that equals a tag, so that `in` finds nothing, and `not in` everything
    some = frame.filter(named == "lstm")
    assert judged(frame, 'name in ["lstm", "x"]') == []
    assert ours('name in ["lstm", "x"]') == len(some) > 0
    assert len(judged(frame, 'name not in ["lstm"]')) == len(frame)
    assert ours('name not in ["lstm"]') == len(frame) - len(some)
    # a number in quotes equals no number
    assert judged(frame, 'lr = "0.1"') == []
    assert ours('lr = "0.1"') == ours("lr = 0.1") == len(frame.filter(pl.col("tags.lr") == 0.1)) > 0
    # brackets, numbers and other case are refused, or find nothing
    for query in ('(name = "lstm")', "lr = 0.1", "lr < 0.1", 'not name = "lstm"'):
        with pytest.raises(Exception, match=r"Expected|found"):
            createFilter(query)
        assert ours(query) > 0
    assert judged(frame, '@state = "done"') == []
    assert ours('@state = "done"') == len(frame.filter(pl.col("state") == "done"))
    # a regular expression is an error there
    with pytest.raises(TypeError):
        createFilter('name ~ "l.*"')
    assert ours('name ~ "l.*"') == len(frame.filter(named.str.starts_with("l"))) > 0
    # a name that no job has is the same as another one
    assert len(judged(frame, "nam = lrr")) == len(frame)
    with pytest.raises(ColumnError, match="no column 'nam'"):
        ours("nam = lrr")


# --- the language ---


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "where, character 1: is empty: '▸' (write a filter, as in: @state = \"done\" and model"),
        (
            "lr = = 2",
            "character 6: expected a value: a text in quotes, a number, true, false, null, or a name",
        ),
        ("lr 3", "character 4: expected =, !=, <, <=, >, >=, ~, in or not in, found '3': 'lr ▸3'"),
        ("(lr = 1", "character 8: expected and, or, or ), found the end"),
        ("lr = 1 an seed = 2", "found 'an': 'lr = 1 ▸an seed = 2' (did you mean and?)"),
        ("lr = 1 AND seed = 2", "(did you mean and?)"),
        ("lr = 1 seed", "expected and, or, or the end, found 'seed'"),
        ("lr in 3", "character 7: expected [, found '3'"),
        ("lr in [1, 2", "expected , or ], found the end"),
        ("lr in []", "character 8: expected a value"),
        ('lr = "0.1', 'character 6: the quote " is not closed'),
        ("lr = 1 ; x", "character 8: unexpected ';'"),
        ("@stat = 1", "character 1: unexpected '@': '▸@stat = 1' (special names are @state and @name)"),
        ('name ~ "("', "character 8: no regular expression: missing ), unterminated subpattern"),
        ("name ~ 3", "character 8: expected a regular expression in quotes"),
        ("and = 1", "a tag or column of this name is written `and`"),
        ('@state = "doen"', "character 10: no @state 'doen' (did you mean done?)"),
        ('lr < "x"', "character 6: lr (float) and 'x' have no order (numbers are compared with numbers"),
        ("name < 3", "name (text) and '3' have no order (texts are compared with texts in quotes)"),
        ("started_at > 3", "have no order (times are written as texts of ISO 8601 in UTC"),
        ("lr < null", "null has no order (write lr = null)"),
        ("name < lr", "name (text) and lr (float) have no order"),
        ("dependencies = 1", "dependencies is a list"),
        ("(" * 300 + "lr=1" + ")" * 300, "is nested more than 200 deep"),
        ("nmae = 1", "no column 'nmae' (did you mean name"),
        ("@state=1 and lrr=1", "where, character 14: no column 'lrr' (did you mean lr"),
        (3, "where=3 (give a text or a dict"),
        ({"lr": {"a": 1}}, "where={'lr': {'a': 1}} (give a text, number, bool or None"),
        ({3: 1}, "names are texts"),
        ("name = zzyzx", """no column 'zzyzx' (a text stands in quotes: name = "zzyzx")"""),
        ("name = nmae", "(did you mean name"),
        ({"lr": Decimal("NaN")}, "where={'lr': Decimal('NaN')} (give a text"),
    ],
)
def test_errors_say_where(where: Any, said: str, cifar: Path) -> None:
    for call in (read, scan):
        with pytest.raises((InvalidArgumentError, ColumnError)) as raised:
            call(cifar, where=where)
        assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("lr = 0.1", {"lr": 0.1}),
        ('@state = "done" and lr in [0.1, 0.01]', {"@state": "DONE", "lr": [0.1, 0.01]}),
        ('state = "failed"', {"state": "failed"}),
        ("failure = null", {"failure": None}),
        ('failure in ["FAILED", null]', {"failure": ["FAILED", None]}),
        ('name = "lstm" and seed = 1', {"tags.name": "lstm", "tags.seed": 1}),
        ("seed = 1.0", {"seed": 1}),
        ("seed = 1", {"seed": "1"}),
        ("`seed` == +1", {"seed": True + 0}),
        ("duration_s > 0.5 or duration_s <= 0.5", None),
        ('started_at > "2020-01-01" and started_at < "2100-01-01T00:00:00+09:00"', None),
    ],
)
def test_a_dict_says_the_same(text: str, given: dict[str, Any] | None, cifar: Path) -> None:
    frame = read(cifar, where=text)
    assert len(frame) > 0
    if given is not None:
        assert read(cifar, where=given).equals(frame)
    assert scan(cifar, where=text).equals(frame)


def test_arrays_are_lists_of_values() -> None:
    """An array or series of numpy, pandas or polars in a dict is a list, one without a dimension a value."""
    root = xpframe.sample_workspace()
    expected = read(root, "grid-search", where={"hidden_size": [64, 128]})
    assert len(expected) == 6
    for values in (np.array([64, 128]), pd.Series([64, 128]), pd.Index([128, 64]), pl.Series([64, 128])):
        assert read(root, "grid-search", where={"hidden_size": values}).equals(expected)
    one = read(root, "grid-search", where={"hidden_size": 64})
    assert len(one) == 3
    for value in (np.array(64), np.int64(64)):
        assert read(root, "grid-search", where={"hidden_size": value}).equals(one)
    with pytest.raises(InvalidArgumentError, match=r"where=.'hidden_size': \[64, 128\]. \(give a text"):
        read(root, "grid-search", where={"hidden_size": np.array([[64, 128]])})


@pytest.mark.parametrize(
    "columns",
    [
        {"rate": "learning_rate"},
        ["*", {"rate": ["learning_rate"]}],
    ],
)
def test_new_names_of_columns_are_no_names_of_filters(columns: Any) -> None:
    """The error for a name that `columns=` gives says which name `where=` takes."""
    for call in (read, scan):
        with pytest.raises(ColumnError) as raised:
            call(xpframe.sample_workspace(), "grid-search", columns=columns, where="rate = 0.1")
        assert raised.value.hint == "where takes names as they are before renaming: learning_rate"


def test_names_that_are_odd(tmp_path: Path) -> None:
    """A tag called like a word of the language, with blanks, a dot, of several types, or NaN."""
    from hostile import Workspace

    workspace = Workspace(tmp_path)
    ids = [f"{number:064x}" for number in range(4)]
    tags = [
        '{"in": "a", "two words": 1, "a.b": 1, "x": 1, "state": "mine", "n": NaN, "__class__": "a"}',
        '{"in": "b", "two words": 2, "a.b": 2, "x": "1", "state": "yours", "n": 1.5, "items": 2}',
        '{"x": 2, "n": 7, "flag": true, "é`": 1}',
        '{"x": "\\"", "flag": false}',
    ]
    row = '{"job_id": "%s", "task_id": "lab.train", "tags": %s, "timestamp": 1.5e9}\n'
    lines = "".join(row % pair for pair in zip(ids, tags, strict=True))
    (workspace.run / "jobs.jsonl").write_text(lines)
    for where, expected in {
        '`in` = "a"': [0],
        "`two words` > 1": [1],
        "a\\.b = 1": [0],
        "`a.b` = 1": [0],
        "x = 1": [0, 1],
        'x = "1"': [0, 1],
        "x > 1": [2],
        'x = "\\""': [3],
        "x != 1": [2, 3],
        'state = "mine"': [0],
        '@state = "unscheduled"': [0, 1, 2, 3],
        "n > 1": [0, 1, 2],  # NaN is the greatest number, as polars has it
        'n = "nan"': [0],
        "flag = true": [2],
        'flag in ["false"]': [3],
        "flag = 1": [],
        "items = 2": [1],
        '__class__ = "a"': [0],
        "`é\\`` = 1": [2],
        "not `in` = null": [0, 1],
    }.items():
        options: dict[str, Any] = {"where": where, "columns": ["job_id", "state"]}
        frame = read(tmp_path, "x", **options)
        assert [ids.index(job) for job in frame["job_id"]] == expected, where
        assert scan(tmp_path, "x", **options).equals(frame), where
    with pytest.raises(InvalidArgumentError, match=r"values of several types.*write one of tags.x@int"):
        read(tmp_path, "x", where="x = x")


def test_an_empty_dict_keeps_all(cifar: Path) -> None:
    """No condition is no filter, eager and lazy."""
    whole = read(cifar)
    assert read(cifar, where={}).equals(whole)
    assert scan(cifar, where={}).equals(whole)
    assert len(xpframe.failures("cifar", workspace=cifar, where={})) == 6


def test_columns_do_not_depend_on_it(cifar: Path) -> None:
    """Names and types are those of all jobs; columns of the filter need not be shown."""
    whole = read(cifar, results="metrics.json")
    none = read(cifar, results="metrics.json", where="lr = 17")
    assert len(none) == 0
    assert none.schema == whole.schema
    for columns in (["job_id"], "job_id", {"id": "job_id"}, {"id": "job_id", "rate": "tags.lr"}):
        options: dict[str, Any] = {
            "columns": columns,
            "where": "lr = 0.1 and optimizer.lr = 0.1",
        }
        eager, lazy = read(cifar, **options), scan(cifar, **options)
        assert eager.equals(lazy)
        assert eager.columns == ([columns] if isinstance(columns, str) else list(columns))


def test_every_call_takes_it(cifar: Path) -> None:
    where = '@name = "lab.learn" and lr = 0.01 and name = "lstm"'
    frame = read(cifar, where=where)
    jobs = set(frame["job_id"])
    assert 0 < len(jobs) < 46
    info = xpframe.Workspace(cifar).load_xp_info("cifar")
    assert info.frame(where=where, backend="polars").equals(frame)
    assert (
        len(info.table(where=where))
        == len(xpframe.xp_table("cifar", workspace=cifar, where=where))
        == len(frame)
    )
    for series in (
        xpframe.xp_series("cifar", "results.csv", workspace=cifar, where=where, backend="polars"),
        xpframe.scan_series("cifar", "results.csv", workspace=cifar, where=where).collect(),
        info.series("results.csv", where=where, backend="polars"),
    ):
        assert set(series["job_id"]) == jobs
    failed = read(cifar, where="@state = 'error' and seed = 1", columns="job_id")["job_id"].to_list()
    failures = xpframe.failures("cifar", workspace=cifar, where="seed = 1", backend="polars")
    assert failures["job_id"].to_list() == failed
    assert [failure.job_id for failure in info.failures(where={"seed": 1})] == failed


def test_tags_need_no_config(cifar: Path) -> None:
    """A filter on tags opens no objects.jsonl."""
    query = xpframe.scan_xp(
        "cifar", workspace=cifar, run="all", columns=["job_id", "tags.*"], where="lr = 0.1"
    )
    before = xpframe._core.progress_counters()[2]
    query.collect()
    assert xpframe._core.progress_counters()[2] == before
    report = xpframe.last_read()
    assert report is not None
    assert report.objects == 0


def test_a_filter_survives_a_pickle(cifar: Path) -> None:
    import pickle

    query = xpframe.scan_xp("cifar", workspace=cifar, where='name ~ "ls" and lr < 0.1')
    assert pickle.loads(pickle.dumps(query)).collect().equals(query.collect())


def test_no_text_breaks_the_parser(cifar: Path) -> None:
    """Random pieces of the language: a filter or an error of ours, never another."""
    chance = random.Random(3)
    pieces = [
        "lr = 1",
        "name in [",
        '"a" ]',
        "0.1 and",
        "seed <",
        "1 or",
        "not",
        "name = name",
        "(",
        ")",
        "[",
        "]",
        ",",
        '"a"',
        "1",
        "`",
        "\\",
        "é",
        "null",
        "-",
        ".",
        "~",
        "@state",
    ]
    info = xpframe.Workspace(cifar).load_xp_info("cifar")
    valid = 0
    for _ in range(3000):
        text = " ".join(chance.choices(pieces, k=chance.randint(1, 7)))
        try:
            info.table(where=text, columns="job_id")
            valid += 1
        except XpFrameError:
            pass
    assert valid > 10
