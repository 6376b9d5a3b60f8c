"""Chromium on a page of ours: what it asks for and what its console says are noted."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The program, from `$XPFRAME_CHROMIUM` or under its usual names."""
    return os.environ.get("XPFRAME_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Pages:
    """Opens files as pages.

    Args:
        browser: A browser of Playwright.
    """

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.said: list[str] = []
        self.asked: list[str] = []

    def open(self, path: Path, scheme: str = "light") -> Any:
        page = self.browser.new_page(color_scheme=scheme, viewport={"width": 1300, "height": 900})
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#table_wrapper, #no-table")
        return page

    def _dismiss(self, dialog: Any) -> None:
        self.said.append(f"dialog {dialog.message}")
        dialog.dismiss()


@contextmanager
def pages() -> Iterator[Pages]:
    """A browser. Skips without Chromium or Playwright; fails where `XPFRAME_BROWSER=required`."""
    program = chromium()
    if program is None or importlib.util.find_spec("playwright") is None:
        if os.environ.get("XPFRAME_BROWSER") == "required":
            pytest.fail("Chromium or Playwright is missing")
        pytest.skip("NOT TESTED: the report in a browser. Chromium or Playwright is missing")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield Pages(browser)
        browser.close()
