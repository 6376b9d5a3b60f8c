"""Where people work besides JupyterLab: marimo, IPython in a terminal, GitHub, nbconvert, pandoc."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import nh3
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

import xpframe
from conftest import REPOSITORY
from xpframe import analysis

pytestmark = pytest.mark.slow
SECONDS = 120
CELLS = [
    "import xpframe; xpframe.use(xpframe.sample_workspace())",
    'frame = xpframe.xp_frame("grid-search", results="metrics.json"); frame',
    'info = xpframe.Workspace().load_xp_info("grid-search"); info',
    "info.plot.states()",
    "job = next(iter(info.jobs.values())); job",
]


def run(command: list[str], folder: Path, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """A command in a home of its own, with this package."""
    environment = {name: value for name, value in os.environ.items() if name != "XPFRAME_WORKSPACE"}
    environment |= {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "python"), environment.get("PYTHONPATH", "")]),
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **kwargs,
    )


# --- marimo ---


def marimo_app() -> str:
    """The cells as an app; marimo shows the last expression of each."""
    cells = [cell.rpartition("; ") for cell in CELLS]
    names = ["xpframe", "frame", "info", "", "job"]
    app = "import marimo\n\napp = marimo.App()\n"
    for number, (before, _, last) in enumerate(cells):
        wanted = ", ".join(name for name in ("xpframe", "info") if name in CELLS[number] and number)
        given = names[number]
        wanted = wanted if given != "info" else "xpframe"
        body = "".join(f"    {line}\n" for line in (before, last) if line)
        app += f"\n\n@app.cell\ndef _({wanted}):\n{body}    return{f' ({given},)' if given else ''}\n"
    return app


def test_marimo(tmp_path: Path) -> None:
    """A marimo app runs the public calls; its page has the frame, the experiment, the plot and the job."""
    app = tmp_path / "app.py"
    app.write_text(marimo_app(), encoding="utf-8")
    export = [sys.executable, "-m", "marimo", "-q", "export", "html", "app.py", "-o", "app.html"]
    done = run([*export, "--no-include-code"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "app.html").read_text(encoding="utf-8")
    for shown in ("driver done", "result.accuracy", "image/svg", "lab.tasks", 'class=\\"xpf\\"'):
        assert shown in page, shown
    assert "Traceback" not in page


# --- IPython in a terminal ---


def test_ipython(tmp_path: Path) -> None:
    """`%xpm` in a terminal shows text, and a wrong command is one line."""
    lines = [
        "%load_ext xpframe",
        f"%xpm use {xpframe.sample_workspace()}",
        "%xpm load grid-search",
        "%xpm info grid-search",
        "%xpm lod grid-search",
    ]
    shell = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "--simple-prompt"]
    done = run(shell, tmp_path, input="\n".join([*lines, ""]))
    assert done.returncode == 0, done.stderr
    assert "[12 rows x 14 columns]" in done.stdout
    assert "12 jobs: 11 done, 1 error (why: info.failures())" in done.stdout
    assert "no command 'lod' (did you mean load?)" in done.stdout
    assert "Traceback" not in done.stdout
    assert "<div" not in done.stdout


# --- GitHub ---

# what GitHub leaves of HTML, as its html-pipeline publishes it; style sheets and scripts go entirely
TAGS = """
h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture ol ul table thead
tbody tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details
caption figure figcaption abbr bdo cite dfn mark small source span time wbr
"""
ATTRIBUTES = """
abbr align alt aria-describedby aria-hidden aria-label aria-labelledby axis border cite clear cols
colspan color dir headers height hreflang hspace id label lang name open role rows rowspan scope
span start summary tabindex title type valign value width itemprop
"""
ALLOWED = {"*": set(ATTRIBUTES.split()), "a": {"href"}, "img": {"src", "alt", "longdesc", "loading"}}


def on_github(page: str) -> str:
    """The HTML that GitHub would show."""
    return nh3.clean(page, tags=set(TAGS.split()), attributes=ALLOWED, clean_content_tags={"script", "style"})


def words(page: str) -> str:
    """The text of a page without style: elements that lie side by side are not kept apart."""
    page = re.sub(r"</?(?:div|p|table|tr|t[dh]|li|ul|summary|details|pre|br)\b[^>]*>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def grid() -> xpframe.ExperimentInfo:
    return xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")


def two_jobs() -> list[Any]:
    return list(grid().jobs.values())[:2]


# display → texts that must be readable without a style sheet
DISPLAYS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "experiment": (grid, ["grid-search run ", "11 done ✓ 1 error ✗", "config.model.hidden_size 64 "]),
    "workspace": (
        lambda: xpframe.Workspace(xpframe.sample_workspace()),
        ["1 experiment", "11 done, 1 error"],
    ),
    "jobs": (lambda: grid().jobs, ["job task state tags", "error hidden_size=512 learning_rate=0.1"]),
    "job": (lambda: two_jobs()[0], ["lab.tasks.Train eed7695f", "hidden_size 64", "learning_rate 0.1"]),
    "actions": (lambda: grid().actions, ["Export transformer (hidden size 64)"]),
    "failures": (lambda: grid().failures(), ["all with hidden_size=512 learning_rate=0.1", "exit code 1"]),
    "findings": (
        lambda: xpframe.Workspace(xpframe.sample_workspace()).check(),
        ["0 errors, 0 warnings, 1 note", "fault where what to do"],
    ),
    "changes": (lambda: grid().refresh().since(grid()), ["nothing happened"]),
    "table": (
        lambda: xpframe.xp_table("grid-search", workspace=xpframe.sample_workspace()),
        ["12 jobs 14 columns", "state Utf8View 'done', 'done', 'done', 'error'"],
    ),
    "side by side": (lambda: analysis.side_by_side(*two_jobs()), ["config.model.hidden_size 64 128"]),
    "mosaic": (
        lambda: analysis.mosaic(grid().frame(), ["tags.hidden_size", "tags.learning_rate"]),
        ["12 cells: 12 with jobs, 0 missing", "512 ✗ ✓ ✓"],
    ),
}


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_without_their_style_sheet(display: str) -> None:
    """What GitHub leaves of a display is a readable table: no CSS as text, no words run together."""
    make, texts = DISPLAYS[display]
    left = on_github(make()._repr_html_())
    shown = words(left)
    for text in texts:
        assert text in shown, shown
    assert "<style" not in left
    assert "{" not in shown.replace("{step}: {loss:.3g}", "")
    assert "class=" not in left


# --- pages of notebooks ---


def executed(tmp_path: Path) -> Path:
    """A notebook with the outputs of the cells above."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]  # type: ignore[no-untyped-call]
    source = tmp_path / "cells.ipynb"
    nbformat.write(notebook, source)  # type: ignore[no-untyped-call]
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", source.name]
    done = run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    return source


def test_nbconvert(tmp_path: Path) -> None:
    """nbconvert keeps displays and plots in HTML, and in Markdown what its readers can show."""
    source = executed(tmp_path)
    page, _ = HTMLExporter(template_name="basic").from_filename(str(source))
    assert page.count('<div class="xpf">') >= 2
    assert "data:image/svg+xml" in page or "<svg" in page
    assert "driver done" in page
    text, resources = MarkdownExporter().from_filename(str(source))
    assert "driver done" in text
    assert any(name.endswith(".svg") for name in resources["outputs"])


def test_pandoc(tmp_path: Path) -> None:
    """pandoc, with which Quarto reads notebooks, keeps displays as they are."""
    if shutil.which("pandoc") is None:
        pytest.skip("pandoc is not installed")
    source = executed(tmp_path)
    done = run(["pandoc", "--from", "ipynb", "--to", "html", source.name], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('<div class="xpf">') >= 2
    assert "driver done" in done.stdout
    assert done.stdout.count("<img") + done.stdout.count("<svg") + done.stdout.count("<embed") >= 1
