"""Lazy queries: a polars LazyFrame that reads the runs, rows and columns that a query needs.

``scan`` has the public call, ``query`` knows the runs and keeps their columns, ``source`` answers polars,
``report`` says what was read.
"""

from xpframe.lazy.report import ReadReport, last_read
from xpframe.lazy.scan import scan_xp

__all__ = ["ReadReport", "last_read", "scan_xp"]
