"""The notebooks run from top to bottom, and are stored without what they gave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
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


def test_there_are_six() -> None:
    """The notebooks that the documentation names are there."""
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]


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
