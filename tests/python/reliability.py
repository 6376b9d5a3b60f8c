"""How much the tests of broken, hostile and failing files do, and the page that their figures make.

`make reliability` sets `$XPFRAME_RELIABILITY` to a directory: tests then do all that is promised and leave figures there,
from which `python tests/python/reliability.py DIRECTORY` writes docs/reliability.md. Without it they do a little.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

HOME = os.environ.get("XPFRAME_RELIABILITY")


def effort(little: int, everything: int) -> int:
    """How much to do: little, or, for the page, everything."""
    return everything if HOME else little


def figures(name: str, values: Mapping[str, int | float | str]) -> None:
    """Leaves the figures of a test for the page."""
    if HOME:
        Path(HOME).mkdir(parents=True, exist_ok=True)
        (Path(HOME) / f"{name}.json").write_text(json.dumps(values))
