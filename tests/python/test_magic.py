"""`%xpm` in a real shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

import xpframe
from xpframe.magic import XpmError

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_the_other_commands(shell: InteractiveShell) -> None:
    """ls, runs, info and schema give what the public functions give."""
    assert run(shell, "%xpm ls") == ["grid-search"]
    (run_id,) = run(shell, "%xpm runs grid-search")
    info = run(shell, f"%xpm info grid-search --run {run_id}")
    assert (info.run_id, len(info.jobs)) == (run_id, 12)
    assert ("tags.hidden_size", "Int64") in run(shell, "%xpm schema grid-search")


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
        ("%xpm lod x", "invalid choice: 'lod'"),
        ("%xpm load grid-search --columns hiden_size", "did you mean hidden_size"),
        ("%xpm load 'grid", "No closing quotation"),
        ("%xpm load grid-search --as 1x", "no name of a variable"),
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
