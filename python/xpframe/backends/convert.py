"""From an Arrow table to a DataFrame of pandas, polars or pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError, MissingLibraryError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converter_for"]


def converter_for(backend: str) -> Callable[..., Any]:
    """The function that turns a table into a frame of this backend.

    Raises:
        MissingLibraryError: The backend is not installed.
        InvalidArgumentError: There is no such backend.
    """
    try:
        if backend == "pandas":
            from xpframe.backends.pandas import to_pandas

            return to_pandas
        if backend == "polars":
            import polars

            return polars.DataFrame
        if backend == "pyarrow":
            import pyarrow

            # runs may disagree on the names of an enum; group_by and join refuse several dictionaries
            return lambda table: pyarrow.table(table._arrow_for_pyarrow()).unify_dictionaries()  # noqa: SLF001 - ours
    except ImportError as error:
        extra = "pandas" if backend == "pyarrow" else backend
        raise MissingLibraryError(
            f"backend={backend!r} needs {error.name}, which is not installed",
            hint=f"pip install 'xpframe[{extra}]'",
        ) from error
    raise InvalidArgumentError(f"backend={backend!r}", hint="it is 'pandas', 'polars' or 'pyarrow'")
