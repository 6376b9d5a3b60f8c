"""The witness, before it judges anybody, is judged by experimaestro's own dumps."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from conftest import BUNDLED, references
from oracle import Dump, Oracle, WitnessView, at_home, in_order, saved_at_home
from witness import Row, Run, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Workspaces

# What the ten bundled workspaces hold: a number that shrinks is a test that looks away.
BUNDLED_COUNTS = Counter(
    runs=74,
    jobs=201,
    sharing=219,
    tags=663,
    live_tags=636,
    states=285,
    params=276,
    dependencies=245,
    saved=33,
    actions=7,
)


def dump(values: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    dumped = Dump(WitnessView())
    return {k: dumped.value(v, k, []) for k, v in values.items()}, dumped.sharing()


def judge(run: Run, oracle: Oracle, said: dict[str, Any], counts: Counter[str]) -> None:
    """Compares one run with what experimaestro said of it; counts what was compared."""
    saved_objects = said.get("data", {})
    said = said.get("fallback", said)
    actions = {f"action:{k}": a for k in said.get("actions", {}) if (a := run.action(k))}
    assert list(actions) == [f"action:{k}" for k in said.get("actions", {})]
    if "jobs" in said:
        dumped, sharing = dump({**run.jobs, **actions})
        jobs = {k: v for k, v in dumped.items() if k in run.jobs}
        assert jobs == said["jobs"]
        assert list(jobs) == said.get("jobs_order", list(said["jobs"]))
        assert sharing == in_order(said["sharing"])
        assert [dumped[a] for a in actions] == [a["config"] for a in said.get("actions", {}).values()]
        counts += Counter(jobs=len(jobs), sharing=len(sharing), actions=len(actions))
    tags = {r.job_id: r.tags for r in run.rows if r.tags}
    expected = oracle.provider(run.experiment, run.run_id).get("tags_map", {})
    expected = expected or {k: v for k, v in said.get("tags_map", {}).items() if v}
    if expected:
        assert dump(tags)[0] == expected
        assert list(tags) == list(expected)
        counts["tags"] += sum(len(t) for t in tags.values())
    for row in run.rows:
        judge_row(run, oracle, row, counts)
    for name, outcome in saved_objects.items():
        saved = outcome.get("fallback", outcome)
        if "value" in saved:
            value, sharing = dump({name: run.saved(name)})
            mine = saved_at_home(value[name], run.path, name, str(run.workspace), *oracle.roots)
            assert mine == saved_at_home(saved["value"], run.path, name, str(run.workspace), *oracle.roots)
            assert sharing == in_order(saved["sharing"])
            counts["saved"] += 1


def judge_row(run: Run, oracle: Oracle, row: Row, counts: Counter[str]) -> None:
    live = oracle.live(run.experiment, run.run_id).get(row.job_id)
    if live and row.depends_on is not None:
        assert sorted(row.depends_on) == sorted(live["depends_on"])
        counts["dependencies"] += 1
    if live and (run.state or row.submitted or run.params[row.job_id]):  # else no file tells the tags
        plain = {
            k: r for k, r in live["tags_repr"].items() if not r.startswith("<")
        }  # enums come back as values
        assert plain.items() <= {k: repr(v) for k, v in row.tags.items()}.items()
        assert row.tags.keys() == live["tags_repr"].keys()
        counts["live_tags"] += len(plain)
    if marker := oracle.marker(row.task_id, row.job_id):
        assert run.marker(row) == marker
        counts["states"] += 1
    graph = run.graph_of_params(row)
    alone = oracle.task_dir(row.task_id, row.job_id)
    if graph and alone:
        job, sharing = dump({row.job_id: graph.obj(next(reversed(graph.raw)))})
        mine = at_home(job[row.job_id], str(run.workspace), *oracle.roots)
        assert mine == at_home(alone["config"], *oracle.roots)
        assert sharing == in_order(alone["sharing"])
        counts["params"] += 1


def compare(name: str, workspaces: Workspaces) -> Counter[str]:
    """Compares a whole workspace with its oracle; says how much of each was compared."""
    root, oracle = workspaces.path(name), Oracle(workspaces.oracle(name))
    runs = {(r.experiment, r.run_id): r for r in runs_of(root, move=False)}
    assert set(runs) == {(x, r) for x, r, _ in oracle.runs()}
    counts: Counter[str] = Counter(runs=len(runs))
    for experiment, run_id, said in oracle.runs():
        judge(runs[experiment, run_id], oracle, said, counts)
    return counts


@pytest.fixture(scope="session")
def compared(workspaces: Workspaces) -> Callable[[str], Counter[str]]:
    """The comparison of a workspace, which is done once."""
    return cache(partial(compare, workspaces=workspaces))


@pytest.mark.parametrize("name", references())
def test_witness_agrees_with_experimaestro(
    name: str, workspaces: Workspaces, compared: Callable[[str], Counter[str]]
) -> None:
    """The witness reads objects, sharing, order, tags, actions and dependencies as experimaestro does."""
    counts = compared(name)
    print(f"{name}: " + ", ".join(f"{n} of {n} {what}" for what, n in counts.items()))
    assert counts["runs"] > 0
    assert counts["params"] > 0


def test_bundled_workspaces_are_all_counted(compared: Callable[[str], Counter[str]]) -> None:
    """The bundled workspaces hold what they held when these tests were written."""
    names = [p.name.removesuffix(".tar.gz") for p in BUNDLED.glob("*.tar.gz")]
    assert sum(map(compared, names), Counter()) == BUNDLED_COUNTS
