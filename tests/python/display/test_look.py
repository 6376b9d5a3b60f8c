"""Displays in a real Chromium, on light and on dark pages: contrast, and what never breaks."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import Workspaces
from engine import load
from pages import quiet
from xpframe.analysis import mosaic
from xpframe.analysis.show import side_by_side
from xpframe.changes import Changes
from xpframe.display.table import table_html

pytestmark = pytest.mark.slow
CHROMIUM = os.environ.get("XPFRAME_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
THEMES = {"light": ("#ffffff", "#111111"), "dark": ("#111111", "#eeeeee")}

# the contrast of each text with what is painted behind it, as WCAG defines it
CONTRASTS = """page => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (below, colour) => {
        canvas.globalCompositeOperation = "source-over";
        canvas.fillStyle = `rgb(${below})`;
        canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = colour => {
        const [r, g, b] = colour.map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode, element = node.parentElement;
        if (!node.data.trim() || element.closest("style") || !element.getClientRects().length) continue;
        const above = [];
        for (let e = element; e; e = e.parentElement) above.unshift(getComputedStyle(e).backgroundColor);
        const back = above.reduce(paint, [255, 255, 255]);
        const text = paint(back, getComputedStyle(element).color);
        const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
        found.push([(a + 0.05) / (b + 0.05), node.data.trim().slice(0, 40), element.outerHTML.slice(0, 120)]);
    }
    return found;
}"""

# words that stand on several lines: identifiers, names of files with line numbers, times
BROKEN = r"""pattern => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const broken = [];
    let seen = 0;
    while (walker.nextNode()) {
        const node = walker.currentNode, element = node.parentElement;
        if (element.closest("style") || !element.getClientRects().length) continue;
        for (const match of node.data.matchAll(new RegExp(pattern, "g"))) {
            const range = document.createRange();
            range.setStart(node, match.index);
            range.setEnd(node, match.index + match[0].length);
            const lines = new Set([...range.getClientRects()].map(rect => Math.round(rect.top)));
            seen += 1;
            if (lines.size > 1) broken.push(match[0]);
        }
    }
    return [seen, broken];
}"""
WHOLE = r"\b[0-9a-f]{8,64}\b|[\w-]+\.\w{2,5}:\d+|\d{8}_\d{6}|\d\d:\d\d:\d\d"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; the tests are skipped without it."""
    if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
        pytest.skip("no Chromium, or no Playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory, workspaces: Workspaces) -> list[str]:
    """Every kind of display, of real runs below a long path."""
    home = tmp_path_factory.mktemp("a-directory-with-a-rather-long-name") / "projects" / "retrieval-2026"
    shutil.copytree(workspaces.path("v270_full"), home / "full", symlinks=True)
    shutil.copytree(workspaces.path("v270_quirks"), home / "quirks", symlinks=True)
    info = load(home / "full" / "experiments" / "ablation" / "current")
    grid = load(home / "full" / "experiments" / "grid-search" / "20261123_071805")
    killed = load(home / "quirks" / "experiments" / "die" / "current")
    ids = list(info.states)
    changes = Changes(tuple(ids[:12]), tuple(ids[:1]), tuple(ids[3:5]), tuple(ids[5:8]), (), info._run)
    first, *_, last = grid.jobs.values()
    shown = [
        xpframe.Workspace(home / "full"),
        info,
        info.jobs,
        info.actions,
        changes,
        quiet(info.failures),
        quiet(killed.failures),
        mosaic(quiet(grid.frame)[1:]),
        side_by_side(first, last),
        xpframe.Workspace(home / "quirks").check(quiet=True),
        first,
        xpframe.result_files("grid-search", workspace=xpframe.sample_workspace()),
    ]
    return [*(thing._repr_html_() for thing in shown), table_html(quiet(info.table))]


def opened(browser: Any, panels: list[str], theme: str, width: int) -> Any:
    page_colour, ink = THEMES[theme]
    style = f"margin:8px;background:{page_colour};color:{ink};color-scheme:{theme}"
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.set_content(f'<!doctype html><body style="{style}">{"<hr>".join(panels)}')
    page.evaluate("() => document.querySelectorAll('details').forEach(part => part.open = true)")
    return page


@pytest.mark.parametrize("theme", THEMES)
def test_texts_have_contrast(theme: str, browser: Any, panels: list[str]) -> None:
    """Every text of every display has a contrast of 4.5, on colours too."""
    page = opened(browser, panels, theme, 900)
    found = page.evaluate(CONTRASTS)
    page.close()
    assert len(found) > 500
    assert [entry for entry in found if entry[0] < 4.5] == []


@pytest.mark.parametrize("width", [600, 800, 1100])
def test_names_do_not_break(width: int, browser: Any, panels: list[str], tmp_path: Path) -> None:
    """Identifiers, file names with line numbers, runs and clock times stand on one line."""
    page = opened(browser, panels, "light", width)
    seen, broken = page.evaluate(BROKEN, WHOLE)
    home = Path(os.environ.get("XPFRAME_ARTIFACTS") or tmp_path)
    home.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=home / f"displays-{width}.png", full_page=True)
    page.close()
    assert seen > 100
    assert broken == []


@pytest.mark.parametrize("width", [320, 480])
def test_narrow_pages_do_not_grow(width: int, browser: Any, panels: list[str]) -> None:
    """What is wider than the page, as the 64 digits of an id, scrolls in its own display."""
    wide = f'<div class="xpf"><code class="id">{"0123456789abcdef" * 4}</code></div>'
    for content in [*panels, panels[-1] + wide]:
        page = opened(browser, [content], "light", width)
        size = page.evaluate("() => document.documentElement.scrollWidth")
        page.close()
        assert size == width, content[-200:]


def test_tables_take_the_colour_of_the_page(browser: Any, panels: list[str]) -> None:
    """Without a document type, browsers paint tables black unless told otherwise."""
    page = browser.new_page()
    page.set_content(f'<body style="background:#111;color:#eee">{panels[1]}')
    colour = page.evaluate("() => getComputedStyle(document.querySelector('.xpf td')).color")
    page.close()
    assert colour == "rgb(238, 238, 238)"
