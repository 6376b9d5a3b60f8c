"""The command line, as a shell calls it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import xpframe
from text_runs import hostile_run
from xpframe.cli import main

if TYPE_CHECKING:
    from conftest import Workspaces

README = Path(__file__).resolve().parents[3] / "README.md"


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample, as the workspace that is meant."""
    root = xpframe.sample_workspace()
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(root))
    return root


@pytest.mark.usefixtures("sample")
def test_ls_lists_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    """`ls` names the experiments and how many runs they have."""
    assert main(["ls"]) == 0
    assert capsys.readouterr().out == "experiment\truns\ngrid-search\t1\n"
    assert main(["ls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"experiment": "grid-search", "runs": 1}]


def test_runs_are_listed_newest_first(workspaces: Workspaces, capsys: pytest.CaptureFixture[str]) -> None:
    """`runs` tells status, start and states of each run."""
    assert main(["runs", "quick", "--workspace", str(workspaces.path("v270_full")), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in runs] == [
        "20261123_071825.2",
        "20261123_071825.1",
        "20261123_071825",
        "20261123_071824",
    ]
    assert runs[0]["status"] == "done"
    assert runs[0]["states"] == {"done": 1}


@pytest.mark.usefixtures("sample")
def test_a_terminal_gets_what_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`frame` prints as many columns as the terminal has room for, and says what it leaves out."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["frame", "grid-search", "--columns", "state", "tags.*", "submitted_at", "path"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["state", "tags.hidden_size", "tags.learning_rate"]
    assert lines[1].split() == ["done", "64", "0.1"]
    assert lines[-2:] == ["(2 more columns)", "12 jobs, 5 columns"]
    assert main(["frame", "grid-search", "-c", "job_id,state", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [len(line.split()[0]) for line in lines[1:3]] == [8, 8]
    assert lines[-1] == "12 jobs, 2 columns, the first 2 shown"
    assert main(["ls"]) == 0
    assert capsys.readouterr().out == "experiment   runs\ngrid-search  1\n"


def test_a_pipe_gets_everything(workspaces: Workspaces, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a pipe `frame` prints all rows and columns with tabs between them, and whole identifiers."""
    root = str(workspaces.path("v270_full"))
    table = xpframe.xp_table("grid-search", workspace=root)
    for words in ([], ["-o", "-"], ["--tsv"]):
        assert main(["frame", "grid-search", "-w", root, *words]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split("\t") == table.column_names
        assert len(lines) == len(table) + 1
        assert [line.split("\t")[0] for line in lines[1:]] == table.column_values("job_id")
        assert {line.count("\t") for line in lines} == {len(table.column_names) - 1}


@pytest.mark.parametrize("columns", [[], ["-c", "*"]])
def test_csv_is_that_of_files(
    columns: list[str], workspaces: Workspaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--csv` prints the values that `-o x.csv` writes."""
    for name in ("grid-search", "ablation"):
        words = ["frame", name, "-w", str(workspaces.path("v270_full")), *columns]
        assert main([*words, "--csv"]) == 0
        printed = capsys.readouterr().out
        assert main([*words, "-o", str(tmp_path / "x.csv")]) == 0
        capsys.readouterr()
        ours = pl.read_csv(printed.encode(), infer_schema_length=None)
        times = {name: pl.String for name, kind in ours.schema.items() if name.endswith("_at")}
        theirs = pl.read_csv(tmp_path / "x.csv", schema_overrides=times, infer_schema_length=None)
        assert ours.drop(list(times)).equals(theirs.drop(list(times)))
        assert ours.select(list(times)).null_count().equals(theirs.select(list(times)).null_count())


def test_a_limit_holds_in_each_format(
    workspaces: Workspaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--limit` is the most rows that are printed or written."""
    words = ["frame", "grid-search", "-w", str(workspaces.path("v270_full")), "--limit", "2"]
    for form, lines in (("--json", 2), ("--csv", 3), ("--tsv", 3)):
        assert main([*words, form]) == 0
        assert len(capsys.readouterr().out.splitlines()) == lines
    assert main([*words, "-o", str(tmp_path / "x.jsonl")]) == 0
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 2
    assert main(["frame", "grid-search", "-w", words[3], "--limit", "0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_options_stand_before_and_after_the_command(
    workspaces: Workspaces, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options may stand anywhere, and columns be separated by commas or spaces."""
    root = str(workspaces.path("v270_full"))
    outputs = []
    for words in (
        ["frame", "grid-search", "-w", root, "-c", "job_id,state"],
        ["-w", root, "frame", "grid-search", "-c", "job_id", "state"],
        ["--workspace", root, "-c", "job_id", "frame", "-c", "state", "grid-search"],
        [f"--workspace={root}", "--columns=job_id", "frame", "grid-search", "-cstate"],
        ["frame", "-c", "job_id", "grid-search", "state", "-w", root],
        ["--run", "latest", "-w", root, "--colu", "job_id, state", "frame", "grid-search"],
    ):
        assert main(words) == 0
        outputs.append(capsys.readouterr().out)
    assert set(outputs) == {outputs[0]}
    assert outputs[0].startswith("job_id\tstate\n")
    for words in (
        ["ls", root],
        ["ls", "-w", root],
        ["-w", root, "ls"],
        ["check", "-w", root, "--limit", "1"],
    ):
        assert main(words) in (0, 1)
        assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "usage", "error"),
    [
        (["frame", "grid-search", "--bogus"], "xpframe frame", "unrecognized arguments: --bogus"),
        (
            ["frame", "grid-search", "--results", "metrics.json", "results.csv"],
            "xpframe frame",
            "unrecognized arguments: results.csv (several handles are --results NAME=HANDLE each)",
        ),
        (["frame"], "xpframe frame", "the following arguments are required: NAME"),
        (["check", "--limit", "many"], "xpframe check", "argument --limit: 'many' is not a number of rows"),
        (["fram", "grid-search"], "xpframe", "no command 'fram' (did you mean frame?)"),
        (["runs", "a", "b"], "xpframe runs", "unrecognized arguments: b"),
        ([], "xpframe", "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_use_shows_the_usage_of_the_command(
    words: list[str], usage: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with the arguments is told with the usage of the command, and ends with 2."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert told.err.startswith(f"usage: {usage} [-h]")
    assert told.err.endswith(f"xpframe: {error}\n")


@pytest.mark.usefixtures("sample")
def test_a_file_has_its_own_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A format besides `-o FILE` is an error, since the ending is the format."""
    assert main(["frame", "grid-search", "--csv", "-o", str(tmp_path / "x.parquet")]) == 1
    assert "--csv and --output" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("sample")
def test_the_directory_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    """`path` takes the beginning of an id, as displays show it."""
    table = xpframe.xp_table("grid-search", columns=["job_id", "path"])
    job_id, path = (table.column_values(name)[3] for name in ("job_id", "path"))
    assert main(["path", job_id[:8]]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["path", "zzzz"]) == 1
    assert "no job 'zzzz'" in capsys.readouterr().err


def test_reports_are_whole_in_a_pipe(
    workspaces: Workspaces, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`failures` and `check` print text; into a pipe all of it; `--tsv` prints rows."""
    root = str(workspaces.path("v270_full"))
    with pytest.warns(xpframe.XpFrameWarning, match="several types"):
        ids = xpframe.failures("ablation", workspace=root, backend="polars")["job_id"].to_list()
    findings = xpframe.Workspace(root).check()
    assert main(["failures", "ablation", "-w", root]) == 0
    text = capsys.readouterr().out
    assert text.startswith("ablation: ")
    assert all(job_id in text for job_id in ids)
    assert main(["check", root]) in (0, 1)
    text = capsys.readouterr().out
    assert sum(line.lstrip()[:1] in "✗!·" for line in text.splitlines() if line.strip()) == len(findings)
    assert main(["failures", "ablation", "-w", root, "--tsv"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["job_id", *ids]
    assert main(["check", root, "--tsv"]) in (0, 1)
    assert len(capsys.readouterr().out.splitlines()) == len(findings) + 1
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["failures", "ablation", "-w", root]) == 0
    lists = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("    jobs ")]
    assert lists
    assert all(len(word.rstrip(",")) == 8 for words in lists for word in words[1:])


@pytest.mark.usefixtures("sample")
def test_columns_may_be_asked_for_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    """`-c` given again adds columns; one is no plural."""
    assert main(["frame", "grid-search", "-c", "state", "-c", "failure", "job_id", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out.splitlines()[0])) == ["state", "failure", "job_id"]
    assert main(["frame", "grid-search", "-c", "state"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 13


@pytest.mark.usefixtures("sample")
def test_frame_as_json_has_a_line_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    """`frame --json` prints an object a job, with short names if asked."""
    assert main(["frame", "grid-search", "--json", "--short", "--columns", "state", "tags.hidden_size"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 12
    assert rows[3] == {"state": "error", "hidden_size": 512}


@pytest.mark.usefixtures("sample")
def test_frame_writes_a_file(tmp_path: Path) -> None:
    """`frame -o` writes what `xp_table(…).write` writes."""
    assert main(["frame", "grid-search", "-o", str(tmp_path / "grid.parquet")]) == 0
    assert pl.read_parquet(tmp_path / "grid.parquet").equals(xpframe.xp_table("grid-search").to_polars())


def test_the_commands_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each `xpframe` line of README's shell block works in the sample, and writes outside of it."""
    monkeypatch.chdir(xpframe.sample_workspace(tmp_path / "sample"))
    _, _, section = README.read_text("utf-8").partition("## In a shell\n\n```sh\n")
    lines = [line for line in section.partition("```")[0].splitlines() if line.startswith("xpframe ")]
    for line in lines:
        assert main(shlex.split(line.partition("|")[0], comments=True)[1:]) == 0, line
    assert len(lines) == 5
    assert capsys.readouterr().err == ""
    assert len(pl.read_parquet(tmp_path / "grid.parquet")) == 12
    assert main(["frame", "grid-search", "-o", "grid.parquet"]) == 1
    assert "inside the workspace" in (told := capsys.readouterr().err)
    assert told.endswith("(name a file outside of it: nothing is ever written into a workspace)\n")


@pytest.mark.parametrize("command", ["frame", "failures", "schema", "runs", "ls", "results", "check", "diff"])
def test_help_says_what_json_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands that print a JSON object a line say so; the others print one document."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    has_lines = "print JSON lines" in capsys.readouterr().out
    assert has_lines == (command in ("frame", "failures"))


@pytest.mark.usefixtures("sample")
def test_schema_lists_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """`schema` tells name, type and origin of each column."""
    assert main(["schema", "grid-search", "--json"]) == 0
    columns = {entry["column"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert len(columns) == 14
    assert columns["config.learning_rate"] == {
        "column": "config.learning_rate",
        "type": "Float64",
        "group": "parameter",
        "path": ["config", "learning_rate"],
        "python": "float",
    }
    assert {tuple(entry) for entry in columns.values()} == {("column", "type", "group", "python", "path")}
    assert columns["state"]["path"] is None


@pytest.mark.usefixtures("sample")
def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What goes wrong is one line on stderr and exit code 1; wrong use is 2."""
    assert main(["frame", "gird-search"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("xpframe: ")
    assert "grid-search" in told.err
    assert told.err.count("\n") == 1
    assert main(["frame", "grid\udcff"]) == 1
    surrogate = "NAME 'grid\\udcff' has an unpaired surrogate (no name is written like this)"
    assert capsys.readouterr().err == f"xpframe: {surrogate}\n"
    assert main(["runs", "grid\udcff"]) == 1
    assert (
        capsys.readouterr().err
        == "xpframe: 'grid\\udcff' has an unpaired surrogate (no name is written like this)\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["fram"])
    assert ended.value.code == 2


@pytest.mark.usefixtures("sample")
def test_files_that_cannot_be_written_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system refuses is one line on stderr too, and Ctrl-C is no traceback."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("xpframe.export._write_lines", refuse)
    assert main(["frame", "grid-search", "-o", str(tmp_path / "x.jsonl")]) == 1
    assert capsys.readouterr().err == f"xpframe: {tmp_path / 'x.jsonl'}: No space left on device\n"
    monkeypatch.setattr("xpframe.export._write_lines", interrupt)
    assert main(["frame", "grid-search", "-o", str(tmp_path / "x.jsonl")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_terminals_without_a_character_show_its_escape(sample: Path) -> None:
    """An ASCII terminal gets escapes, not a UnicodeEncodeError."""
    command = [sys.executable, "-m", "xpframe", "frame", "grid-search"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "200"}
    # the title of the failures of a run has a character that ASCII lacks
    done = subprocess.run(
        [*command[:3], "failures", "grid-search"], capture_output=True, env=ascii_only, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2717" in done.stdout
    assert done.stdout.isascii()


def test_a_closed_output_is_no_fault(sample: Path) -> None:
    """Where standard output was closed before Python began, nothing is told, and there is no traceback."""
    shell = f"exec {shlex.quote(sys.executable)} -m xpframe ls >&-"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, check=False)
    assert sample.is_dir()
    assert (done.returncode, done.stderr) == (0, b"")


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are printed as escapes."""
    assert main(["frame", str(hostile_run(tmp_path)), "--columns", "config.text"]) == 0
    out = capsys.readouterr().out
    assert "a\\x00b" in out
    assert "\\u202ertl" in out
    assert not [character for character in out if not character.isprintable() and character != "\n"]


def test_the_command_is_installed(workspaces: Workspaces) -> None:
    """`xpframe` and `python -m xpframe` are the same; a closed pipe is no error."""
    root = str(workspaces.path("v270_full"))
    module = [sys.executable, "-m", "xpframe"]
    version = subprocess.run([*module, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"xpframe {xpframe.__version__}\n"
    frame = [*module, "frame", "ablation", "-w", root, "--json"]
    with subprocess.Popen(frame, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 0
