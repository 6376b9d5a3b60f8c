"""The hand-over to polars: every type but enums without a copy, and without pyarrow."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import polars as pl
import pyarrow as pa
import pytest

from helpers_arrow import VALUES, Stream, copied, every_type, grid_search, places


@pytest.mark.parametrize("nulls", [False, True])
def test_polars_shares_every_buffer(nulls: bool) -> None:
    """polars reads the engine's own memory: each buffer of a column, save for enums and some bitmaps."""
    source = every_type(nulls=nulls, rows=1000)
    frame = pl.DataFrame(Stream(source))
    seen = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    assert all(places(source[name]) for name in VALUES)
    lost = {name: copied(source[name], seen[name]) for name in VALUES}
    assert [name for name, sizes in lost.items() if sizes] == ["state", "blocks"]
    assert sum(len(places(source[name])) for name in VALUES if not lost[name]) == (29 if nulls else 19)
    # a null object in a list: polars marks its fields null too, one bit each
    elements = len(source["blocks"].combine_chunks().flatten())
    assert max(lost["blocks"]) <= elements // 8 + 1


@pytest.mark.parametrize("nulls", [False, True])
def test_polars_keeps_every_value(nulls: bool) -> None:
    """Whatever the type, polars gives back the Python values that went in, null and NaN apart."""
    source = every_type(nulls=nulls)
    frame = pl.DataFrame(Stream(source))
    assert frame.columns == list(VALUES)
    assert repr(frame.rows()) == repr([tuple(row.values()) for row in source.to_pylist()])


def test_polars_dtypes() -> None:
    """Each type that is emitted has one polars dtype, the one a polars user would have chosen."""
    schema = pl.DataFrame(Stream(every_type())).schema
    block = pl.Struct({"kind": pl.String, "width": pl.Int64, "modes": pl.List(pl.String)})
    assert dict(schema) == {
        "flag": pl.Boolean,
        "seed": pl.Int64,
        "hash": pl.UInt64,
        "loss": pl.Float64,
        "name": pl.String,
        "state": pl.Categorical,
        "submitted_at": pl.Datetime("us", "UTC"),
        "digits": pl.Decimal(38, 0),
        "layers": pl.List(pl.Int64),
        "names": pl.List(pl.String),
        "grid": pl.List(pl.List(pl.Float64)),
        "blocks": pl.List(block),
    }


@pytest.mark.parametrize("rows", [0, 1])
def test_polars_takes_small_frames(rows: int) -> None:
    """A frame without rows, or with one, has all its columns and dtypes."""
    frame = pl.DataFrame(Stream(every_type(rows=rows)))
    assert frame.shape == (rows, len(VALUES))
    assert frame.schema == pl.DataFrame(Stream(every_type())).schema


def test_polars_takes_no_columns() -> None:
    """A selection of no columns is an empty frame, not an error."""
    assert pl.DataFrame(Stream(pa.table({}))).shape == (0, 0)


def test_polars_asks_again() -> None:
    """A stream can be asked for twice, eagerly and lazily, and gives the same rows."""
    source = Stream(grid_search(gaps=True))
    first = pl.DataFrame(source)
    assert first.height == 120
    assert first.equals(pl.DataFrame(source))
    assert first.equals(pl.LazyFrame(source).collect())


def test_polars_needs_no_pyarrow() -> None:
    """Where pyarrow cannot be imported, polars takes an Arrow stream of every type, and shares it."""
    script = """
        import sys
        from datetime import UTC, datetime
        from decimal import Decimal

        class NoPyarrow:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "pyarrow":
                    raise ModuleNotFoundError("pyarrow is blocked", name=name)

        sys.meta_path.insert(0, NoPyarrow())
        try:
            import pyarrow
        except ModuleNotFoundError:
            pass
        else:
            sys.exit("pyarrow is not blocked")

        import polars as pl

        class Stream:
            def __init__(self, frame):
                self.frame = frame
            def __arrow_c_stream__(self, requested_schema=None):
                return self.frame.__arrow_c_stream__()

        source = pl.DataFrame({
            "flag": [True, None],
            "seed": [2**63 - 1, None],
            "hash": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
            "loss": [float("nan"), None],
            "name": ["longer than the twelve bytes of a view", None],
            "state": pl.Series(["done", None], dtype=pl.Categorical),
            "submitted_at": [datetime(2026, 3, 19, tzinfo=UTC), None],
            "digits": pl.Series([Decimal(10**37), None], dtype=pl.Decimal(38, 0)),
            "layers": [[1, None], None],
            "blocks": [[{"kind": "conv", "width": 1}], None],
        })
        frame = pl.DataFrame(Stream(source))
        assert frame.equals(source), frame
        assert frame.schema == source.schema, frame.schema
        assert repr(frame.rows()) == repr(source.rows())
        whole = pl.DataFrame({"x": pl.arange(1000, eager=True)})
        again = pl.DataFrame(Stream(whole))
        first, second = (table["x"].to_numpy(allow_copy=False).ctypes.data for table in (whole, again))
        assert first == second
        assert "pyarrow" not in sys.modules
        print(frame.width, "columns")
    """
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "10 columns\n"), run.stderr
