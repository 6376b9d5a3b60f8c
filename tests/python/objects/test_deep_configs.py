"""Configs and values that are nested thousands deep are read, compared, copied and freed."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from definitions import JOB, one, refer, thing, write
from engine import load, table
from xpframe import asdict, fields
from xpframe.errors import FormatError

LINKS = 5_000


def test_five_thousand_nested_configs(tmp_path: Path) -> None:
    """Configs nested 5,000 deep are read, compared, hashed, pickled, followed and freed."""
    run = write(tmp_path / "ws", *chain(LINKS))
    job, other = load(run).jobs[JOB], load(run).jobs[JOB]
    assert repr(job) == "<lab.Train aaaaaaaa>"
    assert job == other
    assert hash(job) == hash(other)
    assert pickle.loads(pickle.dumps(job)) == job
    assert copy.deepcopy(job) is job
    assert fields(job) == {"next": job.next}
    assert "<details" in job._repr_html_()
    followed, last = 0, job
    while "next" in dir(last):
        followed, last = followed + 1, last.next
    assert (followed, last.x) == (LINKS, 1)
    del job, other  # frees the chain of 5,000 Python objects, but for the last


@pytest.mark.parametrize(("depth", "identity"), [(400, "leaf"), (LINKS, "other leaf")])
def test_deep_differences_are_seen(depth: int, identity: str, tmp_path: Path) -> None:
    """A value that differs some hundred configs down is seen; further down, its identifier is."""
    a = load(write(tmp_path / "a", *chain(depth))).jobs[JOB]
    b = load(write(tmp_path / "b", *chain(depth, identity, x=2))).jobs[JOB]
    assert a != b
    assert a == load(write(tmp_path / "c", *chain(depth))).jobs[JOB]


def test_what_is_deep_at_one_place_and_shallow_at_another(tmp_path: Path) -> None:
    """A config met first below 500 others, and again near the top, is compared in full."""
    first, second = chain(600), chain(600)
    second[0]["fields"]["x"] = 2
    for definitions in (first, second):
        definitions[-1]["fields"]["near"] = refer(100)
    a, b = load(write(tmp_path / "a", *first)).jobs[JOB], load(write(tmp_path / "b", *second)).jobs[JOB]
    if fields(a)["near"] == fields(b)["near"]:
        pytest.fail("what is near the top has to differ by itself")
    assert a != b


def test_asdict_refuses_what_is_too_deep(tmp_path: Path) -> None:
    """Plain values nested deeper than Python can hold are an error that says the limit, not a crash."""
    job = load(write(tmp_path / "ws", *chain(LINKS))).jobs[JOB]
    with pytest.raises(FormatError, match="values are nested more than 1000 deep"):
        asdict(job)
    assert asdict(nth(job, LINKS - 10))["next"]["next"]["next"]


def test_a_table_of_five_thousand_nested_configs(tmp_path: Path) -> None:
    """The table of a very deep chain has the column at its end, by the name that leads there."""
    frame = table(write(tmp_path / "ws", *chain(LINKS)))
    name = "config." + "next." * LINKS + "x"
    assert frame[name].to_pylist() == [1]


def chain(length: int, leaf: str = "leaf", x: int = 1) -> list[dict[str, Any]]:
    """A job that holds a config that holds a config, …: `length` links, then a leaf with `x`."""
    links = [thing(n, "Link", f"link {n} to {leaf}", next=refer(n - 1)) for n in range(1, length)]
    return [thing(0, "Leaf", leaf, x=x), *links, thing(length, "Train", JOB, next=refer(length - 1))]


def nth(config: Any, steps: int) -> Any:
    for _ in range(steps):
        config = config.next
    return config


@pytest.mark.parametrize("depth", [10, 100, 400])
def test_deep_lists(depth: int, tmp_path: Path) -> None:
    """Lists nested some hundreds deep are values as any other."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    job = one(tmp_path / "ws", x=value)
    assert job.x == value
    assert asdict(job) == {"x": value}
    assert json.loads(json.dumps(asdict(job))) == {"x": value}
