"""Objects show themselves: as HTML that stands anywhere, and as text for terminals."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import REPOSITORY, Workspaces, references
from engine import load
from pages import ANSI, HOSTILE, check_html, quiet, text_of
from pictures import KINDS, check_svg, drawn
from xpframe.display.table import table_html
from xpframe.display.tree import Line, config_text, grow


def displays(workspace: xpframe.Workspace) -> Iterator[tuple[str, str, str]]:
    """(name, HTML, text) of everything in a workspace that shows itself."""
    yield "workspace", workspace._repr_html_(), workspace._display(as_html=False)
    for experiment in workspace.experiments():
        info = quiet(partial(workspace.load_xp_info, experiment))
        yield f"{experiment} info", info._repr_html_(), info._display(as_html=False)
        yield f"{experiment} jobs", info.jobs._repr_html_(), info.jobs._display(as_html=False)
        yield f"{experiment} actions", info.actions._repr_html_(), info.actions._display(as_html=False)
        yield f"{experiment} table", table_html(quiet(info.table)), ""
        for job_id, config in info.jobs.items():
            yield f"{experiment} {job_id}", config._repr_html_(), config_text(config)
        for action_id, action in info.actions.items():
            yield f"{experiment} {action_id}", action._repr_html_(), action._display(as_html=False)


@pytest.mark.parametrize("name", references())
def test_every_display_of_every_workspace(name: str, workspaces: Workspaces) -> None:
    """Whatever a real workspace holds shows itself, as harmless HTML and as printable text."""
    seen = 0
    for label, page, text in displays(xpframe.Workspace(workspaces.path(name))):
        seen += 1
        check_html(page)
        assert all(c.isprintable() or c == "\n" for c in text), label
    assert seen > 3


def test_a_run_tells_what_it_is(workspaces: Workspaces) -> None:
    """A run shows its name, driver, when and where, states, tasks, tags and the parameters that vary."""
    info = load(workspaces.path("v270_full") / "experiments" / "ablation" / "current")
    text = text_of(info._repr_html_())
    for part in (
        *("ablation", f"run {info.run_id}", "driver done", "Python 3.11", str(info.path)),
        *("26 jobs", "21 done", "5 error", "labpkg.tasks. sgdrun", "1 done, 2 error"),
        *("tags.learning_rate", "config.model@type", "BigModel", "3 actions"),
    ):
        assert part in text, part
    assert "config.sleep" not in text  # the same for all jobs


def test_tags_and_parameters_with_their_values(workspaces: Workspaces) -> None:
    """Values stand with the number of their jobs, columns that say the same together; outputs do not."""
    info = load(workspaces.path("v270_full") / "experiments" / "grid-search" / "20261123_071805")
    lines = [re.sub(" +", " ", line) for line in info._display(as_html=False).splitlines()]
    assert " tags.learning_rate 1e-05 \N{MULTIPLICATION SIGN}4, 0.001 \N{MULTIPLICATION SIGN}5" in lines
    assert any(line.startswith(" tags.size, tags.hidden_size 128 ") for line in lines)
    assert not any("config.out" in line or "trained.path" in line for line in lines)


def test_a_killed_driver_is_not_shown_as_running(workspaces: Workspaces) -> None:
    """A driver that was killed stays `running` in its file; the display says that it is gone."""
    info = load(workspaces.path("v270_killed") / "experiments" / "killed" / "current")
    assert (info.status, info.alive) == ("running", False)
    text = text_of(info._repr_html_())
    assert "driver killed" in text
    assert "2 lost" in text


def test_counts_agree(tmp_path: Path) -> None:
    """repr, display and table count the same jobs, with or without a config; one job is "1 job"."""
    run = edited_sample(tmp_path, lambda lines: lines[:1], "jobs.jsonl")
    info = load(run)
    assert "1 job, 1 action" in repr(info)
    assert "1 job: " in info._display(as_html=False)
    assert repr(info.jobs).startswith("<1 job of ")
    assert repr(info.table()).startswith("<xpframe.Table: 1 job, ")
    assert repr(info.table(columns=["state"])) == "<xpframe.Table: 1 job, 1 column>"
    (run / "objects.jsonl").write_text("")
    shutil.rmtree(run.parents[2] / "jobs")
    empty = quiet(partial(xpframe.load_xp_info, run))
    assert "1 job, 1 action" in repr(empty)  # status.json tells of it
    assert empty.jobs._display(as_html=False).startswith("0 jobs of ")
    assert "; 1 more without a config" in empty.jobs._display(as_html=False)
    assert "1 more without a config" in text_of(empty.jobs._repr_html_())


def test_one_of_several_tasks_is_suggested(workspaces: Workspaces) -> None:
    """Where a run or a table has several tasks, the display says how to get one; else it says nothing."""
    info = load(workspaces.path("v270_full") / "experiments" / "grid-search" / "20261123_071805")
    assert "one task as a frame: info.frame(task='evaluate')" in info._display(as_html=False)
    assert "one task as a frame: info.frame(task='evaluate')" in text_of(info._repr_html_())
    assert len(info.table(task="evaluate")) == 5
    page = text_of(table_html(info.table()))
    assert "2 tasks: evaluate 5, train 4" in page or "2 tasks: train 4, evaluate 5" in page
    assert "one at a time: task='evaluate'" in page
    sample = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
    assert "one task" not in sample._display(as_html=False)
    assert "one at a time" not in table_html(sample.table()) + table_html(info.table(columns=["state"]))


def test_what_could_not_be_read_is_shown(tmp_path: Path) -> None:
    """A run with a broken line shows itself, and says which line."""
    run = edited_sample(tmp_path, lambda lines: [*lines[:3], '{"cut', *lines[3:]])
    text = text_of(load(run)._repr_html_())
    assert re.search(r"1 error while reading .*objects\.jsonl:4", text)


def edited_sample(home: Path, edit: Callable[[list[str]], list[str]], file: str = "objects.jsonl") -> Path:
    """A copy of the sample's run, one of its files edited by lines."""
    workspace = home / "sample"
    shutil.copytree(xpframe.sample_workspace(), workspace, symlinks=True)
    (run,) = workspace.glob("experiments/*/2*")
    path = run / file
    path.write_text("\n".join(edit(path.read_text().splitlines())) + "\n")
    return run


# --- config trees ---


def lines_of(line: Line) -> Iterator[Line]:
    yield line
    for inner in line.inner:
        yield from lines_of(inner)


def test_paths_give_what_they_stand_for(workspaces: Workspaces) -> None:
    """The path at each line of a tree is an expression that gives its value."""
    info = load(workspaces.path("v270_full") / "experiments" / "ablation" / "current")
    seen = 0
    for config in info.jobs.values():
        for line in lines_of(grow(config)):
            value = eval(line.path, {"config": config})
            seen += 1
            if line.kind == "config":
                assert xpframe.typename(value) == line.text
            if line.kind == "shared":
                assert eval(line.note, {"config": config}) is value
    assert seen > 200


def test_shared_objects_say_where_they_are_shown(workspaces: Workspaces) -> None:
    """A config that stands at two places is shown once; the second place names the first."""
    info = load(workspaces.path("v270_quirks") / "experiments" / "same-id-ref" / "current")
    (config,) = (c for c in info.jobs.values() if xpframe.fields(c).get("title") == "first")
    assert config.prepare is config.inputs[0]
    assert "Prepare0 ↑ shown above at config.prepare" in re.sub(" +", " ", text_of(config._repr_html_()))
    assert "[0]: Prepare0  ↑ shown above at config.prepare" in config_text(config)


def test_dangling_references_say_so(workspaces: Workspaces) -> None:
    """A reference whose object is missing is shown as that."""
    info = load(workspaces.path("v270_quirks") / "experiments" / "dict-type-dangling" / "current")
    (config,) = (c for c in info.jobs.values() if "d" in xpframe.fields(c))
    assert "dangling reference: object 12345 is referred to but no file holds it" in text_of(
        config._repr_html_()
    )


def big_config(home: Path, value: object) -> Any:
    """The first config of the sample, its learning rate replaced."""

    def edit(lines: list[str]) -> list[str]:
        record = json.loads(lines[1])
        record["fields"]["learning_rate"] = value
        return [lines[0], json.dumps(record), *lines[2:]]

    info = load(edited_sample(home, edit))
    return next(iter(info.jobs.values()))


def test_wide_and_deep_values_are_capped_with_a_count(tmp_path: Path) -> None:
    """Of 5,000 items 50 are shown and 4,950 counted; what is nested too deep is counted too."""
    deep: Any = 1
    for _ in range(200):
        deep = [[deep]]
    config = big_config(tmp_path, {"wide": list(range(5_000)), "deep": deep})
    page, text = config._repr_html_(), config_text(config)
    check_html(page)
    assert "… 4,950 more not shown: see config.learning_rate['wide']" in text_of(page)
    assert "1 more not shown: see config.learning_rate['deep'][0]" in text_of(page)
    assert len(text.splitlines()) < 200


def test_many_lines_are_shared_among_the_fields(tmp_path: Path) -> None:
    """A first field with thousands of lines leaves room for the others."""
    config = big_config(tmp_path, {str(at): [[x, [x]] for x in range(60)] for at in range(40)})
    page = config._repr_html_()
    check_html(page)
    assert "'39'" in text_of(page)
    assert sum(1 for _ in lines_of(grow(config))) <= 601


def test_long_values_are_folded_and_cut_with_a_count(tmp_path: Path) -> None:
    """A string of a megabyte shows its beginning, unfolds to its first part, and says how long it is."""
    config = big_config(tmp_path, ["x" * 1_000_000] * 45 + ["short"])
    page = config._repr_html_()
    check_html(page)
    assert "1,000,000 characters, the first 2,000 here" in text_of(page)
    assert len(config_text(config)) < 20_000


def test_integers_that_python_refuses_to_print(tmp_path: Path) -> None:
    """An int of 5,000 digits is described."""
    config = big_config(tmp_path, "@")
    path = next(tmp_path.glob("sample/experiments/*/2*/objects.jsonl"))
    path.write_text(path.read_text().replace('"@"', "9" * 5_000))
    config = next(iter(load(path.parent).jobs.values()))
    assert "an int of about 5,00" in text_of(config._repr_html_())


# --- hostile content ---


@pytest.fixture
def hostile(tmp_path: Path) -> xpframe.ExperimentInfo:
    """The sample's run with hostile tags, names, classes and values."""
    run = edited_sample(tmp_path, hostile_objects)
    path = run / "jobs.jsonl"
    lines = []
    for at, line in enumerate(path.read_text().splitlines()):
        record = json.loads(line)
        record["tags"] = {**HOSTILE, HOSTILE["script"]: at, HOSTILE["bidi"]: ANSI, "n": at}
        lines.append(json.dumps(record))
    path.write_text("\n".join(lines) + "\n")
    odd = run.parent.parent / f"<b>odd & \u202e{ANSI}\nname"
    run.parent.rename(odd)
    info = load(odd / run.name)
    assert info.experiment == odd.name
    return info


def hostile_objects(lines: list[str]) -> list[str]:
    edited = []
    for line in lines:
        record = json.loads(line)
        if "learning_rate" in record.get("fields", {}):
            # the name and the value, for each
            fields = {name: value for value in HOSTILE.values() for name in [value[:300]]}
            record["fields"] |= {**fields, "nested": [HOSTILE], "learning_rate": HOSTILE["script"]}
            record["typename"] = "lab.<script>.Train" + ANSI
        edited.append(json.dumps(record))
    return edited


def test_hostile_content_is_shown_as_text(hostile: xpframe.ExperimentInfo) -> None:
    """Scripts, quotes, ANSI codes, NUL and right-to-left marks are text, in the page and in the terminal."""
    workspace = xpframe.Workspace(hostile.path.parents[2])
    config = next(iter(hostile.jobs.values()))
    pages = [*displays(workspace)]
    assert len(pages) > 10
    for label, page, text in pages:
        check_html(page)
        assert all(c.isprintable() or c == "\n" for c in text), label
        assert max(map(len, text.splitlines() or [""])) < 3_000, label
    page = config._repr_html_()
    assert "<script>alert('x')</script>" in text_of(page)
    assert r"\x1b[31mred" in text_of(page)
    assert r"a\x00b" in text_of(page)
    assert r"\u202e" in text_of(page)
    assert r"\u202e" in hostile._display(as_html=False)


def test_hostile_content_is_text_in_pictures(hostile: xpframe.ExperimentInfo) -> None:
    """Names and values of any kind are text in an SVG, and in what a terminal shows of a picture."""
    pictures = [picture for kind in KINDS if (picture := drawn(hostile, kind))]
    tags = [name for name in quiet(hostile.table).column_names if name.startswith("tags.")]
    assert len(tags) >= len(HOSTILE)
    pictures += [hostile.plot.states(tag, y="tags.n") for tag in tags]
    pictures += [hostile.plot.parallel(color=tag, columns=["tags.n", tag]) for tag in tags]
    for picture in pictures:
        check_svg(picture.svg)
        assert repr(picture).isprintable()
    shown = "".join(ET.fromstring(pictures[0].svg).itertext())
    assert len(pictures) >= 3 + 2 * len(HOSTILE)
    assert "alert" in "".join("".join(ET.fromstring(picture.svg).itertext()) for picture in pictures)
    assert shown


def test_hostile_content_is_printable_in_a_prompt(hostile: xpframe.ExperimentInfo) -> None:
    """What Python itself shows of an object is one printable line, of some hundred characters."""
    config = next(iter(hostile.jobs.values()))
    workspace = xpframe.Workspace(hostile.path.parents[2])
    things = [
        workspace,
        hostile,
        hostile.jobs,
        hostile.actions,
        *hostile.actions.values(),
        config,
        config.model,
    ]
    things += [quiet(hostile.table), *hostile.jobs.values()]
    assert len(things) >= 15
    for thing in things:
        assert repr(thing).isprintable(), repr(thing)
        assert len(repr(thing)) < 1000
        assert str(thing) == repr(thing)


# --- terminals and notebooks ---


def test_text_twins_reach_ipython(workspaces: Workspaces) -> None:
    """IPython's own formatter takes the HTML and the text, and in a list each thing stays on its line."""
    from IPython.core.formatters import DisplayFormatter

    info = load(workspaces.path("v270_full") / "experiments" / "ablation" / "current")
    things = [
        (xpframe.Workspace(workspaces.path("v270_full")), "6 experiments"),
        (info, "26 jobs: 21 done, 5 error"),
        (info.jobs, "26 jobs of ablation"),
        (info.actions, "3 actions of ablation"),
        (next(iter(info.actions.values())), "action: Export"),
        (next(iter(info.jobs.values())), "learning_rate"),
    ]
    for thing, words in things[:5]:
        bundle, _ = DisplayFormatter().format(thing)
        assert words in bundle["text/plain"]
        check_html(bundle["text/html"])
    bundle, _ = DisplayFormatter().format([info, info])
    assert bundle["text/plain"].count("<ExperimentInfo") == 2


def test_import_stays_light() -> None:
    """`import xpframe` does not import the displays, and the displays import no heavy library."""
    code = """
import sys, xpframe
assert "xpframe.display" not in sys.modules and "xpframe.plots" not in sys.modules
info = xpframe.Workspace(xpframe.sample_workspace()).load_xp_info("grid-search")
info._repr_html_(), info.plot.states(), info.plot.parallel(), info.plot.timeline(), info.plot.tasks()
print(sorted({"pandas", "polars", "pyarrow", "IPython", "numpy", "resvg_py"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


# --- size ---


@pytest.fixture(scope="module", params=["grid", "rich"])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of 10,000 jobs, with 3 or 96 columns of tags and parameters; of the former with files."""
    root = tmp_path_factory.mktemp("large")
    generate = [sys.executable, str(REPOSITORY / "benches" / "gen.py")]
    subprocess.run([*generate, "--shape", request.param, "--jobs", "10000", "--out", str(root)], check=True)
    if request.param == "grid":
        (run,) = root.glob("experiments/grid/2*")
        for at, line in enumerate((run / "jobs.jsonl").read_text().splitlines()):
            write_files(root, json.loads(line), at)
    return root


def write_files(root: Path, row: dict[str, Any], at: int) -> None:
    """The directory of a job that ran for some seconds, one of ten in vain."""
    task, job_id = row["task_id"], row["job_id"]
    job = root / "jobs" / task / job_id
    (job / ".experimaestro").mkdir(parents=True)
    times = {
        f"{what}_time": f"2026-03-19T{10 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        for what, second in (("started", at), ("ended", at + 30 + at % 60))
    }
    status = {"job_id": job_id, "task_id": task, "state": "done", **times}
    (job / ".experimaestro" / "status.json").write_text(json.dumps(status))
    (job / f"{task.rpartition('.')[2]}.{'done' if at % 10 else 'failed'}").write_text("0")


@pytest.mark.slow
def test_ten_thousand_jobs(large: Path) -> None:
    """Every display and picture of a run of 10,000 jobs takes less than 300 kB."""
    workspace = xpframe.Workspace(large)
    (experiment,) = workspace.experiments()
    info = workspace.load_xp_info(experiment)
    table, config = info.table(), next(iter(info.jobs.values()))
    shown: dict[str, Callable[[], str]] = {
        "workspace": workspace._repr_html_,
        "info": info._repr_html_,
        "info text": lambda: info._display(as_html=False),
        "jobs": info.jobs._repr_html_,
        "table": lambda: table_html(table),
        "config": config._repr_html_,
    }
    for kind in KINDS:
        shown[f"plot.{kind}"] = partial(svg_of, info, kind)
    sizes = {label: len(call()) for label, call in shown.items()}
    print(sizes)
    assert len(sizes) == 10
    assert {label: size for label, size in sizes.items() if not 0 < size < 300_000} == {}
    if experiment == "grid":
        assert len(info.plot.timeline().data()) == 1_500
        assert info._run.states().popitem()[1][0] == "done"


def svg_of(info: xpframe.ExperimentInfo, kind: str) -> str:
    picture = drawn(info, kind)
    assert picture is not None
    return picture.svg


@pytest.mark.slow
def test_a_thousand_experiments(tmp_path: Path) -> None:
    """A workspace of 1,000 experiments shows the 100 that were active last, in less than 300 kB."""
    run = edited_sample(tmp_path, lambda lines: lines)
    experiments = run.parents[1]
    for at in range(1_000):
        copy = experiments / f"experiment-{at:03}"
        copy.mkdir()
        shutil.copytree(run, copy / run.name, symlinks=True)
        os.utime(copy, (at, at))
    workspace = xpframe.Workspace(experiments.parent)
    page = workspace._repr_html_()
    check_html(page)
    assert "grid-search" in text_of(page)
    assert "experiment-999" in text_of(page)
    assert "experiment-000" not in text_of(page)
    assert "… and 901 more" in text_of(page)
    assert len(page) < 300_000
