"""From an Arrow table to a DataFrame of pandas, polars or pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError
from xpframe.libraries import missing_library

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converter_for"]


def converter_for(backend: str) -> Callable[..., Any]:
    """The function that turns a table into a frame of this backend.

    Raises:
        MissingLibraryError: The backend is not installed, or it is and cannot be imported.
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

            pyarrow.Table  # noqa: B018 - a directory of that name without the library is imported too
            # runs may disagree on the names of an enum; group_by and join refuse several dictionaries
            return lambda table: pyarrow.table(table._arrow_for_pyarrow()).unify_dictionaries()  # noqa: SLF001 - ours
    except Exception as error:
        extra = "pandas" if backend == "pyarrow" else backend
        libraries = ("pandas", "numpy", "pyarrow") if backend == "pandas" else (backend,)
        hint = f"pip install 'xpframe[{extra}]'"
        raise missing_library(error, f"backend={backend!r} needs", *libraries, hint=hint) from error
    raise InvalidArgumentError(f"backend={backend!r}", hint="it is 'pandas', 'polars' or 'pyarrow'")
