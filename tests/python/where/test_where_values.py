"""Which column a name of `where=` means, and which value a text, a pattern or an object."""

from __future__ import annotations

import enum
import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from experimaestro.cli.filter import FilterContext, createFilter

import xpframe
from hostile import Workspace, line, to
from xpframe.errors import ColumnError, InvalidArgumentError

pytestmark = pytest.mark.filterwarnings("ignore:.*parseAll.*", "ignore::xpframe.XpFrameWarning")

IDS = [f"{number:064x}" for number in range(4)]
Tags = list[dict[str, Any]]


@dataclass
class Jobs:
    """Jobs of one run, submitted in 2017 a second apart."""

    root: Path

    def write(self, tags: Tags, *objects: str) -> Jobs:
        rows = [
            {"job_id": job, "task_id": "lab.train", "tags": each, "timestamp": 1.5e9 + number}
            for number, (job, each) in enumerate(zip(IDS, tags, strict=False))
        ]
        workspace = Workspace(self.root)
        (workspace.run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        workspace.objects(*objects)
        return self

    def kept(self, where: Any) -> list[int]:
        """The jobs that pass, which `xp_frame` and `scan_xp` agree on."""
        options: dict[str, Any] = {"workspace": self.root, "columns": "job_id", "where": where}
        eager = xpframe.xp_frame("x", backend="polars", **options)
        for engine in ("streaming", "in-memory"):
            assert xpframe.scan_xp("x", **options).collect(engine=engine).equals(eager), where
        return [IDS.index(job) for job in eager["job_id"]]

    def refused(self, where: Any, said: str) -> None:
        for call in (xpframe.xp_frame, xpframe.scan_xp):
            with pytest.raises((ColumnError, InvalidArgumentError), match=said):
                call("x", workspace=self.root, where=where)


def job(number: int, fields: str) -> str:
    return line(100 + number, fields, IDS[number])


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


# --- names ---


def test_a_tag_that_begins_like_a_name(jobs: Jobs) -> None:
    """`RR` is no short name of a tag `RR@10`; a tag of several types is split at its last `@`."""
    tags: Tags = [{"RR@10": 0.1, "n@5": 1}, {"RR@10": 0.8, "n@5": "1"}, {"RR@10": 0.8, "n@5": True}]
    jobs.write(tags, job(0, '"RR":0.9'), job(1, '"RR":0.2'), job(2, '"RR":0.2'))
    assert jobs.kept("RR > 0.5") == jobs.kept({"RR": 0.9}) == [0]
    assert jobs.kept("RR@10 > 0.5") == jobs.kept({"tags.RR@10": 0.8}) == [1, 2]
    assert jobs.kept("n@5 = 1") == jobs.kept("tags.n@5 = 1") == [0, 1]
    assert jobs.kept("n@5@int = 1") == [0]
    jobs.refused("n = 1", "no column 'n'")
    jobs.refused("`n@*` = 1", "could be any of 3 columns")


def test_a_place_that_holds_others(jobs: Jobs) -> None:
    """`m` is a config of some jobs: the column of another place that ends so is not meant."""
    jobs.write(
        [{}, {}, {}],
        line(1, '"size":3', "m", "M"),
        line(2, '"m":null,"k":5', "p", "P"),
        job(0, f'"m":{to(1)},"pre":null'),
        job(1, f'"m":null,"pre":{to(2)}'),
        job(2, f'"m":{to(1)},"pre":null'),
    )
    for where in ("m = null", "m != null", {"m": None}, {"m": [None, 1]}, "m = 1", "config.m = null"):
        jobs.refused(where, r"no column '(config\.)?m' .it holds other values")
    assert jobs.kept("m@type = null") == jobs.kept("m.size = null") == [1]
    assert jobs.kept("pre.m = null") == jobs.kept("config.pre.m = null") == [0, 1, 2]
    assert jobs.kept("k = 5") == [1]


def test_null_where_some_hold_others(jobs: Jobs) -> None:
    """A place with a number, a text or a config: one that has a config is not without a value."""
    jobs.write(
        [{}, {}, {}, {}],
        line(1, '"size":3', "m", "M"),
        job(0, '"x":1,"y":1'),
        job(1, f'"x":{to(1)},"y":{to(1)}'),
        job(2, '"x":"a","y":null'),
        job(3, '"x":null,"y":2'),
    )
    for where in ("x = null", "x != null", {"x": None}, {"config.x": ["a", None]}, "y = null"):
        jobs.refused(where, "'(config.)?[xy]' holds other values in some jobs .write config.[xy]")
    assert jobs.kept("config.x@int = null and config.x@str = null and x@type = null") == [3]
    assert jobs.kept("config.y = null") == [1, 2]  # as the column is
    assert jobs.kept('x in [1, "a"]') == [0, 2]


def test_tags_called_like_patterns_and_columns(jobs: Jobs) -> None:
    tags: Tags = [
        {"*": "a", "lr": 1, "config.n": 7, "^a$": 1, "tags.lr": 5},
        {"*": "b", "lr": 2, "config.n": 8, "config.o": 1},
    ]
    jobs.write(tags, job(0, '"n":1,"lr":8'), job(1, '"n":2,"lr":9'))
    assert jobs.kept("lr = 1") == jobs.kept("tags.lr = 1") == jobs.kept("config.lr = 8") == [0]
    assert jobs.kept("`*` = 'a'") == jobs.kept({"^a$": 1}) == [0]
    assert jobs.kept("config.n = 2") == jobs.kept({"tags.config\\.n": 8}) == [1]
    assert jobs.kept("`config.o` = 1") == [1]
    assert jobs.kept({"tags.tags\\.lr": 5}) == [0]
    jobs.refused("lrr = 1", "no column 'lrr' .did you mean")


def test_a_glob_of_results_before_there_are_any(jobs: Jobs) -> None:
    jobs.write([{}])
    for where in ({"result.*": None}, {"result.*": 1}):
        with pytest.raises(ColumnError, match=r"no column 'result\.\*'"):
            xpframe.xp_frame("x", workspace=jobs.root, where=where, results="metrics.json")


# --- texts and patterns ---


def test_a_backslash_is_what_experimaestro_says(jobs: Jobs) -> None:
    texts = ["a\\b", "ab", "a\\\\b", "a\nb"]
    jobs.write([{"t": text} for text in texts])
    for text in (r'"a\b"', r'"a\\b"', r"'a\b'", r'"ab"', r'"a\nb"', '"a\\\'b"'):
        keep = createFilter(f"t = {text}", FilterContext(tags_map={text: {"t": text} for text in texts}))
        judged = [
            number
            for number, each in enumerate(texts)
            if keep(SimpleNamespace(identifier=each, state=None, path=None))
        ]
        assert jobs.kept(f"t = {text}") == jobs.kept(f"t in [{text}]") == judged, text
    assert [jobs.kept({"t": text}) for text in texts] == [[0], [1], [2], [3]]


def test_quotes_in_texts(jobs: Jobs) -> None:
    """Where experimaestro has no escape: a backslash before the quote that would end the text."""
    jobs.write([{"t": 'a"b'}, {"t": "a'b"}, {"t": "a\\'b"}, {"t": "a\\"}])
    assert jobs.kept(r't = "a\"b"') == jobs.kept("""t = 'a"b'""") == [0]
    assert jobs.kept(r"t = 'a\'b'") == jobs.kept('t = "a\'b"') == [1]
    assert jobs.kept('t = "a\\\'b"') == [2]
    assert jobs.kept({"t": "a\\"}) == jobs.kept(r't ~ "a\\$"') == [3]
    assert jobs.kept(r't ~ "a\"b"') == [0]


def test_patterns_are_those_of_python(jobs: Jobs) -> None:
    jobs.write(
        [{"v": "a.b", "n": 1}, {"v": "a-b", "n": 22}, {"v": "axb", "n": 3}, {"v": "a\nb\\"}],
    )
    assert jobs.kept(r'v ~ "a\.b"') == [0]
    assert jobs.kept(r'v ~ "a\wb"') == [2]
    assert jobs.kept(r'v ~ "a\nb"') == jobs.kept(r'v ~ "(?s).*\\$"') == [3]
    assert jobs.kept(r'n ~ "\d\d"') == [1]
    jobs.refused(r'v ~ "a\q"', "character 5: no regular expression: bad escape .q")


def test_patterns_on_numbers_and_times(jobs: Jobs) -> None:
    """Each value by its own text: -0.0 equals 0.0, and NaN nothing."""
    jobs.write([{"f": float("nan")}, {"f": -0.0}, {"f": 0.0}, {"f": 10.5}])
    assert jobs.kept('f ~ "-"') == [1]
    assert jobs.kept('f ~ "0"') == [2]
    assert jobs.kept('f ~ "nan"') == [0]
    assert jobs.kept("f = 0") == jobs.kept({"f": [-0.0]}) == [1, 2]
    assert jobs.kept(r'submitted_at ~ ".*02:40:0[12]\+00:00"') == [1, 2]


# --- values of a dict ---


class Color(enum.Enum):
    RED = 1


class Word(str, enum.Enum):  # noqa: UP042 - whose text is Word.RED
    RED = "red"


class Number(enum.IntEnum):
    TWO = 2


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("p", Path("/a/b"), [0]),
        ("p", PurePosixPath("/a/b"), [0]),
        ("p", [Path("/a/b"), "/a"], [0, 1]),
        ("c", Color.RED, [0]),
        ("w", Word.RED, [1]),
        ("n", Number.TWO, [1]),
        ("n", True, []),
        ("n", np.int32(2), [1]),
        ("n", np.float64(2), [1]),
        ("b", np.bool_(False), [0]),
        ("w", np.str_("red"), [1]),
        ("n", Decimal(2), [1]),
        ("n", np.array([1, 2]), [0, 1]),
        ("n", np.array([2]), [1]),
        ("n", np.array(2), [1]),
        ("n", pd.Series([1, 2]), [0, 1]),
        ("n", pd.Index([1, 2]), [0, 1]),
        ("n", pd.Series([1, None], dtype="Int64"), [0, 2]),
        ("n", pl.Series([1, None]), [0, 2]),
        ("n", pa.array([1, 2]), [0, 1]),
        ("n", pa.chunked_array([[1], [2]]), [0, 1]),
        ("n", pa.scalar(2), [1]),
        ("w", pd.Categorical(["red"]), [1]),
        ("n", {1, 2}, [0, 1]),
        ("n", frozenset([2]), [1]),
        ("n", (1, 2), [0, 1]),
        ("n", range(1, 3), [0, 1]),
        ("n", {1: "a", 2: "b"}.keys(), [0, 1]),
        ("n", deque([1, 2]), [0, 1]),
        ("n", [], []),
        ("n", None, [2]),
        ("n", pd.NA, [2]),
        ("n", pd.NaT, [2]),
        ("n", np.nan, []),
        ("f", np.nan, [0]),
        ("submitted_at", datetime.fromisoformat("2017-07-14T02:40:01"), [1]),
        ("submitted_at", datetime(2017, 7, 14, 2, 40, 1, tzinfo=UTC), [1]),
        ("submitted_at", pd.Timestamp("2017-07-14T04:40:01+02:00"), [1]),
        ("submitted_at", np.datetime64("2017-07-14T02:40:01"), [1]),
        ("submitted_at", np.array(["2017-07-14T02:40:01", "NaT"], dtype="datetime64[ns]"), [1]),
        ("submitted_at", pd.Series(pd.to_datetime(["2017-07-14T02:40:01"])), [1]),
        ("submitted_at", date(2017, 7, 14), []),
    ],
    ids=str,
)
def test_values_of_a_dict(name: str, given: Any, expected: list[int], jobs: Jobs) -> None:
    path, member = '{"type":"path","value":"%s"}', '{"type":"enum","module":"lab","enum":"C","value":"%s"}'
    jobs.write(
        [{"f": float("nan")}, {}, {}],
        job(0, f'"p":{path % "/a/b"},"n":1,"c":{member % "RED"},"w":"RED","b":false'),
        job(1, f'"p":{path % "/a"},"n":2,"c":{member % "BLUE"},"w":"red","b":true'),
        job(2, '"p":null,"n":null'),
    )
    assert jobs.kept({name: given}) == expected


def test_values_of_loaded_objects(jobs: Jobs) -> None:
    """A path and the member of an enum as a loaded config has them."""
    member = '{"type":"enum","module":"lab","enum":"C","value":"RED"}'
    jobs.write([{}, {}], job(0, f'"p":{{"type":"path","value":"/a/b"}},"c":{member}'), job(1, '"p":null'))
    config = xpframe.Workspace(jobs.root).load_xp_info("x").jobs[IDS[0]]
    assert jobs.kept({"p": config.p, "c": config.c}) == [0]


@pytest.mark.parametrize(
    "given",
    [
        b"a",
        (each for each in [1]),
        iter([1]),
        {"a": 1},
        [[1]],
        np.zeros((2, 2)),
        pd.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [1, 2]}),
        pd.Timedelta(1),
        1j,
        Decimal("0.1"),
        SimpleNamespace(name="a"),
        object(),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_value(given: Any, jobs: Jobs) -> None:
    """Iterators too, which a query that is collected twice would find empty."""
    jobs.write([{"n": "a"}])
    jobs.refused({"n": given}, "give a text, number, bool or None, or a list of them")
