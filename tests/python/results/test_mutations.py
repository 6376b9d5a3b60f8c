"""Damaged result files of every kind: nothing panics, and lazy, eager and typed reads have the same rows."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from xpframe import Result, sample_workspace, scan_series, xp_frame, xp_series

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::xpframe.errors.XpFrameWarning")]
ROUNDS = 12  # of twelve files each
EVENTS = "damaged/events.out.tfevents.1.h"
SEEDS = {
    "damaged.csv": [
        b'epoch,loss,note\n1,0.5,a\n2,nan,"b,""c"""\n',
        b"a;b\n1;2\n",
        b",a\r\n0,007\r\n1,1e400\r\n",
    ],
    "damaged.tsv": [b"epoch\tloss\n1\t0.5\n9007199254740993\t99999999999999999999\n"],
    "damaged.jsonl": [b'{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "e": {"f": [1, "x"]}}\n{"loss": NaN}\n'],
    "damaged.json": [b'[{"a": 1}, {"a": 2.5, "b": "\\ud800"}]', b'{"a": {"b": 99999999999999999999}}'],
    "damaged.txt": [b"AP all 0.5\nP@5 q1 0.25\nrunid all x\n# no\nAP\tq 2\t1e400\n"],
    EVENTS: [],
}
PIECES = [b'"', b",", b"\n", b"\r\n", b"\0", b"\t", b"nan", b"9" * 25, b"{", b"]", b"\xff", b"*", b"all "]


def damaged(content: bytes, dice: random.Random) -> bytes:
    """The content with a few bits, bytes or stretches changed, cut or repeated."""
    data = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(data) + 1)
        kind = dice.randrange(5)
        if kind == 0 and data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[start:start] = dice.choice(PIECES)
        elif kind == 2:
            del data[start : start + dice.randint(1, 20)]
        elif kind == 3:
            other = dice.randrange(len(data) + 1)
            data[start:start] = data[other : other + dice.randint(1, 100)]
        else:
            del data[start:]
    return bytes(data)


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Categories as text."""
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files_are_read_alike(name: str, tmp_path: Path) -> None:
    """The rows of a lazy read are those of an eager one, and known types lose none."""
    root = tmp_path / "workspace"
    shutil.copytree(sample_workspace(), root, symlinks=True)
    jobs = sorted(path.parent for path in root.glob("jobs/*/*/params.json"))
    seeds = SEEDS[name] or [path.read_bytes() for path in root.glob("jobs/*/*/runs/*")]
    dice, rows = random.Random(name), 0
    options: Any = {"workspace": root, "quiet": True}
    for _ in range(ROUNDS):
        for job in jobs:
            (job / name).parent.mkdir(exist_ok=True)
            (job / name).write_bytes(damaged(dice.choice(seeds), dice))
        eager = plain(xp_series("grid-search", name, backend="polars", **options))
        lazy = plain(scan_series("grid-search", name, **options).collect())
        assert lazy.equals(eager)
        frame = xp_frame("grid-search", results=name, backend="polars", columns=["result@file"], **options)
        assert frame.height == len(jobs)
        rows += eager.height
        if name.endswith(("csv", "tsv", "jsonl")):
            known = Result(name, schema={"epoch": int, "loss": float, "note": str})
            assert xp_series("grid-search", known, backend="polars", **options).height == eager.height
    assert rows > ROUNDS
