"""xpframe reads experimaestro workspaces: ask for an experiment by name, get a DataFrame.

>>> from xpframe import sample_workspace, xp_frame
>>> df = xp_frame("grid-search", workspace=sample_workspace())
>>> len(df)
12
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe._core import (
    Config,
    EnumValue,
    Table,
    Unresolved,
    __version__,
    asdict,
    fields,
    identifier,
    tags,
    typename,
)
from xpframe._sample import sample_workspace
from xpframe.errors import XpFrameError, XpFrameWarning
from xpframe.frames import xp_frame, xp_table
from xpframe.locate import use
from xpframe.workspace import Action, ExperimentInfo, Workspace, WorkspaceStateProvider, load_xp_info

if TYPE_CHECKING:
    from xpframe.lazy import ReadReport, last_read, scan_xp

__all__ = [
    "Action",
    "Config",
    "EnumValue",
    "ExperimentInfo",
    "ReadReport",
    "Table",
    "Unresolved",
    "Workspace",
    "WorkspaceStateProvider",
    "XpFrameError",
    "XpFrameWarning",
    "__version__",
    "asdict",
    "fields",
    "identifier",
    "last_read",
    "load_xp_info",
    "sample_workspace",
    "scan_xp",
    "tags",
    "typename",
    "use",
    "xp_frame",
    "xp_table",
]


def __getattr__(name: str) -> Any:
    """What lazy queries need costs as much to import as all the rest: it comes when it is asked for."""
    if name in ("ReadReport", "last_read", "scan_xp"):
        from xpframe import lazy

        return getattr(lazy, name)
    raise AttributeError(f"module 'xpframe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext xpframe``: registers ``%xpm``."""
    from xpframe.magic import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext xpframe``: takes ``%xpm`` back."""
    from xpframe.magic import unload

    unload(shell)
