"""`%xpm` in a real shell."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

import xpframe
from pages import check_html, text_of
from xpframe.notebook.magic import XpmError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Workspaces


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell with the extension loaded, and the sample as the workspace that is meant."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    shell = InteractiveShell.instance()
    shell.extension_manager.load_extension("xpframe")
    yield shell
    shell.extension_manager.unload_extension("xpframe")
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> Any:
    """The result of a cell; its error is raised."""
    done = shell.run_cell(cell)
    done.raise_error()
    return done.result


def completions(shell: InteractiveShell, text: str) -> list[str]:
    """What Tab offers behind a text."""
    assert shell.Completer is not None
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return [text[: one.start] + one.text for one in found]


def test_load_gives_the_frame(shell: InteractiveShell) -> None:
    """`%xpm load` is xp_frame, also behind an assignment and into a variable."""
    assert isinstance(run(shell, "%xpm load grid-search"), pd.DataFrame)
    run(shell, "df = %xpm load grid-search --backend polars --columns state tags.* --short")
    assert shell.user_ns["df"].columns == ["state", "hidden_size", "learning_rate"]
    assert run(shell, "%xpm load grid-search --lazy --as lf") is None
    assert isinstance(shell.user_ns["lf"], pl.LazyFrame)
    shell.user_ns["which"] = "grid-search"
    assert len(run(shell, "%xpm load {which} --task train")) == 12


def test_columns_are_separated_by_commas_too(shell: InteractiveShell) -> None:
    """As on the command line; a comma in a name is escaped."""
    names = ["state", "tags.hidden_size"]
    for words in ("state,hidden_size", "state, hidden_size", "'state,hidden_size'", "state hidden_size"):
        assert run(shell, f"%xpm load grid-search --columns {words}").columns.tolist() == names
    with pytest.raises(XpmError, match="no column 'a,b'"):
        run(shell, r"%xpm load grid-search --columns 'a\,b'")


def test_load_takes_the_options_of_frames(shell: InteractiveShell) -> None:
    """Times without a zone, the zone of those that have none, and strict reading, eager and lazy."""
    columns = "%xpm load grid-search --columns started_at state --backend polars"
    naive: dict[str, Any] = {"naive_times": True}
    options = {"--naive-times": naive, "--timezone Asia/Tokyo": {"timezone": "Asia/Tokyo"}}
    for option, arguments in options.items():
        expected = xpframe.xp_frame(
            "grid-search", columns=["started_at", "state"], backend="polars", **arguments
        )
        assert run(shell, f"{columns} {option} --strict").equals(expected)
        lazy: pl.LazyFrame = run(shell, f"{columns} {option} --strict --lazy")
        assert lazy.collect().equals(expected)
    assert run(shell, f"{columns} --naive-times").schema["started_at"] == pl.Datetime("us")
    with pytest.raises(XpmError, match="Mars/Olympus"):
        run(shell, f"{columns} --timezone Mars/Olympus")


def test_every_command_and_option_is_completed(shell: InteractiveShell, tmp_path: Path) -> None:
    """Tab offers what the parser knows, and nothing for the text of a filter."""
    commands = {line.split()[-1] for line in completions(shell, "%xpm ")}
    assert commands == {"failures", "info", "job", "load", "ls", "pull", "report", "runs", "schema", "use"}
    for command in sorted(commands - {"ls", "use", "pull"}):
        usage = run(shell, f"%xpm {command} --help")
        assert usage is None
        assert f"%xpm {command} grid-search" in completions(shell, f"%xpm {command} gr")
    offered = completions(shell, "%xpm load grid-search --task lab.tasks.train --")
    names = {line.split()[-1] for line in offered}
    assert {"--results", "--where", "--naive-times", "--timezone", "--strict", "--task"} <= names
    assert "%xpm report grid-search --output" in completions(shell, "%xpm report grid-search --o")
    assert "%xpm load grid-search --where --run" not in completions(shell, "%xpm load grid-search --where ")
    assert "%xpm pull host:ws --dry-run" in completions(shell, "%xpm pull host:ws --d")
    (tmp_path / "copies").mkdir()
    assert completions(shell, f"%xpm pull host:ws {tmp_path}/c") == [f"%xpm pull host:ws {tmp_path}/copies/"]


def test_the_other_commands(shell: InteractiveShell) -> None:
    """ls, runs, info and schema give what the public functions give."""
    assert run(shell, "%xpm ls") == ["grid-search"]
    (run_id,) = run(shell, "%xpm runs grid-search")
    info = run(shell, f"%xpm info grid-search --run {run_id}")
    assert (info.run_id, len(info.jobs)) == (run_id, 12)
    assert ("tags.hidden_size", "Int64") in run(shell, "%xpm schema grid-search")


def test_failures_by_cause(shell: InteractiveShell) -> None:
    """failures gives the failed jobs, which show themselves, of one task or run if asked."""
    found = run(shell, "%xpm failures grid-search")
    assert (len(found), [len(group.failures) for group in found.groups]) == (1, [1])
    text = shell.display_formatter.format(found)[0]
    assert "1 failed job, 1 cause" in text["text/plain"]
    assert "1 failed job, 1 cause" in text_of(text["text/html"])
    check_html(text["text/html"])
    (run_id,) = run(shell, "%xpm runs grid-search")
    for options in ("--task train", "--run all", f"--run {run_id}", "--run latest --quiet", "--task 'lab.*'"):
        again = run(shell, f"%xpm failures grid-search {options}")
        assert [failure.job_id for failure in again] == [found[0].job_id], options
    run(shell, "f = %xpm failures grid-search")
    assert shell.user_ns["f"].frame()["job_id"].tolist() == [found[0].job_id]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("grid", "no experiment 'grid'.*did you mean grid-search"),
        ("grid-search --run 2020", "no run '2020'"),
        ("grid-search --task evaluate", "evaluate"),
        ("", "the following arguments are required: NAME; usage: %xpm failures NAME"),
        ("grid-search --columns lr", "unrecognized arguments: --columns lr.*usage: %xpm failures NAME"),
    ],
)
def test_failures_of_nothing(words: str, says: str, shell: InteractiveShell) -> None:
    """An experiment, run, task or option that is not there is an error in one line that names it."""
    with pytest.raises(XpmError, match=says):
        run(shell, f"%xpm failures {words}")


def test_failures_where_none_failed(shell: InteractiveShell, workspaces: Workspaces) -> None:
    """A run in which nothing failed says so."""
    run(shell, f"%config Xpm.workspace = {str(workspaces.path('v270_full'))!r}")
    found = run(shell, "%xpm failures quick")
    assert len(found) == 0
    assert "no failed job" in str(found)
    assert "no failed job" in text_of(found._repr_html_())


def test_failures_are_completed(shell: InteractiveShell) -> None:
    """Tab offers experiments and options behind failures."""
    assert "%xpm failures grid-search" in completions(shell, "%xpm failures gr")
    offered = completions(shell, "%xpm failures grid-search --")
    assert {"%xpm failures grid-search --task", "%xpm failures grid-search --run"} <= set(offered)


def test_a_job_is_named_by_the_beginning_of_its_id(shell: InteractiveShell) -> None:
    """`%xpm job` takes what displays show of an id, and Tab completes it."""
    info = run(shell, "%xpm info grid-search")
    job_id = list(info.jobs)[3]
    assert xpframe.identifier(run(shell, f"%xpm job grid-search {job_id[:8]}")) == job_id
    assert completions(shell, f"%xpm job grid-search {job_id[:8]}") == [f"%xpm job grid-search {job_id}"]


def test_names_of_columns(shell: InteractiveShell) -> None:
    """`--names` and `--short` name the columns of frames and of lazy queries."""
    assert "model_name" in run(shell, "%xpm load grid-search --names identifier").columns
    assert "model_name" in run(shell, "%xpm load grid-search --names identifier --lazy").collect_schema()
    assert "model.name" in run(shell, "%xpm load grid-search --short --lazy").collect_schema()


def test_use_and_config_set_defaults(shell: InteractiveShell) -> None:
    """`%xpm use` chooses the workspace, `%config Xpm.…` the options."""
    try:
        run(shell, f"%xpm use '{xpframe.sample_workspace()}'")
        run(shell, "%config Xpm.backend = 'polars'")
        assert isinstance(run(shell, "%xpm load grid-search"), pl.DataFrame)
    finally:
        xpframe.use(None)


def test_bare_and_help_print_help(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """`%xpm` alone and `-h` print short help; the process lives."""
    assert run(shell, "%xpm") is None
    assert "load" in capsys.readouterr().out
    assert run(shell, "%xpm load -h") is None
    assert "--columns" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("%xpm load gird-search", "grid-search"),
        ("%xpm load", "the following arguments are required: NAME"),
        ("%xpm lod x", "no command 'lod' (did you mean load?)"),
        ("%xpm load grid-search --columns hiden_size", "did you mean hidden_size"),
        (
            "%xpm load grid-search --results metrics.json results.csv",
            "unrecognized arguments: results.csv (several handles are --results NAME=HANDLE each)",
        ),
        ("%xpm load 'grid", "No closing quotation"),
        ("%xpm load grid-search --as 1x", "not a valid variable name"),
        ("%xpm load grid-search --as class", "--as 'class': not a valid variable name"),
        # said before anything is read
        ("%xpm load nothing --as ''", "not a valid variable name"),
        ("%xpm load grid search", "unrecognized arguments: search (a name with spaces needs quotes)"),
        ("%xpm load grid-search more", "usage: %xpm load NAME"),
        ("%xpm load grid-search --short --names full", "--short with --names full (drop one)"),
        ("%xpm job grid-search zzzz", "has no job 'zzzz'"),
        ("%xpm job grid-search", "the following arguments are required: JOB"),
        ("%xpm load grid-search --lazy --backend pandas", "lazy queries need polars"),
        (
            "name = 'a\\ud800'\n%xpm load {name}",
            "has an unpaired surrogate (no name is written like this)",
        ),
    ],
)
def test_errors_are_one_line(shell: InteractiveShell, line: str, text: str) -> None:
    """What goes wrong fails the cell, and is shown as one line without traceback."""
    with pytest.raises(XpmError) as raised:
        run(shell, line)
    assert text in str(raised.value)
    assert len(raised.value._render_traceback_()) == 1
    assert "\n" not in str(raised.value)


def test_tab_completes(shell: InteractiveShell) -> None:
    """Sub-commands, experiments, options, runs, tasks and columns are offered."""
    assert "%xpm load" in completions(shell, "%xpm lo")
    assert completions(shell, "%xpm load gr") == ["%xpm load grid-search"]
    assert completions(shell, "df = %xpm load grid-s") == ["df = %xpm load grid-search"]
    assert "%xpm load grid-search --columns" in completions(shell, "%xpm load grid-search --co")
    assert "%xpm load grid-search --run latest" in completions(shell, "%xpm load grid-search --run la")
    assert "%xpm load grid-search --task lab.tasks.train" in completions(
        shell, "%xpm load grid-search --task lab"
    )
    assert "%xpm load x --backend polars" in completions(shell, "%xpm load x --backend po")
    tags = completions(shell, "%xpm load grid-search --columns tags.h")
    assert tags == ["%xpm load grid-search --columns tags.hidden_size"]


def test_tab_completes_fields_behind_a_subscript(shell: InteractiveShell) -> None:
    """`info.jobs['…'].model.` offers the fields of that very config, and calls nothing."""
    info = run(shell, "%xpm info grid-search")
    shell.user_ns["info"] = info
    job_id = next(iter(info.jobs))
    text = f"info.jobs['{job_id}'].model."
    assert {f"{text}name", f"{text}hidden_size"} <= set(completions(shell, text))
    assert f"{text}hidden_size" in completions(shell, f"{text}hid")


def test_reload_leaves_one(shell: InteractiveShell) -> None:
    """Loading again leaves one matcher and one configurable; unloading leaves none."""
    assert shell.Completer is not None
    run(shell, "%reload_ext xpframe")
    assert len(shell.Completer.custom_matchers) == 1
    assert [type(c).__name__ for c in shell.configurables].count("Xpm") == 1
    run(shell, "%unload_ext xpframe")
    assert shell.Completer.custom_matchers == []
    assert "xpm" not in shell.magics_manager.magics["line"]
    run(shell, "%load_ext xpframe")


def test_tab_sees_another_workspace_at_once(shell: InteractiveShell, workspaces: Workspaces) -> None:
    """What was listed of one workspace is not offered for the next."""
    assert completions(shell, "%xpm load gr") == ["%xpm load grid-search"]
    try:
        run(shell, f"%xpm use '{workspaces.path('v270_full')}'")
        assert "%xpm load ablation" in completions(shell, "%xpm load a")
    finally:
        xpframe.use(None)


def test_tab_completes_identifiers_of_jobs(shell: InteractiveShell) -> None:
    """`info.jobs["` and `info.jobs[` offer the ids, the latter with quotes."""
    info = shell.user_ns["info"] = run(shell, "%xpm info grid-search")
    ids = list(info.jobs)
    assert len(ids) == 12
    assert completions(shell, 'info.jobs["') == [f'info.jobs["{job_id}' for job_id in sorted(ids)]
    assert completions(shell, "info.jobs[") == [f"info.jobs['{job_id}'" for job_id in sorted(ids)]
    assert completions(shell, f"info.jobs['{ids[0][:9]}") == [f"info.jobs['{ids[0]}"]


def test_tab_follows_variables_and_lists(shell: InteractiveShell) -> None:
    """A subscript may be a variable, and a config may stand in a list."""
    info = shell.user_ns["info"] = run(shell, "%xpm info grid-search")
    shell.user_ns["key"] = next(iter(info.jobs))
    shell.user_ns["configs"] = list(info.jobs.values())
    for text in ("info.jobs[key].mo", "configs[-1].mo", "print(configs[0].mo"):
        assert completions(shell, text) == [f"{text}del"]


def test_tab_runs_nothing(shell: InteractiveShell) -> None:
    """No property, subscript or call of the user's is evaluated on the way to a completion of ours."""
    ran: list[str] = []

    class Trap(dict):
        def __getitem__(self, key: object) -> Any:
            ran.append("item")
            return run(shell, "%xpm info grid-search")

        @property
        def info(self) -> Any:
            ran.append("property")
            return self[0]

    shell.user_ns["trap"] = Trap()
    matcher = next(m for m in shell.Completer.custom_matchers if m.matcher_identifier == "xpframe")
    from IPython.core.completer import CompletionContext

    texts = ("trap[0].jobs[", "trap.info.", "trap['x'].", "trap.info.jobs['")
    for text in texts:
        context = CompletionContext(
            token="", full_text=text, cursor_position=len(text), cursor_line=0, limit=500
        )
        assert matcher(context)["completions"] == []
    assert ran == []


ODD = ("my grid", "it's", 'say "so"', "back\\slash", "\u00e9t\u00e9 \u65e5", "line\nbreak", "bidi\u202e")


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose experiments and tags have names that need quotes."""
    shutil.copytree(xpframe.sample_workspace(), tmp_path / "odd", symlinks=True)
    (path,) = (tmp_path / "odd").glob("experiments/*/2*/jobs.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record["tags"]["two words"] = record["tags"]["it's"] = 1
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    for name in ODD:
        shutil.copytree(path.parents[1], path.parents[2] / name, symlinks=True)
    shutil.rmtree(path.parents[1])
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(tmp_path / "odd"))
    return tmp_path / "odd"


def test_names_that_need_quotes_are_completed_with_them(shell: InteractiveShell, odd: Path) -> None:
    """What Tab offers can be run; names with line breaks or unseen characters are not offered."""
    offered = completions(shell, "%xpm load ")
    assert len(offered) == len(ODD) - 2
    for line in offered:
        assert len(run(shell, f"{line} --columns state")) == 12
    for begun in ("my", "'my g", '"my', "my\\ g"):
        (line,) = completions(shell, f"%xpm load {begun}")
        assert line in ("%xpm load 'my grid'", '%xpm load "my grid"')
    assert completions(shell, "%xpm load 'my grid' --columns tags.t") == [
        "%xpm load 'my grid' --columns 'tags.two words'"
    ]
    assert completions(shell, "%xpm load 'my grid' --columns 'tags.i") == [
        "%xpm load 'my grid' --columns \"tags.it's\""
    ]


def test_tab_offers_what_can_stand_there(shell: InteractiveShell, odd: Path) -> None:
    """Values behind `=`, directories behind `use`, no `all` for one info, no column that is a variable."""
    assert completions(shell, "%xpm load x --backend=po") == ["%xpm load x --backend=polars"]
    assert completions(shell, f"%xpm use {odd.parent}/o") == [f"%xpm use {odd.parent}/odd/"]
    assert "%xpm load 'my grid' --run all" in completions(shell, "%xpm load 'my grid' --run ")
    assert "%xpm info 'my grid' --run all" not in completions(shell, "%xpm info 'my grid' --run ")
    assert not any("--" in line[25:] for line in completions(shell, "%xpm load 'my grid' --as "))
    assert completions(shell, "%xpm\tload my") == ["%xpm\tload 'my grid'"]


def test_fields_that_cannot_stand_behind_a_dot_are_not_offered(shell: InteractiveShell, odd: Path) -> None:
    """A field that is called `class` is no completion, since `config.class` is no Python."""
    (path,) = odd.glob("experiments/my grid/2*/objects.jsonl")
    path.write_text(path.read_text().replace('"learning_rate"', '"class"'))
    info = shell.user_ns["info"] = run(shell, "%xpm info 'my grid'")
    shell.user_ns["config"] = next(iter(info.jobs.values()))
    assert "class" in xpframe.fields(shell.user_ns["config"])
    assert completions(shell, "config.") == ["config.model"]
