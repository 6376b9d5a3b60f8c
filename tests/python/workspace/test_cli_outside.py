"""The commands `pull` and `report`, and `--where`, in a shell and in a notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sshd
import xpframe
from conftest import Workspaces
from xpframe.cli import main

pytestmark = pytest.mark.slow


def test_pull(
    server: sshd.Server, workspaces: Workspaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, copy = workspaces.path("v270_full"), tmp_path / "copy"
    words = [
        "pull",
        f"127.0.0.1:{root}",
        str(copy),
        "grid-*",
        "--results",
        "metrics.json",
        "--ssh",
        server.ssh(),
    ]
    assert main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("would pull ")
    assert not copy.exists()
    assert main(words) == 0
    done = capsys.readouterr().out
    assert done.startswith(said.partition(" (")[0].replace("would pull", "pulled"))
    assert main(["frame", "grid-search", "-w", str(copy), "--where", "learning_rate = 0.001", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) > 0
    assert {row["tags.learning_rate"] for row in rows} == {0.001}
    assert main(["pull", "nowhere", str(copy)]) == 1
    assert "names no workspace on another machine" in capsys.readouterr().err


def test_report(workspaces: Workspaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, page = workspaces.path("v270_full"), tmp_path / "grid.html"
    words = ["report", "grid-search", "-w", str(root), "-o", str(page), "--results", "metrics.json"]
    assert main([*words, "--title", "Our grid"]) == 0
    assert f"wrote {page}, 0." in capsys.readouterr().out
    assert "<h1><bdi>Our grid</bdi></h1>" in page.read_text(encoding="utf-8")
    assert (
        main(["report", "grid-search", "-w", str(root), "--run", "all", "-o", str(tmp_path / "a.pdf")]) == 1
    )
    assert "xpframe: " in capsys.readouterr().err


def test_where(workspaces: Workspaces, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(workspaces.path("v270_full"))
    for command in ("frame", "schema", "failures", "missing"):
        assert main([command, "grid-search", "-w", root, "--where", "learning_rate < 0.05"]) == 0
        assert main([command, "grid-search", "-w", root, "--where", "learning_rate < "]) == 1
        assert "where, character 17: expected a value" in capsys.readouterr().err


def test_the_magic(
    server: sshd.Server, workspaces: Workspaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell()
    shell.run_line_magic("load_ext", "xpframe")
    root = workspaces.path("v270_full")
    monkeypatch.setenv("RSYNC_RSH", server.ssh())
    done = shell.run_line_magic("xpm", f"pull 127.0.0.1:{root} {tmp_path / 'copy'} grid-search")
    assert isinstance(done, xpframe.Pulled)
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(tmp_path / "copy"))
    frame = shell.run_line_magic("xpm", "load grid-search --where 'learning_rate = 0.001' --backend polars")
    assert set(frame["tags.learning_rate"]) == {0.001}
    lazy = shell.run_line_magic("xpm", "load grid-search --where 'learning_rate = 0.001' --lazy")
    assert lazy.collect().height == frame.height
    page = shell.run_line_magic("xpm", f"report grid-search -o {tmp_path / 'grid.html'}")
    assert page.stat().st_size > 700_000
