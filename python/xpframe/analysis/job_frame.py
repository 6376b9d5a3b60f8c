"""A DataFrame of jobs of any library, read column by column and built again in the same library."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.analysis.names import factor_names, is_factor
from xpframe.analysis.values import Coded, OutputPaths, coded, number_by_appearance
from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.libraries import missing_library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import narwhals

__all__ = ["JobFrame", "any_frame", "build", "load_narwhals"]

_DTYPES = {"text": "String", "int": "Int64", "flag": "Boolean"}
_PANDAS = {"text": "str", "int": "int64", "flag": "boolean", "texts": "object"}


def load_narwhals() -> Any:
    """The module narwhals, imported when it is used."""
    try:
        import narwhals
    except Exception as error:
        hint = "pip install 'xpframe[analysis]'"
        raise missing_library(error, "this function needs", "narwhals", hint=hint) from error
    return narwhals


class JobFrame:
    """A frame of jobs: one row a job.

    Args:
        frame: A DataFrame of pandas, polars or pyarrow, or another that narwhals takes, or a
            :class:`xpframe.Table`, which becomes a pyarrow one.
        instead: What else the caller takes, for the error.

    Raises:
        InvalidArgumentError: It is no DataFrame.
        MissingLibraryError: narwhals is not installed, or for a Table, pyarrow is not.
    """

    def __init__(self, frame: Any, instead: str = "") -> None:
        nw = load_narwhals()
        if isinstance(frame, _core.Table):
            frame = _to_pyarrow(frame)
        try:
            self.frame: narwhals.DataFrame[Any] = nw.from_native(frame, eager_only=True)
        except TypeError:
            kind = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
            hint = {"LazyFrame": "collect() it first", "ExperimentInfo": "give info.frame()"}.get(
                type(frame).__name__, f"give {instead}a DataFrame of pandas, polars or pyarrow"
            )
            raise InvalidArgumentError(f"{kind} is not a DataFrame", hint=hint) from None
        except nw.exceptions.DuplicateError as error:
            reason = " ".join(str(error).split())
            raise InvalidArgumentError(reason, hint="give each column a name of its own") from None
        self.names: list[str] = self.frame.columns
        if odd := [name for name in self.names if not isinstance(name, str)]:
            raise InvalidArgumentError(f"column {odd[0]!r} has a name that is not text", hint="rename it")
        self._coded: dict[str, Coded] = {}
        self._outputs: OutputPaths | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def implementation(self) -> Any:
        """The library, as narwhals names it."""
        return self.frame.implementation

    def values(self, name: str) -> list[Any]:
        """The values of a column as Python values; None is null."""
        series = self.frame[name]
        if not self.frame.implementation.is_pandas_like():
            return list(series.to_list())
        if series.dtype != load_narwhals().Object and find_spec("pyarrow"):
            values: list[Any] = series.to_arrow().to_pylist()  # several times faster than to_list
            return values
        array: Any = getattr(series.to_native(), "array", None)
        if find_spec("pyarrow") and hasattr(array, "__arrow_array__"):  # lists and structs of xpframe
            return list(array.__arrow_array__().to_pylist())
        values = list(series.to_list())
        for row in series.is_null().arg_true().to_list():
            values[row] = None  # pandas has several nulls, NaN among them
        return values

    def column(self, name: str) -> Coded:
        """A column as numbers, made once."""
        if name not in self._coded:
            if self._outputs is None:
                paths = self.values("path") if "path" in self.names else []
                self._outputs = OutputPaths({path for path in paths if isinstance(path, str)})
            self._coded[name] = coded(self.values(name), self._outputs)
        return self._coded[name]

    def factors(self, by: str | Sequence[str] | None) -> list[str]:
        """The columns that are factors, without output paths."""
        names = factor_names(self.names, by)
        return [name for name in names if by is not None or not self.column(name).is_output]

    def parameters(self) -> list[str]:
        """The columns that are tags or parameters by their names, output paths among them."""
        return [name for name in self.names if is_factor(name) and name != "task"]

    def strata(self) -> list[int]:
        """A number for each row: jobs of one experiment and task have the same parameters."""
        columns = [self.column(name).codes for name in ("experiment", "task") if name in self.names]
        if not columns:
            return [0] * len(self)
        return columns[0] if len(columns) == 1 else number_by_appearance(list(zip(*columns, strict=True)))[0]

    def take(self, name: str, rows: Sequence[int]) -> narwhals.DataFrame[Any]:
        """A column at some rows, with its type, as a frame of one column."""
        nw = load_narwhals()
        taken: narwhals.DataFrame[Any] = nw.maybe_reset_index(self.frame[name][list(rows)]).to_frame()
        return taken


def _to_pyarrow(table: _core.Table) -> Any:
    try:
        return table.to_pyarrow()
    except MissingLibraryError as error:
        hint = "pip install 'xpframe[pandas]', or give table.to_polars()"
        raise MissingLibraryError(f"a Table becomes a pyarrow table: {error.reason}", hint=hint) from error


def any_frame(table: _core.Table) -> Any:
    """A table as a frame of a library that is installed."""
    return table if find_spec("pyarrow") else table.to_polars()


def build(backend: Any, columns: Mapping[str, tuple[str, Sequence[Any]]]) -> narwhals.DataFrame[Any]:
    """A frame of new columns.

    Args:
        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``, or what narwhals calls a library.

        columns: For each column its kind (``text``, ``int``, ``flag`` or ``texts``, a list of texts) and
            values.
    """
    nw = load_narwhals()
    if str(getattr(backend, "value", backend)) == "pandas":
        import pandas as pd

        series = {
            name: pd.Series(list(values), dtype=_PANDAS[kind]) for name, (kind, values) in columns.items()
        }
        framed: narwhals.DataFrame[Any] = nw.from_native(pd.DataFrame(series), eager_only=True)
        return framed
    parts = [
        nw.new_series(name, list(values), _dtype(nw, kind), backend=backend).to_frame()
        for name, (kind, values) in columns.items()
    ]
    joined: narwhals.DataFrame[Any] = nw.concat(parts, how="horizontal")
    return joined


def _dtype(nw: Any, kind: str) -> Any:
    return nw.List(nw.String) if kind == "texts" else getattr(nw, _DTYPES[kind])
