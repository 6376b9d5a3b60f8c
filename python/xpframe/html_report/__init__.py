"""One page for a colleague: what ran, its results, failures and pictures, in a single file."""

from __future__ import annotations

from xpframe.html_report.page import write_report

__all__ = ["write_report"]
