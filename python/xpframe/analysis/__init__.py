"""From a frame of jobs to an answer: what varies, what is missing, where two jobs differ, which are
replicates.

Frame in, frame out: pandas, polars and pyarrow frames come back as they came, through narwhals, which is
imported when a function is called.
"""

from __future__ import annotations

from xpframe.analysis.compare import Comparison, compare
from xpframe.analysis.coverage import coverage
from xpframe.analysis.diff import diff
from xpframe.analysis.factors import factors
from xpframe.analysis.replicates import replicates
from xpframe.analysis.show import Mosaic, SideBySide, mosaic, side_by_side

__all__ = [
    "Comparison",
    "Mosaic",
    "SideBySide",
    "compare",
    "coverage",
    "diff",
    "factors",
    "mosaic",
    "replicates",
    "side_by_side",
]
