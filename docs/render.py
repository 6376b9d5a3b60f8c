"""Renders the notebooks, executed, as HTML that fetches nothing.

    python docs/render.py [--out site] [notebooks/*.ipynb]

Each runs in a fresh kernel and an empty directory, without the settings of whoever runs it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = sorted((DOCS.parent / "notebooks").glob("*.ipynb"))
SECONDS = 120  # that a cell may take

INDEX = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"/><title>xpframe: notebooks</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 16px sans-serif; margin: 3em auto; width: 40em }}
</style></head>
<body><h1>xpframe: notebooks</h1><ul>{items}</ul></body>
</html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, default=NOTEBOOKS)
    parser.add_argument("--out", type=Path, default=DOCS.parent / "site")
    asked = parser.parse_args(arguments)
    titles = {render(path, asked.out).name: title_of(path) for path in asked.notebooks}
    items = "".join(f'<li><a href="{name}">{escape(title)}</a></li>' for name, title in titles.items())
    (asked.out / "index.html").write_text(INDEX.format(items=items))
    print(f"{len(titles)} notebooks in {asked.out}")
    return 0


def render(path: Path, out: Path) -> Path:
    """Executes one notebook and writes its page; gives the page."""
    notebook = read(path)
    with tempfile.TemporaryDirectory() as home:
        settings = {
            "HOME": home,
            "IPYTHONDIR": f"{home}/ipython",
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
        }
        environment = {key: value for key, value in os.environ.items() if key != "XPFRAME_WORKSPACE"}
        with mock.patch.dict(os.environ, environment | settings, clear=True):
            run: Any = ExecutePreprocessor(timeout=SECONDS, kernel_name="python3")
            run.preprocess(notebook, {"metadata": {"path": home}})
    for cell in notebook.cells:
        # logs and warnings of libraries, with paths of this machine
        cell.get("outputs", [])[:] = [one for one in cell.get("outputs", []) if one.get("name") != "stderr"]
    exporter: Any = HTMLExporter(template_name="template", extra_template_basedirs=[str(DOCS)])
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title_of(path)}})
    out.mkdir(parents=True, exist_ok=True)
    written = out / f"{path.stem}.html"
    written.write_text(page)
    return written


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has types for some


def title_of(path: Path) -> str:
    """The first heading of a notebook."""
    texts = (str(cell.source) for cell in read(path).cells if cell.cell_type == "markdown")
    lines = (line for text in texts for line in text.splitlines())
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), path.stem)


if __name__ == "__main__":
    sys.exit(main())
