"""JupyterLab in a real Chromium: what a user types, clicks and sees.

Chromium is looked for under the usual names, or at `$XPFRAME_CHROMIUM`. Where it, Playwright or JupyterLab is
missing these tests are skipped, loudly; with `XPFRAME_BROWSER=required` they fail. Screenshots go to
`$XPFRAME_ARTIFACTS`, else to pytest's own temporary directory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import xpframe
from chromium import chromium
from conftest import Workspaces

pytestmark = pytest.mark.slow
REQUIRED = os.environ.get("XPFRAME_BROWSER") == "required"
MINUTE = 60_000  # in ms, as Playwright counts

# the notebook is ready when its kernel is; the toolbar says so too early
READY = """async () => {
    const app = window.jupyterapp;
    const until = async done => { while (!done()) await new Promise(after => setTimeout(after, 100)); };
    await app.restored;
    await until(() => app.shell.currentWidget?.context);
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await until(() => panel.sessionContext.session?.kernel?.status === "idle");
}"""
RUN = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
THEME = "async theme => { await window.jupyterapp.commands.execute('apputils:change-theme', { theme }); }"


def missing() -> str:
    """What these tests need and is not there, in words; empty when all is."""
    absent = [
        name for name in ("playwright", "jupyterlab", "ipykernel") if not importlib.util.find_spec(name)
    ]
    return ", ".join(absent + ([] if chromium() else ["chromium"]))


@pytest.fixture(scope="module", autouse=True)
def needed(request: pytest.FixtureRequest) -> None:
    """Fails, or skips and says so on the terminal whatever pytest captures, where there is no browser."""
    absent = missing()
    if not absent:
        return
    message = f"THE BROWSER TESTS DO NOT RUN: {absent} not found (make browser installs it)"
    if REQUIRED:
        pytest.fail(message)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n*** {message} ***", file=sys.stderr)
    pytest.skip(message)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept."""
    home = Path(os.environ.get("XPFRAME_ARTIFACTS") or tmp_path_factory.mktemp("screenshots"))
    home.mkdir(parents=True, exist_ok=True)
    return home


@dataclass
class Lab:
    """A JupyterLab server of its own, with its address and the directory of its notebooks."""

    address: str
    token: str
    home: Path

    def notebook(self, name: str, cells: list[str], outputs: dict[int, Any] | None = None) -> str:
        """Writes a notebook; gives the address at which it opens."""
        written = [
            {
                "cell_type": "code",
                "id": f"cell{at}",
                "metadata": {},
                "source": source,
                "execution_count": None,
                "outputs": (outputs or {}).get(at, []),
            }
            for at, source in enumerate(cells)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.home / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        return f"{self.address}/lab/tree/{name}.ipynb?token={self.token}&reset"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a free port, with settings of its own: the user's are neither read nor written."""
    home = tmp_path_factory.mktemp("lab")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # news and updates would ask the network
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    (home / "notebooks").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "ServerApp.port_retries": 0,
        "IdentityProvider.token": token,
        "ServerApp.root_dir": home / "notebooks",
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    places = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    environment = os.environ | {name: str(place) for name, place in places.items()}
    with (home / "log").open("wb") as log:
        # a session of its own: kernels end with it
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log")
        yield Lab(f"http://127.0.0.1:{port}", token, home / "notebooks")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until a server answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert server.poll() is None, f"JupyterLab ended:\n{log.read_text()[-3000:]}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-3000:]}")


@dataclass
class Visit:
    """A page of a browser, and what it did that it should not."""

    page: Any
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: int = 0

    def request(self, request: Any) -> None:
        self.asked += 1
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.outside.append(request.url)

    def message(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def outputs(self) -> Any:
        return self.page.locator(".jp-OutputArea-output")


@pytest.fixture
def visit() -> Iterator[Visit]:
    """A fresh browser; no request may leave the machine, and the console must stay free of errors."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # as root, in containers without a GPU
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=options)
        # Lab draws the cells near the viewport only
        page = browser.new_page(viewport={"width": 1280, "height": 3000})
        page.set_default_timeout(2 * MINUTE)
        found = Visit(page)
        page.on("request", found.request)
        page.on("console", found.message)
        page.on("pageerror", lambda error: found.errors.append(str(error)))
        yield found
        browser.close()
    assert found.asked > 20
    assert found.outside == []
    assert found.errors == []


def opened(visit: Visit, address: str, *, kernel: bool = True) -> Any:
    visit.page.goto(address)
    visit.page.wait_for_function("window.jupyterapp")
    if kernel:
        visit.page.evaluate(READY)
    else:
        visit.page.wait_for_selector(".jp-OutputArea-output")
    return visit.page


def test_load_look_and_click(visit: Visit, lab: Lab, artifacts: Path, workspaces: Workspaces) -> None:
    """`%xpm load` gives the frame; runs, configs and pictures show themselves; a click opens a part."""
    cells = [
        "%load_ext xpframe",
        f"%xpm use {workspaces.path('v270_full')}",
        "df = %xpm load grid-search\ndf.iloc[:2, :4]",
        "info = %xpm info grid-search\ninfo",
        "config = next(iter(info.jobs.values()))\nconfig",
        "info.plot.states('tags.learning_rate', 'tags.size')",
    ]
    page = opened(visit, lab.notebook("look", cells))
    page.evaluate(RUN)
    page.wait_for_selector(".jp-RenderedSVG img")
    assert page.locator(".jp-RenderedText[data-mime-type$=stderr]").count() == 0
    assert page.locator(".jp-OutputArea-output table.dataframe").inner_text().count("labpkg.tasks.train") == 2
    run = page.locator(".xpf").nth(0)
    assert "driver done" in run.inner_text()
    assert "9 done" in run.inner_text()
    assert run.locator(".bar .s-done").first.bounding_box()["width"] > 100

    tree = page.locator(".xpf").nth(1)
    name = tree.locator("bdi.v", has_text="'transformer'").first
    assert not name.is_visible()
    tree.locator("details details > summary").first.click()
    assert name.is_visible()
    # the models hold the first one again
    tree.locator("details > ul > li > details > summary", has_text="models").click()
    assert "shown above at config.model" in tree.inner_text()

    picture = page.locator(".jp-RenderedSVG img")
    assert picture.evaluate("image => image.naturalWidth") > 100
    page.screenshot(path=artifacts / "lab-light.png")
    page.evaluate(THEME, "JupyterLab Dark")
    page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / "lab-dark.png")
    colour = run.evaluate("element => getComputedStyle(element).color")
    assert all(int(part) > 180 for part in re.findall(r"\d+", colour)[:3]), colour


def test_tab_completes_the_name_of_an_experiment(
    visit: Visit, lab: Lab, artifacts: Path, workspaces: Workspaces
) -> None:
    """Tab after `%xpm load gr` completes `grid-search`, and the cell runs."""
    cells = ["%load_ext xpframe", f"%xpm use {workspaces.path('v270_full')}", ""]
    page = opened(visit, lab.notebook("complete", cells))
    page.evaluate(RUN)
    page.wait_for_function("document.querySelectorAll('.jp-InputPrompt')[1].innerText.includes('2')")
    page.locator(".jp-Notebook .cm-content").nth(2).click()
    page.keyboard.type("%xpm load a", delay=20)
    page.keyboard.press("Tab")
    page.wait_for_selector(".jp-Completer .jp-Completer-item")
    offered = page.locator(".jp-Completer .jp-Completer-item").all_inner_texts()
    page.screenshot(
        path=artifacts / "lab-completion.png", clip={"x": 0, "y": 0, "width": 1280, "height": 500}
    )
    # the initial of the kind stands before each
    assert [text.split() for text in offered] == [
        ["e", "ablation", "experiment"],
        ["e", "analysis", "experiment"],
    ]
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("table.dataframe")
    assert "%xpm load ablation" in page.locator(".jp-Notebook .cm-content").nth(2).inner_text()
    assert "26 rows" in page.locator(".jp-OutputArea-output").last.inner_text()


def test_tab_writes_quotes_where_they_are_needed(visit: Visit, lab: Lab, tmp_path: Path) -> None:
    """Lab takes a completion with quotes for what was typed without them, or with the first one only."""
    shutil.copytree(xpframe.sample_workspace(), tmp_path / "sample", symlinks=True)
    experiments = tmp_path / "sample" / "experiments"
    (experiments / "grid-search").rename(experiments / "my grid")
    cells = ["%load_ext xpframe", f"%xpm use '{tmp_path / 'sample'}'", "", ""]
    page = opened(visit, lab.notebook("quotes", cells))
    page.evaluate(RUN)
    page.wait_for_function("document.querySelectorAll('.jp-InputPrompt')[1].innerText.includes('2')")
    for at, typed in ((2, "my"), (3, "'my")):
        cell = page.locator(".jp-Notebook .cm-content").nth(at)
        cell.click()
        page.keyboard.type(f"%xpm load {typed}", delay=20)
        page.keyboard.press("Tab")
        page.wait_for_selector(".jp-Completer .jp-Completer-item")
        page.keyboard.press("Enter")
        assert cell.inner_text() == "%xpm load 'my grid'"
        page.keyboard.press("Shift+Enter")
        page.wait_for_function("n => document.querySelectorAll('table.dataframe').length === n", arg=at - 1)


def test_saved_outputs_are_readable_without_trust(
    visit: Visit, lab: Lab, artifacts: Path, workspaces: Workspaces
) -> None:
    """A notebook of somebody else, of which Lab removes the style sheets, tells everything in words."""
    info = xpframe.load_xp_info(workspaces.path("v270_full") / "experiments" / "grid-search" / "current")
    shown = [info, next(iter(info.jobs.values())), xpframe.Workspace(workspaces.path("v270_full"))]
    outputs = {
        at: [
            {
                "output_type": "execute_result",
                "execution_count": 1,
                "metadata": {},
                "data": {"text/html": thing._repr_html_(), "text/plain": repr(thing)},
            }
        ]
        for at, thing in enumerate(shown)
    }
    page = opened(visit, lab.notebook("saved", ["info", "config", "workspace"], outputs), kernel=False)
    page.wait_for_function("document.querySelectorAll('.jp-OutputArea-output').length === 3")
    text = page.locator(".jp-OutputArea-output").all_inner_texts()
    page.screenshot(path=artifacts / "lab-untrusted.png")
    assert len(text) == 3
    for words in ("driver done", "9 done", "tags.learning_rate", "1e-05"):
        assert words in text[0]
    assert "learning_rate" in text[1]
    assert "21 done, 5 error" in text[2]
    assert page.locator("details summary").count() > 3


def test_hostile_values_do_nothing(visit: Visit, lab: Lab, artifacts: Path, tmp_path: Path) -> None:
    """A script in a tag or a value of a config is text in the page."""
    shutil.copytree(xpframe.sample_workspace(), tmp_path / "sample", symlinks=True)
    (path,) = (tmp_path / "sample").glob("experiments/*/2*/jobs.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    attack = "</style><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    for record in records:
        record["tags"][attack] = attack
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    cells = [
        f"import xpframe\ninfo = xpframe.load_xp_info({str(path.parent)!r})\ninfo",
        "info.jobs",
        "info.plot.states()",
    ]
    page = opened(visit, lab.notebook("hostile", cells))
    page.evaluate(RUN)
    page.wait_for_selector(".jp-RenderedSVG img")
    page.screenshot(path=artifacts / "lab-hostile.png")
    assert "owned" not in page.title()
    assert page.locator(".xpf script, .xpf img").count() == 0
    assert "</style><script>document.title=" in page.locator(".xpf").nth(1).inner_text()
