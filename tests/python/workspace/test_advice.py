"""What errors advise in a shell: options, never Python's arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import xpframe
from situations import SITUATIONS, prepared
from xpframe.cli import main
from xpframe.cli.advice import for_shell

ROOT = Path(__file__).resolve().parents[3]
PYTHON = re.compile(r"\b[a-z_]+=(?![A-Z])|\(…\)|\[…\]|\.errors|\bxpframe\.|xp_\w+|max_columns")


def test_advice_names_options() -> None:
    """No error that a command can raise names an argument or a call of Python, unless it says so."""
    texts = [f"{each.reason} ({each.hint})" for each in SITUATIONS]
    told = [for_shell(text) for text in texts]
    of_objects = re.compile("backend=|keep_bytes=|in Python|see \\.errors")
    wrong = [text for text in told if PYTHON.search(text) and not of_objects.search(text)]
    assert wrong == []
    assert sum(before != after for before, after in zip(texts, told, strict=True)) > 5


# files whose hints are for users of Python only: no command raises them
OF_PYTHON = {
    "src/python/user_format.rs",
    "src/lineage/producers.rs",
    "src/python/config.rs",
    "src/results/file_schema.rs",
    "python/xpframe/locate.py",
    "python/xpframe/experiment.py",
    "python/xpframe/changes.py",
    "python/xpframe/plots/states.py",
    "python/xpframe/plots/series.py",
    "python/xpframe/analysis/replicates.py",
}
HINT = re.compile(r'(?:\.hint\(\s*(?:format!\(\s*)?|\bhint\s*=\s*(?:\(\s*)?f?)"((?:[^"\\]|\\.)*)"')


def test_each_hint_of_the_sources_can_be_followed_in_a_shell() -> None:
    """No hint in the sources names arguments of Python in a shell, unless it says that it does."""
    seen, wrong = 0, []
    for path in [*ROOT.glob("src/**/*.rs"), *ROOT.glob("python/**/*.py")]:
        name = path.relative_to(ROOT).as_posix()
        for match in HINT.finditer(path.read_text(encoding="utf-8")):
            seen += 1
            told = for_shell(match[1].replace('\\"', '"'))
            if PYTHON.search(told) and "in Python" not in told and name not in OF_PYTHON:
                wrong.append(f"{name}: {told}")
    assert wrong == []
    assert seen > 80


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["ls"], "give --workspace PATH"),
        (["ls"], "looked for $XPFRAME_WORKSPACE, "),
        (["frame", "grid-search", "-w", "{ws}", "-c", "zzzzzzzzz"], "xpframe schema lists them"),
        (["frame", "grid-search", "-w", "{ws}", "--max-columns", "3"], "more than --max-columns 3"),
        (
            ["frame", "grid-search", "-w", "{ws}", "--max-columns", "3"],
            "with -c COLUMNS, or raise --max-columns",
        ),
        (["frame", "grid-search", "-w", "{ws}", "--task", "trian"], "did you mean"),
        (["frame", "{ws}/experiments/grid-search/20260101_000000", "--run", "2"], "or leave out --run"),
        (["ls", "-w", "s3://bucket/ws"], "'s3://bucket/ws' is not on this machine"),
        (["ls", "-w", "me@cluster:/scratch/ws"], "xpframe pull me@cluster:/scratch/ws DIRECTORY"),
        (["frame", "cluster:ws/experiments/x/y"], "xpframe pull cluster:ws/experiments/x/y DIRECTORY"),
    ],
)
def test_errors_of_commands(
    words: list[str],
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each error is one line that a user of the shell can follow."""
    ws = prepared(tmp_path, monkeypatch)
    assert main([word.replace("{ws}", str(ws)) for word in words]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert advice in told.err


def test_each_error_of_reading_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell has no `.errors`: what could not be read is listed."""
    ws = prepared(tmp_path, monkeypatch)
    assert main(["frame", "broken", "-w", str(ws)]) == 0
    lines = capsys.readouterr().err.splitlines()
    with pytest.warns(xpframe.XpFrameWarning):
        errors = xpframe.xp_table("broken", workspace=ws).errors
    assert lines == [f"xpframe: could not be read: {error}" for error in errors]
    assert len(lines) > 1
