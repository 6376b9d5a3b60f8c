"""Completion of the command line, in the shells themselves."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import xpframe
from xpframe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workspaces

pytestmark = pytest.mark.slow

# each prints the completions of a line, one per line of the output
SCRIPTS = {
    "bash": """
source <(xpframe completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
compopt() { :; }
_xpframe
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
autoload -U compinit && compinit -D
source <(xpframe completion zsh)
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }
words=("${(@z)1}")
[[ $1 == *' ' ]] && words+=('')
CURRENT=${#words}
_xpframe
""",
    "fish": """
xpframe completion fish | source
complete -C $argv[1]
""",
}
COMMAND = {
    "bash": ["bash", "--norc", "-c", SCRIPTS["bash"], "bash"],
    "zsh": ["zsh", "-f", "-c", SCRIPTS["zsh"], "zsh"],
    "fish": ["fish", "--no-config", "-c", SCRIPTS["fish"]],
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with the command `xpframe`, and nothing of the user's."""
    command = tmp_path / "bin" / "xpframe"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m xpframe "$@"\n')
    command.chmod(0o755)
    changed = {"PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    return {**os.environ, **changed}


def completions(shell: str, line: str, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [*COMMAND[shell], line], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


@pytest.fixture(params=sorted(SCRIPTS))
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return name


def test_shells_complete_each_word(shell: str, environment: dict[str, str], workspaces: Workspaces) -> None:
    """Commands, options, experiments, runs, tasks, columns and shells are completed, in each shell."""
    root = workspaces.path("v270_full")
    ws = f"-w {root}"
    runs = xpframe.Workspace(root).runs("grid-search")
    expected = {
        "xpframe fra": ["frame"],
        "xpframe frame --max": ["--max-columns"],
        f"xpframe frame {ws} gri": ["grid-search"],
        f"xpframe {ws} frame gri": ["grid-search"],
        f"xpframe frame grid-search {ws} --run 2": runs,
        f"xpframe frame grid-search {ws} --names i": ["identifier"],
        f"xpframe frame grid-search {ws} -c sta": ["state", "started_at"],
        f"xpframe frame grid-search {ws} -c state,tags.hi": ["state,tags.hidden_size"],
        "xpframe completion b": ["bash"],
        f"xpframe ls -w {root}/exper": [f"{root}/experiments/"],
        "xpframe frame nothing -c x": [],
    }
    got = {line: completions(shell, line, environment) for line in expected}
    assert {line: sorted(words) for line, words in got.items()} == {
        line: sorted(words) for line, words in expected.items()
    }
    assert {"frame", "ls", "check"} <= set(completions(shell, "xpframe ", environment))


def test_bash_quotes_names_and_minds_its_own_breaks(
    environment: dict[str, str], workspaces: Workspaces, tmp_path: Path
) -> None:
    """bash splits words at `@`, `=` and `:`: what it gets is the rest; spaces and quotes are escaped."""
    root = workspaces.path("v270_full")
    line = f"xpframe frame grid-search -w {root} -c config.model@"
    assert completions("bash", line, environment) == []
    experiments = tmp_path / "ws" / "experiments"
    for name in ("my run", "it's", "a:b"):
        (experiments / name).mkdir(parents=True)
    ws = f"-w {tmp_path / 'ws'}"
    assert completions("bash", f"xpframe runs {ws} my", environment) == ["my\\ run"]
    assert completions("bash", f"xpframe runs {ws} 'my r", environment) == ["my run"]
    assert completions("bash", f"xpframe runs {ws} it", environment) == ["it\\'s"]
    assert completions("bash", f"xpframe runs {ws} a:", environment) == ["b"]


def test_files_are_completed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-o` completes files and directories, `-w` directories only."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "old.csv").touch()
    assert main(["__complete", "fish", "frame", "x", "-o", "o"]) == 0
    assert capsys.readouterr().out == "old.csv\nout/\n"
    assert main(["__complete", "fish", "frame", "-w", "o"]) == 0
    assert capsys.readouterr().out == "out/\n"


def test_identifiers_of_jobs_are_completed(capsys: pytest.CaptureFixture[str]) -> None:
    """`path` and `diff` complete the ids of jobs; none is offered before the first digit."""
    root = xpframe.sample_workspace()
    jobs = list(xpframe.Workspace(root).load_xp_info("grid-search").jobs)
    first, second = (next(job for job in jobs if job.startswith(start)) for start in ("ee", "5f"))
    for words, expected in (
        (["path", "-w", str(root), "ee"], first),
        (["diff", "-w", str(root), first, "5f"], second),
    ):
        assert main(["__complete", "fish", *words]) == 0
        assert capsys.readouterr().out == f"{expected}\n"
    assert main(["__complete", "fish", "path", "-w", str(root), ""]) == 0
    assert capsys.readouterr().out == ""


def test_a_missing_workspace_completes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An error while completing prints nothing: the line of the user stays as it is."""
    assert main(["__complete", "zsh", "frame", "-w", str(tmp_path / "nothing"), ""]) == 0
    assert main(["__complete", "bash", "xpframe frame 'unfinished"]) == 0
    assert capsys.readouterr() == ("", "")
