"""Libraries that only some calls need: not installed, or installed and broken."""

from __future__ import annotations

from xpframe.errors import MissingLibraryError

__all__ = ["missing_library"]


def missing_library(cause: Exception, needs: str, *names: str, hint: str) -> MissingLibraryError:
    """The error for a library that could not be imported.

    Args:
        cause: What the import raised.

        needs: What needs it, as in ``backend='polars' needs``.

        names: The libraries that are imported. A ModuleNotFoundError of one of them says that it is not
            installed; anything else, that the first one is installed and broken.

        hint: How to install them.
    """
    if isinstance(cause, ModuleNotFoundError) and cause.name in names:
        return MissingLibraryError(f"{needs} {cause.name}, which is not installed", hint=hint)
    words = " ".join(str(cause).split())
    return MissingLibraryError(
        f"{needs} {names[0]}, which is installed and cannot be imported: {type(cause).__name__}: {words}",
        hint=f"repair it, as with: pip install --force-reinstall {names[0]}",
    )
