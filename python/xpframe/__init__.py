"""xpframe reads experimaestro workspaces: give the name of an experiment, get a DataFrame.

>>> from xpframe import sample_workspace, xp_frame
>>> df = xp_frame("grid-search", workspace=sample_workspace())
>>> len(df)
12
"""

from __future__ import annotations

from xpframe._core import (
    Config,
    EnumValue,
    Table,
    Unresolved,
    __version__,
    asdict,
    fields,
    identifier,
    path,
    producer,
    tags,
    typename,
    upstream,
)
from xpframe.errors import XpFrameError, XpFrameWarning
from xpframe.experiment import Action, ExperimentInfo, load_xp_info
from xpframe.locate import use
from xpframe.workspace import Workspace

# as in typing, which takes longer to import than to read a run of some hundred jobs
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xpframe._sample import sample_workspace
    from xpframe.analysis.compare import compare
    from xpframe.analysis.coverage import coverage
    from xpframe.analysis.diff import diff
    from xpframe.analysis.factors import factors
    from xpframe.analysis.replicates import replicates
    from xpframe.failed_jobs import failures
    from xpframe.frames import xp_frame, xp_table
    from xpframe.lazy import ReadReport, last_read, scan_xp
    from xpframe.pieces import parts, series_parts
    from xpframe.provider import WorkspaceStateProvider
    from xpframe.remote import Pulled, pull
    from xpframe.result_listing import result_files
    from xpframe.results import Result
    from xpframe.series import scan_series, xp_series

__all__ = [
    "Action",
    "Config",
    "EnumValue",
    "ExperimentInfo",
    "Pulled",
    "ReadReport",
    "Result",
    "Table",
    "Unresolved",
    "Workspace",
    "WorkspaceStateProvider",
    "XpFrameError",
    "XpFrameWarning",
    "__version__",
    "asdict",
    "compare",
    "coverage",
    "diff",
    "factors",
    "failures",
    "fields",
    "identifier",
    "last_read",
    "load_xp_info",
    "parts",
    "path",
    "producer",
    "pull",
    "replicates",
    "result_files",
    "sample_workspace",
    "scan_series",
    "scan_xp",
    "series_parts",
    "tags",
    "typename",
    "upstream",
    "use",
    "xp_frame",
    "xp_series",
    "xp_table",
]


# imported on first access: these modules cost more to import than all others
_LAZY_MODULES = {
    "compare": "analysis",
    "coverage": "analysis",
    "diff": "analysis",
    "factors": "analysis",
    "replicates": "analysis",
    "Pulled": "remote",
    "ReadReport": "lazy",
    "Result": "results",
    "WorkspaceStateProvider": "provider",
    "failures": "failed_jobs",
    "last_read": "lazy",
    "parts": "pieces",
    "pull": "remote",
    "result_files": "result_listing",
    "sample_workspace": "_sample",
    "scan_xp": "lazy",
    "scan_series": "series",
    "series_parts": "pieces",
    "xp_frame": "frames",
    "xp_series": "series",
    "xp_table": "frames",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY_MODULES:
        raise AttributeError(f"module 'xpframe' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"xpframe.{_LAZY_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext xpframe``: registers ``%xpm``."""
    from xpframe.notebook.magic import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext xpframe``: removes ``%xpm``."""
    from xpframe.notebook.magic import unload

    unload(shell)
