"""Where Chromium is, for the tests that look at pages."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of Chromium: `$XPFRAME_CHROMIUM`, or what is found under the usual names."""
    return os.environ.get("XPFRAME_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
