"""xpframe against experimaestro's own dumps, on every job of every reference workspace."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

import xpframe
from conftest import BUNDLED, reference_names, references
from engine import dump, load, table
from oracle import Dump, Oracle, WitnessView, at_home, in_order, saved_at_home, without_task
from witness import Run, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Workspaces

# What the ten bundled workspaces hold: a number that shrinks is a test that looks away.
BUNDLED_COUNTS = Counter(
    runs=74,
    jobs=302,
    jobs_of_experimaestro=201,
    sharing=343,
    sharing_of_experimaestro=215,
    actions=10,
    tags=770,
    dependencies=245,
    states=285,
    saved=33,
)


def judge_objects(info: Any, run: Run, oracle: Oracle, said: dict[str, Any]) -> Counter[str]:
    """Values, sharing, order and actions against experimaestro, where it could load, and the witness."""
    roots = (str(run.workspace), *oracle.roots)
    said = said.get("fallback", said)
    actions = {f"action:{k}": a.config for k, a in info.actions.items()}
    dumped, sharing = dump({**info.jobs, **actions})
    dumped = at_home(dumped, str(run.workspace))  # paths that were not moved stand out
    counts = Counter(jobs=len(info.jobs), sharing=len(sharing), actions=len(actions))
    if "jobs" in said:
        # where Python gave an id twice, experimaestro's own objects are the wrong ones
        expected = {k: v for k, v in at_home(said["jobs"], *roots).items() if k not in run.misled}
        assert {k: dumped[k] for k in info.jobs if k not in run.misled} == expected
        assert list(info.jobs) == said.get("jobs_order", list(said["jobs"]))
        counts["jobs_of_experimaestro"] = len(expected)
        acted = said.get("actions_after_provider_cleanup") or said.get("actions", {})
        if acted:  # of killed runs, experimaestro may say nothing where the events do
            assert {k: a.describe() for k, a in info.actions.items()} == {
                k: a["describe"] for k, a in acted.items()
            }
            assert {k: dumped[f"action:{k}"] for k in info.actions} == {
                k: at_home(a["config"], *roots) for k, a in acted.items()
            }
        if len(info.actions) == len(said.get("actions", {})) and not run.misled:
            assert sharing == in_order(said["sharing"])
            counts["sharing_of_experimaestro"] = len(sharing)
    mine = Dump(WitnessView())
    witnessed = {k: mine.value(v, k, []) for k, v in run.jobs.items()}
    witnessed |= {f"action:{k}": mine.value(run.action(k), f"action:{k}", []) for k in info.actions}
    assert dumped == at_home(witnessed, str(run.workspace))
    assert sharing == mine.sharing()
    assert list(info.jobs) == list(run.jobs)
    return counts


def judge_records(run: Run, oracle: Oracle) -> Counter[str]:
    """Tags, dependencies and the states that marker files tell."""
    workspace = xpframe.Workspace(run.workspace)
    tags = workspace.get_tags_map(run.experiment, run.run_id)
    expected = {r.job_id: r.tags for r in run.rows if r.tags}
    assert dump(tags)[0] == dump(expected)[0]
    assert list(tags) == list(expected)
    said = oracle.provider(run.experiment, run.run_id).get("tags_map", {})
    if said:
        assert dump(tags)[0] == said
    depends_on = workspace.get_dependencies_map(run.experiment, run.run_id)
    live = oracle.live(run.experiment, run.run_id)
    known = {r.job_id for r in run.rows if r.depends_on is not None}
    assert {k: sorted(depends_on.get(k, [])) for k in known & live.keys()} == {
        k: sorted(v["depends_on"]) for k, v in live.items() if k in known
    }
    assert {k: sorted(v) for k, v in depends_on.items() if v} == {
        r.job_id: sorted(r.depends_on) for r in run.rows if r.depends_on
    }
    frame = table(run.path, columns=["job_id", "task", "state", "failure"]).to_pylist()
    assert [(f["job_id"], f["task"]) for f in frame] == [(r.job_id, r.task_id) for r in run.rows]
    markers = {(r.task_id, r.job_id): oracle.marker(r.task_id, r.job_id) for r in run.rows}
    marked = {k: m for k, m in markers.items() if m}
    assert {
        k: (f["state"], f["failure"]) for f in frame if (k := (f["task"], f["job_id"])) in marked
    } == marked
    return Counter(
        tags=sum(len(t) for t in tags.values()),
        dependencies=len(known & live.keys()),
        states=len(marked),
    )


def judge_saved(run: Run, oracle: Oracle, said: dict[str, Any]) -> Counter[str]:
    """Saved objects, their sharing and the place of their data files."""
    counts: Counter[str] = Counter()
    roots = (str(run.workspace), *oracle.roots)
    for name, outcome in said.get("data", {}).items():
        saved = outcome.get("fallback", outcome)
        if "value" not in saved:
            continue
        value = xpframe.Workspace(run.workspace).load(run.experiment, saved=name, run_id=run.run_id)
        dumped, sharing = dump({name: value})
        expected = saved_at_home(saved["value"], run.path, name, *roots)
        assert saved_at_home(dumped[name], run.path, name, roots[0]) == expected
        assert sharing == in_order(saved["sharing"])
        counts["saved"] += 1
    return counts


def compare(name: str, workspaces: Workspaces) -> Counter[str]:
    """Compares a whole workspace with its oracle; says how much of each was compared."""
    root, oracle = workspaces.path(name), Oracle(workspaces.oracle(name))
    runs = {(r.experiment, r.run_id): r for r in runs_of(root)}
    counts: Counter[str] = Counter(runs=len(runs))
    for experiment, run_id, said in oracle.runs():
        run = runs[experiment, run_id]
        counts += judge_objects(load(run.path), run, oracle, said)
        counts += judge_records(run, oracle)
        counts += judge_saved(run, oracle, said)
    return counts


@pytest.fixture(scope="session")
def compared(workspaces: Workspaces) -> Callable[[str], Counter[str]]:
    """The comparison of a workspace, which is done once."""
    return cache(partial(compare, workspaces=workspaces))


@pytest.mark.parametrize("name", references())
def test_engine_agrees_with_experimaestro(
    name: str, workspaces: Workspaces, compared: Callable[[str], Counter[str]]
) -> None:
    """Values, sharing, order, tags, actions, saved objects, dependencies and states are the oracle's."""
    counts = compared(name)
    print(f"{name}: " + ", ".join(f"{n} of {n} {what}" for what, n in counts.items()))
    assert counts["runs"] > 0
    assert counts["jobs"] > 0


def test_bundled_workspaces_are_all_counted(compared: Callable[[str], Counter[str]]) -> None:
    """The bundled workspaces hold what they held when these tests were written."""
    names = [p.name.removesuffix(".tar.gz") for p in BUNDLED.glob("*.tar.gz")]
    assert sum(map(compared, names), Counter()) == BUNDLED_COUNTS


def differing_from_params(name: str, workspaces: Workspaces) -> tuple[int, list[str]]:
    """How many jobs of the newest runs have a readable params.json, and those that differ from it."""
    compared, differing = 0, []
    for run in {r.experiment: r for r in runs_of(workspaces.path(name))}.values():
        info = load(run.path)
        for row in run.rows:
            if (graph := run.graph_of_params(row)) is None:
                continue
            ran = Dump(WitnessView()).value(graph.obj(next(reversed(graph.raw))), "job", [])
            read = dump({"job": info.jobs[row.job_id]})[0]["job"]
            compared += 1
            if without_task(read) != without_task(ran):
                differing.append(f"{run.experiment} {row.job_id[:8]}")
    return compared, differing


@pytest.mark.parametrize("name", references())
def test_jobs_are_what_ran(name: str, workspaces: Workspaces) -> None:
    """Every job, in runs that experimaestro cannot load too, is what its params.json says was executed."""
    compared, differing = differing_from_params(name, workspaces)
    print(f"{name}: {compared - len(differing)} of {compared} jobs are what ran")
    assert compared > 0
    assert differing == []


def test_attributes_are_the_fields(workspaces: Workspaces) -> None:
    """Every attribute is the value that `fields` gives; a config is the same Python object."""
    run = runs_of(workspaces.path("v270_full"))[0]
    seen = 0
    for job in load(run.path).jobs.values():
        found = [job]
        while found:
            config = found.pop()
            for name, value in xpframe.fields(config).items():
                assert name in dir(config)
                if isinstance(value, xpframe.Config):
                    assert getattr(config, name) is value
                    found.append(value)
                else:
                    assert dump({"v": getattr(config, name)})[0] == dump({"v": value})[0]
                seen += 1
    assert seen > 100


def test_actions_answer_as_their_configs(workspaces: Workspaces) -> None:
    """`typename`, `identifier`, `fields`, `asdict` and `tags` of an action are those of its config."""
    seen = 0
    for name in reference_names():
        for run in runs_of(workspaces.path(name)):
            for action_id, action in load(run.path).actions.items():
                assert isinstance(action, xpframe.Action)
                assert xpframe.identifier(action) == action_id
                assert xpframe.typename(action) == action.__xpmtypename__
                assert [type(v) for v in xpframe.fields(action).values()] == [
                    type(getattr(action, field)) for field in xpframe.fields(action.config)
                ]
                for held, value in xpframe.fields(action).items():
                    assert getattr(action, held) is xpframe.fields(action.config)[held] is value
                for function in (xpframe.asdict, xpframe.fields, xpframe.tags):
                    assert function(action) == function(action.config)
                assert xpframe.tags(action) == {}
                seen += 1
    assert seen >= BUNDLED_COUNTS["actions"]


@pytest.mark.parametrize(
    "function",
    [xpframe.typename, xpframe.identifier, xpframe.fields, xpframe.asdict, xpframe.tags],
    ids=lambda function: function.__name__,
)
def test_what_is_no_config_is_refused(function: Callable[[Any], Any], workspaces: Workspaces) -> None:
    """The five functions take configs and actions only, and say what they were given."""
    info = load(runs_of(workspaces.path("v270_full"))[0].path)
    others: tuple[Any, ...] = (None, {}, "lab.Train", info, info.jobs, xpframe.EnumValue("lab", "Opt", "SGD"))
    for given in others:
        with pytest.raises(TypeError, match=f"expected a config or an action, not {type(given).__name__}"):
            function(given)
