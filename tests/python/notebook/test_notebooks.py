"""The notebooks run from top to bottom, and are stored without what they gave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient

from conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
# a busy machine may take four times what a free one takes
pytestmark = pytest.mark.slow
SECONDS = 20 * 4


@pytest.fixture(scope="module", autouse=True)
def event_loop_closed() -> Iterator[None]:
    """Closes the event loop that Jupyter's clients share: collected later, it would fail another test."""
    loop = ensure_event_loop()
    yield
    loop.close()
    asyncio.set_event_loop(None)


def test_there_are_five() -> None:
    """The notebooks that the documentation names are there."""
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path: Path) -> None:
    """A stored notebook holds text and code: no outputs, no counts, no attachments, valid format."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 5
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert {cell.execution_count for cell in cells} == {None}
    assert sum(cell.cell_type == "markdown" for cell in notebook.cells) >= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs in a fresh kernel, and the last of those that show something shows it."""
    # no settings of the user's, and nothing left beside the notebooks
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("XPFRAME_WORKSPACE", raising=False)
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    # nbclient raises what a cell raised, so that an error is a failure here
    NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum(output.output_type == "execute_result" for output in outputs) >= 5


class Fetched(HTMLParser):
    """What a page would fetch, and what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        # a link to click is no request
        if tag != "a":
            named = ("src", "href", "data", "srcset", "xlink:href", "poster", "action")
            self.addresses += [value for name, value in attrs if name in named and value]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "style" and "@import" in data:
            self.addresses.append(data)


def test_a_rendered_notebook_fetches_nothing(tmp_path: Path) -> None:
    """`make docs` writes a notebook with its outputs as a page without scripts, and without a request."""
    assert "\tdocs/render.py $(ARGS)\n" in (REPOSITORY / "Makefile").read_text().replace("$(PYTHON) ", "")
    render = [sys.executable, str(REPOSITORY / "docs" / "render.py"), "--out", str(tmp_path / "site")]
    done = subprocess.run([*render, str(NOTEBOOKS[1])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["02_frames.html", "index.html"]
    page = (tmp_path / "site" / "02_frames.html").read_text()
    assert '<a href="02_frames.html">' in (tmp_path / "site" / "index.html").read_text()
    found = Fetched()
    found.feed(page)
    assert [address for address in found.addresses if not address.startswith("data:")] == []
    assert "url(http" not in page
    assert found.tags.count("script") == 0
    assert found.tags.count("table") >= 3
    assert "hidden_size" in page
    assert len(page) < 2_000_000


def test_a_page_holds_no_logs(tmp_path: Path) -> None:
    """What libraries write to stderr, with paths of the machine, is not in the page."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    code = "import sys\nprint('shown')\nprint('lo' + 'gged', file=sys.stderr)"
    notebook.cells = [nbformat.v4.new_code_cell(code)]  # type: ignore[no-untyped-call]
    nbformat.write(notebook, tmp_path / "logs.ipynb")  # type: ignore[no-untyped-call]
    render = [sys.executable, str(REPOSITORY / "docs" / "render.py"), "--out", str(tmp_path / "site")]
    subprocess.run([*render, str(tmp_path / "logs.ipynb")], capture_output=True, check=True)
    page = (tmp_path / "site" / "logs.html").read_text()
    assert "<pre>shown" in page
    assert "logged" not in page
