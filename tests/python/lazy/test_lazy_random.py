"""Lazy equals eager: random chains of polars calls give the same frame on a scan and on the frame."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import xpframe

if TYPE_CHECKING:
    from conftest import Workspaces

# a DataFrame or a LazyFrame: the same calls on both
Frame: TypeAlias = Any
Step: TypeAlias = Callable[[Frame], Frame]

CHAINS = 120
SOURCES = ("v270_full", "v216_full", "v1161_full", "sample")
SCALARS = (pl.String, pl.Int64, pl.UInt64, pl.Float64, pl.Boolean, pl.Datetime)

pytestmark = pytest.mark.filterwarnings("ignore::xpframe.XpFrameWarning")


class Chain:
    """A random chain of calls, each drawn knowing what the eager frame has become."""

    def __init__(self, frame: pl.DataFrame, seed: str) -> None:
        self.random = random.Random(seed)
        self.frame = frame
        self.steps: list[Step] = []
        self.words: list[str] = []
        for _ in range(self.random.randint(1, 6)):
            word = self.random.choice(sorted(STEPS))
            step = STEPS[word](self)
            self.frame = step(self.frame)
            self.steps.append(step)
            self.words.append(word)
            if not self.frame.columns:
                return

    def apply(self, frame: Frame) -> Frame:
        for step in self.steps:
            frame = step(frame)
        return frame

    def some(self, *, least: int = 1) -> list[str]:
        """Some of the columns, in any order; the cheap ones are drawn as often as all others."""
        columns = self.frame.columns
        cheap = [name for name in columns if not name.startswith("config.")]
        pool = cheap if cheap and self.random.random() < 0.5 else columns
        most = min(len(pool), 8)
        return self.random.sample(pool, self.random.randint(min(least, most), most))

    def fresh(self, word: str) -> str:
        """A name that no column has."""
        return f"{word} {len(self.steps)}"

    def scalars(self) -> list[str]:
        """The columns with values that can be compared, sorted and grouped."""
        return [name for name, dtype in self.frame.schema.items() if dtype in SCALARS]

    def scalar(self) -> str | None:
        names = self.scalars()
        cheap = [name for name in names if not name.startswith("config.")]
        pool = cheap if cheap and self.random.random() < 0.6 else names
        return self.random.choice(pool) if pool else None

    def value(self, name: str) -> Any:
        """A value of a column, most of the time."""
        values = self.frame[name].drop_nulls().to_list()
        return self.random.choice(values) if values else None

    def predicate(self) -> pl.Expr:
        name = self.scalar()
        if name is None:
            return pl.lit(self.random.random() < 0.5)
        column, value = pl.col(name), self.value(name)
        kinds = [column.is_null(), column.is_not_null()]
        if value is not None:
            literal = pl.lit(value, dtype=self.frame.schema[name])
            kinds += [column == literal, column != literal, column >= literal, literal > column]
            kinds.append(column.is_in([value]))
            kinds.append(column.eq_missing(literal))
            if isinstance(value, str):
                kinds += [
                    column.str.contains(value[:3], literal=True),
                    column.str.len_chars() > len(value) - 1,
                ]
        found = self.random.choice(kinds)
        if self.random.random() < 0.3:
            other = self.predicate()
            found = self.random.choice([found & other, found | other, ~found])
        return found


def _select(chain: Chain) -> Step:
    names = chain.some()
    return lambda frame: frame.select(names)


def _select_nothing(chain: Chain) -> Step:
    del chain
    return lambda frame: frame.select([])


def _filter(chain: Chain) -> Step:
    predicate = chain.predicate()
    return lambda frame: frame.filter(predicate)


def _filter_many(chain: Chain) -> Step:
    predicates = [chain.predicate() for _ in range(3)]
    return lambda frame: frame.filter(*predicates[:2]).filter(predicates[2])


def _filter_then_select(chain: Chain) -> Step:
    """A predicate on columns that are not selected."""
    predicate = chain.predicate()
    roots = set(predicate.meta.root_names())
    rest = [name for name in chain.some(least=2) if name not in roots] or chain.some()
    return lambda frame: frame.filter(predicate).select(rest)


def _filter_by_function(chain: Chain) -> Step:
    name = chain.scalar() or chain.frame.columns[0]
    odd = chain.random.randint(0, 1)

    def likes(value: object) -> bool:
        text = str(value)
        return sum(text.encode()) % 2 == odd

    return lambda frame: frame.filter(pl.col(name).map_elements(likes, return_dtype=pl.Boolean))


def _filter_over_rows(chain: Chain) -> Step:
    """A predicate on a row that depends on others cannot be answered a run at a time."""
    name = chain.scalar()
    if name is None:
        return _filter(chain)
    column = pl.col(name)
    return lambda frame: frame.filter((column == column.max()) | (column.shift(1) == column))


def _filter_nothing_left(chain: Chain) -> Step:
    name = chain.scalar() or chain.frame.columns[0]
    return lambda frame: frame.filter(pl.col(name).is_null() & pl.col(name).is_not_null())


def _head(chain: Chain) -> Step:
    count = chain.random.choice([0, 1, 3, 7, 20, 1000])
    return lambda frame: frame.head(count)


def _head_then_filter(chain: Chain) -> Step:
    count, predicate = chain.random.choice([1, 5, 12]), chain.predicate()
    return lambda frame: frame.head(count).filter(predicate)


def _filter_then_head(chain: Chain) -> Step:
    count, predicate = chain.random.choice([1, 5, 12]), chain.predicate()
    return lambda frame: frame.filter(predicate).head(count)


def _tail(chain: Chain) -> Step:
    count = chain.random.choice([0, 1, 5, 30])
    return lambda frame: frame.tail(count)


def _slice(chain: Chain) -> Step:
    start, length = chain.random.randint(-30, 30), chain.random.choice([None, 0, 1, 10])
    return lambda frame: frame.slice(start, length)


def _rename(chain: Chain) -> Step:
    names = {name: chain.fresh(f"renamed {at}") for at, name in enumerate(chain.some())}
    return lambda frame: frame.rename(names)


def _rename_to_another(chain: Chain) -> Step:
    """A column that takes the name of another, which filters on runs must not be misled by."""
    first, *rest = chain.some(least=2)
    if not rest:
        return _rename(chain)
    return lambda frame: frame.drop(rest[0]).rename({first: rest[0]})


def _with_columns(chain: Chain) -> Step:
    name, predicate = chain.scalar(), chain.predicate()
    if name is None:
        one = pl.lit(1).alias(chain.fresh("one"))
        return lambda frame: frame.with_columns(one)
    new = chain.random.choice([chain.fresh("new"), name])
    return lambda frame: frame.with_columns(pl.when(predicate).then(pl.col(name)).alias(new))


def _row_index(chain: Chain) -> Step:
    name = chain.fresh("row")
    return lambda frame: frame.with_row_index(name)


def _group_by(chain: Chain) -> Step:
    names = chain.scalars()
    if not names:
        return _head(chain)
    keys = chain.random.sample(names, min(len(names), 2))
    other = chain.random.choice(names)
    n, first, most = map(chain.fresh, ("n", "first", "most"))
    found = [pl.len().alias(n), pl.col(other).first().alias(first), pl.col(other).max().alias(most)]
    return lambda frame: frame.group_by(keys, maintain_order=True).agg(found)


def _unique(chain: Chain) -> Step:
    names = chain.scalars()
    subset = chain.random.sample(names, min(len(names), 2))
    if not subset:
        return _head(chain)
    return lambda frame: frame.unique(subset=subset, keep="first", maintain_order=True)


def _sort(chain: Chain) -> Step:
    names = chain.scalars()
    keys = chain.random.sample(names, min(len(names), 3))
    if not keys:
        return _head(chain)
    last, descending = chain.random.random() < 0.5, chain.random.random() < 0.5
    return lambda frame: frame.sort(keys, nulls_last=last, descending=descending, maintain_order=True)


def _join_itself(chain: Chain) -> Step:
    key, predicate = chain.scalar(), chain.predicate()
    if key is None:
        return _head(chain)
    others = [name for name in chain.some() if name != key][:2]
    how, suffix = chain.random.choice(["inner", "left", "semi", "anti"]), chain.fresh(" right")

    def join(frame: Frame) -> Frame:
        right = frame.filter(predicate).select(key, *others).unique(key, keep="first", maintain_order=True)
        if how in ("semi", "anti"):
            return frame.join(right, on=key, how=how, maintain_order="left")
        return frame.join(right, on=key, how=how, suffix=suffix, maintain_order="left")

    return join


def _concat_itself(chain: Chain) -> Step:
    predicate, count = chain.predicate(), chain.random.choice([1, 4])
    return lambda frame: pl.concat([frame.filter(predicate), frame.head(count), frame])


def _count(chain: Chain) -> Step:
    del chain
    return lambda frame: frame.select(pl.len())


def _sql(chain: Chain) -> Step:
    name, value = chain.scalar(), None
    shown = ", ".join(f'"{column}"' for column in chain.some())
    if name is not None and chain.frame.schema[name] in (pl.String, pl.Int64):
        value = chain.value(name)
    where = ""
    if value is not None and "'" not in str(value) and abs(value if isinstance(value, int) else 0) < 2**40:
        literal = f"'{value}'" if isinstance(value, str) else str(value)
        where = f'WHERE "{name}" = {literal} OR "{name}" IS NULL'
    limit = chain.random.choice(["", "LIMIT 4", "LIMIT 10 OFFSET 2"])
    query = f"SELECT {shown} FROM jobs {where} {limit}"

    def execute(frame: Frame) -> Frame:
        context: Any = pl.SQLContext(jobs=frame)
        return context.execute(query, eager=isinstance(frame, pl.DataFrame))

    return execute


STEPS: dict[str, Callable[[Chain], Step]] = {
    name.removeprefix("_"): step
    for name, step in list(globals().items())
    if name.startswith("_") and getattr(step, "__annotations__", {}).get("return") == "Step"
}


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """How often each step was tried, over all sources."""
    return Counter()


def collected(chain: Chain, frame: pl.LazyFrame, engine: Any) -> str:
    """How what comes of a chain differs from the eager frame, in words; empty if it does not."""
    try:
        assert_frame_equal(chain.apply(frame).collect(engine=engine), chain.frame, check_exact=True)
    except (AssertionError, pl.exceptions.PolarsError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_lazy_equals_eager(source: str, workspaces: Workspaces, seen: Counter[str]) -> None:
    """Whatever is asked, on both engines, with files kept and read again: the scan answers as the frame."""
    root = xpframe.sample_workspace() if source == "sample" else workspaces.path(source)
    eager = xpframe.xp_frame("*", workspace=root, run="all", backend="polars")
    kept = xpframe.scan_xp("*", workspace=root, run="all")
    forgotten = xpframe.scan_xp("*", workspace=root, run="all", keep_bytes=0)
    for number in range(CHAINS):
        chain = Chain(eager, f"{source} {number}")
        for engine in ("streaming", "in-memory"):
            words = collected(chain, forgotten if number % 8 == 0 else kept, engine)
            # where polars answers otherwise on the frame itself, too, we cannot be right
            if words and collected(chain, eager.lazy(), engine):
                seen["not ours"] += 1
                continue
            assert not words, f"{source} {number}, {engine}: {' → '.join(chain.words)}: {words}"
            seen["equal"] += 1
        seen.update(chain.words)


def test_every_step_was_tried(seen: Counter[str]) -> None:
    """The chains above were about something: many of them, and each kind of step among them."""
    if not seen:
        pytest.skip("the chains were not run")
    print(f"{len(SOURCES) * CHAINS} chains: {dict(seen)}")
    assert len(STEPS) == 24
    assert min(seen[name] for name in STEPS) >= 40
    assert seen["not ours"] <= 4
    assert seen["equal"] + seen["not ours"] == 2 * len(SOURCES) * CHAINS
    assert seen["equal"] >= 600
