"""Which memory each library shares with a table, by the addresses of buffers; writes `docs/zero-copy.md`."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import arro3.core
import pyarrow as pa
import pytest

import xpframe
from conftest import REPOSITORY, Workspaces, reference_names, references
from engine import exact
from typed_runs import (
    FIELDS,
    leaves,
    memory,
    memory_of_pandas,
    of_numpy,
    quietly,
    values_of,
    write_run,
)
from xpframe._core import Table

PAGE = REPOSITORY / "docs" / "zero-copy.md"
THIS = Path(__file__).relative_to(REPOSITORY)

# kind of values → the columns that hold it, without and with nulls
COLUMNS = {words: (f"config.{name}", f"config.{name}_gaps") for name, (words, _) in FIELDS.items()}
COLUMNS["time"] = ("submitted_at", "ended_at")


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The table of one run: every column in one batch."""
    return xpframe.xp_table(write_run(tmp_path_factory.mktemp("one")))


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The table of two runs: two batches."""
    root = tmp_path_factory.mktemp("two")
    for run in (0, 1):
        write_run(root, run)
    return xpframe.xp_table("random", workspace=root, run="all")


def itself(table: Table) -> Table:
    return table


def laid_out_for_pandas(table: Table) -> Table:
    """What `xp_frame` hands to pandas: text is built in the layout of pandas in the first place."""
    return table._arrow_for_pandas()


@dataclass
class Library:
    """A library that takes a table: how it is given one, and what memory is behind a column then."""

    words: str
    take: Callable[[Table], Any]
    behind: Callable[[Any], dict[int, int]]
    of: Callable[[Table], Table] = itself


# polars' frames join their batches when they are exported, its series do not
LIBRARIES = [
    Library("polars", lambda t: t.to_polars(), memory),
    Library("pyarrow", pa.table, memory),
    Library("arro3", arro3.core.Table, memory),
    Library("pandas, `zero_copy=True`", lambda t: t.to_pandas(zero_copy=True), memory_of_pandas),
    Library("pandas", lambda t: t.to_pandas(), memory_of_pandas),
    Library("pandas, `xp_frame`", lambda t: t.to_pandas(), memory_of_pandas, laid_out_for_pandas),
    Library("`to_pyarrow()`", lambda t: t.to_pyarrow(), memory),
]


def in_words(source: dict[int, int], found: dict[int, int]) -> str:
    """What of the memory of a column a library has, for a cell of the page."""
    if not source:
        assert not found
        return "no memory"
    shared = source.keys() & found.keys()
    if len(shared) == len(source):
        return "shared"
    return f"{len(shared)}/{len(source)}" if shared else "copied"


def sharing(library: Library, table: Table) -> dict[str, str]:
    """Column → what of its memory a library has; the library holds its frame while it is looked at."""
    source = library.of(table)
    frame = library.take(source)
    return {
        name: in_words(memory(source.select([name])), library.behind(frame[name]))
        for name in source.column_names
    }


def measured(table: Table) -> dict[str, list[str]]:
    """Kind of values → a cell for each library."""
    cells = [sharing(library, table) for library in LIBRARIES]
    return {
        kind: [
            by_name[full] if by_name[full] == by_name[gaps] else f"{by_name[full]}, {by_name[gaps]}"
            for by_name in cells
        ]
        for kind, (full, gaps) in COLUMNS.items()
    }


def page_table(table: Table) -> list[str]:
    """One line per kind of values: how much of its memory each library shares."""
    lines = [["values", *(library.words for library in LIBRARIES)]]
    for kind, cells in measured(table).items():
        assert len(cells) == len(LIBRARIES)
        lines.append([kind, *cells])
    return markdown(lines)


def page_types(table: Table) -> list[str]:
    """One line per kind of values: its Arrow type."""
    types = pa.schema(table)
    lines = [["values", "Arrow type"]]
    for kind, names in COLUMNS.items():
        full, gaps = (types.field(name).type for name in names)
        assert full == gaps
        lines.append([kind, f"`{full}`"])
    return markdown(lines)


def markdown(lines: list[list[str]]) -> list[str]:
    """A Markdown table, the head first."""
    head, *rest = lines
    return ["| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rest]]


VERSIONS = ("polars", "pyarrow", "arro3-core", "pandas")


INTRODUCTION = """\
A table of xpframe consists of Arrow buffers, which a library can share or copy. This page says which, for
each type of column. It compares the addresses of the table's buffers, at any depth, with those behind the
library's columns. A table can be handed over any number of times; all recipients share the shared buffers.

* *shared*: all buffers; *copied*: none; *1/3*: one of three; *no memory*: the column has no buffers.
* A cell with two values has that of columns without nulls first, then that of columns with nulls.

**Text.** polars shares `string_view`, and pandas cannot work with it.

* `xp_table(…).to_pandas()` therefore converts text to `large_string`. `xp_frame(…)` builds it as
  `large_string` in the first place, and gives enums the keys that pandas uses; the column *pandas,
  `xp_frame`* compares with the buffers of that table.
* pyarrow accepts `string_view` and has few functions for it. `pyarrow.table(table)` shares it;
  `to_pyarrow()` and `xp_frame(…, backend="pyarrow")` return `large_string`.
* For nanoarrow 0.9 use `to_pyarrow()`: it crashes when it makes Python values of any `string_view`.
* Text in lists is `large_string` everywhere: pandas and pyarrow take no lists of `string_view`.

**Why libraries copy the rest.** polars keeps enums in its own categories, lays out the text in lists as
`string_view`, and sets the fields of a null struct to null. pandas unpacks bits to bytes, numbers
categories differently, and gathers numbers and times in blocks whose cells can be assigned to, except with
`zero_copy=True`.
"""
SEVERAL_RUNS = (
    "Each run is a batch. Libraries that keep batches share them; for pandas they are joined first."
)


def page(one: Table, two: Table) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return "\n".join(
        [
            "# Which memory is shared",
            "",
            f"Written by `{THIS}` with `XPFRAME_WRITE_DOCS=1`; do not edit.",
            f"Measured with {versions}.",
            "",
            INTRODUCTION,
            "## Arrow types",
            "",
            *page_types(one),
            "",
            "## A table of one run",
            "",
            *page_table(one),
            "",
            "## A table of several runs",
            "",
            SEVERAL_RUNS,
            "",
            *page_table(two),
            "",
        ]
    )


def settled(text: str) -> list[str]:
    """The lines of the page that do not depend on which versions are installed."""
    return [line for line in text.splitlines() if not line.startswith("Measured with ")]


def test_the_page_says_what_is_measured(one_run: Table, two_runs: Table) -> None:
    """`docs/zero-copy.md` is what the addresses say today."""
    text = page(one_run, two_runs)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 3 * (2 + len(FIELDS) + 1)
    if os.environ.get("XPFRAME_WRITE_DOCS"):
        PAGE.write_text(text)
    assert settled(PAGE.read_text()) == settled(text), "run this test with XPFRAME_WRITE_DOCS=1"


@pytest.mark.slow
def test_the_page_leaves_no_type_out(one_run: Table, workspaces: Workspaces) -> None:
    """No column of a reference workspace is made of a type that the page does not tell."""
    told = {name for field in pa.schema(one_run) for name in leaves(field.type)}
    assert len(told) == 12
    columns = 0
    for name in reference_names():
        for field in pa.schema(quietly("*", workspace=workspaces.path(name), run="all")):
            assert leaves(field.type) <= told, field
            columns += 1
    print(f"{columns} of {columns} columns are of types that the page tells")
    assert columns > 60


@pytest.mark.parametrize("name", references())
def test_real_tables_are_shared(name: str, workspaces: Workspaces) -> None:
    """pyarrow and arro3 share every column of a real table; polars all but enums and objects with nulls."""
    table = quietly("*", workspace=workspaces.path(name), run="all")
    filled = [column for column in table.column_names if memory(table.select([column]))]
    table = table.select(filled)
    polars, pyarrow, arro3 = (sharing(library, table) for library in LIBRARIES[:3])
    assert len(filled) >= 10
    assert set(pyarrow.values()) == set(arro3.values()) == {"shared"}
    kinds = dict(table.schema)
    for column, words in polars.items():
        if "Dictionary" not in kinds[column] and "Struct" not in kinds[column]:
            assert words == "shared", column
    print(f"{name}: polars shares {list(polars.values()).count('shared')} of {len(filled)} columns")


def test_a_table_hands_over_its_own_memory(one_run: Table, two_runs: Table) -> None:
    """Streams, selections and batches are views: they give the same buffers at each call."""
    for table, size in ((one_run, 1), (two_runs, 2)):
        whole = memory(table)
        assert len(whole) > size * len(table.column_names)
        assert memory(table) == whole
        assert memory(table.select(table.column_names)) == whole
        assert len(table.batches()) == size
        assert {at: n for batch in table.batches() for at, n in memory(batch).items()} == whole


def test_text_is_laid_out_for_pandas_once(one_run: Table, two_runs: Table) -> None:
    """A table in the layout of pandas is not copied into it again, as `xp_frame` would do; save for enums."""
    for table in (one_run, two_runs):
        laid_out = table._arrow_for_pandas()
        again = laid_out._arrow_for_pandas()
        others = [name for name, kind in laid_out.schema if not kind.startswith("Dictionary")]
        assert len(table.column_names) - len(others) == 2
        assert memory(again.select(others)) == memory(laid_out.select(others)) != memory(table.select(others))


def test_pyarrow_allocates_nothing(one_run: Table, two_runs: Table) -> None:
    """To take a table costs pyarrow no byte of its own memory, however many batches it has."""
    gc.collect()
    for table in (one_run, two_runs):
        before = pa.total_allocated_bytes()
        taken = pa.table(table)
        assert (taken.num_rows, pa.total_allocated_bytes() - before) == (len(table), 0)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.words)
def test_shared_memory_outlives_the_table(library: Library, tmp_path: Path) -> None:
    """A frame keeps the memory that it shares: its values stay when the table is gone."""
    run = write_run(tmp_path)
    table = xpframe.xp_table(run)
    expected = {name: exact(table.column_values(name)) for name in table.column_names}
    frame = library.take(library.of(table))
    del table
    gc.collect()
    # what was freed wrongly would be taken again by these
    others = [xpframe.xp_table(run, columns=["config.*"]) for _ in range(3)]
    found = {name: exact(values_of(frame[name])) for name in expected}
    assert found == expected
    assert len(others) == 3


@pytest.mark.parametrize("zero_copy", [False, True])
def test_cells_of_pandas_are_not_the_table_s(zero_copy: bool, one_run: Table) -> None:
    """What is assigned to a frame of pandas does not reach the table, nor what others share with it."""
    before = {name: repr(one_run.column_values(name)) for name in one_run.column_names}
    frame = one_run.to_pandas(zero_copy=zero_copy)
    new = {"bool": True, "int": 7, "float": 0.5, "text, to 12 bytes": "new", "text, longer": "new"}
    for kind, value in new.items():
        for name in COLUMNS[kind]:
            frame.loc[1:3, name] = value
            assert frame[name].iloc[2] == value
    after = {name: repr(one_run.column_values(name)) for name in one_run.column_names}
    assert after == before


def test_numpy_cannot_write_into_the_table(one_run: Table) -> None:
    """Views of shared memory are read-only."""
    name = "config.steps"
    views = [one_run.to_polars()[name].to_numpy(), one_run.to_pyarrow()[name].chunk(0).to_numpy()]
    for view in views:
        assert of_numpy(view).keys() == memory(one_run.select([name])).keys()
        assert not view.flags.writeable


def test_pandas_takes_enums_of_several_runs(two_runs: Table) -> None:
    """An enum met in several runs is one category column in pandas."""
    frame = two_runs.select(["config.kind", "config.kind_gaps"]).to_pandas()
    assert list(frame["config.kind"].cat.categories) == ["SGD", "ADAM"]
    assert frame["config.kind"].tolist() == two_runs.column_values("config.kind")
