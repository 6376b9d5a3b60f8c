"""The command line: ``xpframe frame``, ``ls``, ``runs``, ``schema``, ``failures``, ``check``, ``diff``,
``missing``, ``results``, ``path`` and ``completion``.
"""

from __future__ import annotations

from xpframe.cli.entry import main

__all__ = ["main"]
