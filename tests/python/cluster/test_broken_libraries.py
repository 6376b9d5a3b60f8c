"""Libraries that are installed and broken: the error gives the cause, not "not installed"."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CALLS = {
    "pandas": "xpframe.xp_frame('grid-search', workspace=root)",
    "polars": "xpframe.xp_frame('grid-search', workspace=root, backend='polars')",
    "pyarrow": "xpframe.xp_frame('grid-search', workspace=root, backend='pyarrow')",
    "polars lazily": "xpframe.scan_xp('grid-search', workspace=root)",
    "polars for files": "xpframe.xp_table('grid-search', workspace=root).write(sys.argv[1] + '/out.parquet')",
    "resvg_py": "xpframe.Workspace(root).load_xp_info('grid-search').plot.states().png()",
    "itables": "xpframe.Workspace(root).load_xp_info('grid-search').report(sys.argv[1] + '/r.html')",
    "dask": "xpframe.parts('grid-search', workspace=root).dask()",
    "pyarrow for parts": "list(xpframe.parts('grid-search', workspace=root))[0].arrow()",
    "narwhals": "xpframe.analysis.factors(xpframe.xp_table('grid-search', workspace=root))",
}
# what needs it, for the text
NEEDS = {
    "pandas": "backend='pandas' needs",
    "polars": "backend='polars' needs",
    "pyarrow": "backend='pyarrow' needs",
    "polars lazily": "lazy queries need",
    "polars for files": "Parquet, Arrow and CSV need",
    "resvg_py": "a PNG needs",
    "itables": "a report needs",
    "dask": ".dask() needs",
    "pyarrow for parts": "parts need",
    "narwhals": "this function needs",
}


def said(call: str, home: Path) -> str:
    """What a call says where a directory comes first on the path of modules."""
    script = f"""
        import sys
        import xpframe, xpframe.analysis
        root = xpframe.sample_workspace()
        sys.path.insert(0, sys.argv[1])
        try:
            {CALLS[call]}
        except xpframe.errors.MissingLibraryError as error:
            assert error.__cause__ is not None
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.strip()


BROKEN = {
    "an ImportError inside": (
        "from os import gone",
        "ImportError: cannot import name 'gone' from 'os' (" + os.__file__ + ")",
    ),
    "a module that it needs": (
        "import dependency_that_is_gone",
        "ModuleNotFoundError: No module named 'dependency_that_is_gone'",
    ),
    "a part of its own": ("import {name}._native", "ModuleNotFoundError: No module named '{name}._native'"),
    "a wrong binary": (
        "raise ValueError('numpy.dtype\\n size changed')",
        "ValueError: numpy.dtype size changed",
    ),
    "a SyntaxError": ("raise SyntaxError('invalid syntax')", "SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("call", CALLS)
def test_a_broken_library_is_told_with_its_cause(call: str, how: str, tmp_path: Path) -> None:
    """A library whose import fails inside is installed and broken: the error says why."""
    name = call.partition(" ")[0]
    code, cause = (text.format(name=name) for text in BROKEN[how])
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(code + "\n")
    text = said(call, tmp_path)
    assert text == (
        f"{NEEDS[call]} {name}, which is installed and cannot be imported: {cause}"
        f" (repair it, as with: pip install --force-reinstall {name})"
    )


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_library_is_not_installed(call: str, tmp_path: Path) -> None:
    """A library that is not there is told so, with what to install."""
    name = call.partition(" ")[0]
    (tmp_path / "sitecustomize.py").touch()
    (tmp_path / "hide.py").write_text(f"import sys\nsys.modules[{name!r}] = None\n")
    script = CALLS[call]
    CALLS["hidden"] = f"import hide; {script}"
    try:
        text = said("hidden", tmp_path)
    finally:
        del CALLS["hidden"]
    assert "not installed" in text
    assert name in text
    assert "pip install 'xpframe[" in text


def test_a_directory_of_the_name(tmp_path: Path) -> None:
    """A directory that happens to be called like a library hides it: that is no missing library either."""
    for name in ("polars", "pyarrow"):
        (tmp_path / name).mkdir()
        script = (
            "sys.path[:] = [sys.argv[1], *(p for p in sys.path if 'site-packages' not in p)]; " + CALLS[name]
        )
        CALLS["shadowed"] = script
        try:
            text = said("shadowed", tmp_path)
        finally:
            del CALLS["shadowed"]
        assert text.startswith(f"backend='{name}' needs {name}, which is installed and cannot be imported: ")
