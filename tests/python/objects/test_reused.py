"""Ids that Python gave to two objects: every job is what its params.json says was executed."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings

import xpframe
from engine import dump, load, table
from oracle import Dump, WitnessView
from reused_runs import Driver, Made, drivers
from witness import Graph, Run

if TYPE_CHECKING:
    from collections.abc import Callable

SEEN: Counter[str] = Counter()
# the same drivers each time: the engine asks for a sign of freed objects before it reads a params.json,
# and no sign is certain
quick = settings(max_examples=300, derandomize=True, phases=(Phase.generate,))

Read = tuple[Any, list[Any]]


def ran(job: Made) -> Read:
    """A job as its params.json has it, and its sharing groups."""
    dumped = Dump(WitnessView())
    graph = Graph([x.definition() for x in job.everything()], str)
    return dumped.value(graph.obj(job.id), "job", []), dumped.sharing()


def by_engine(run: Path) -> tuple[Callable[[str], Read], list[str]]:
    info = load(run)

    def read(job_id: str) -> Read:
        dumped, sharing = dump({"job": info.jobs[job_id]})
        return dumped["job"], sharing

    return read, [str(e.job) for e in info.errors if "Python gave the id" in str(e)]


def by_witness(run: Path) -> tuple[Callable[[str], Read], list[str]]:
    witness = Run(run, run.parents[2])

    def read(job_id: str) -> Read:
        dumped = Dump(WitnessView())
        return dumped.value(witness.jobs[job_id], "job", []), dumped.sharing()

    return read, list(witness.misled)


def judge(driver: Driver, reader: Callable[[Path], tuple[Callable[[str], Read], list[str]]]) -> None:
    """Each job is what ran; those that objects.jsonl has wrong are told, no others."""
    with tempfile.TemporaryDirectory() as home:
        read, told = reader(driver.save(Path(home) / "ws"))
        found = {job.identifier: read(job.identifier) for job in driver.jobs}
    aliased = driver.aliased()
    for job in driver.jobs:
        (value, sharing), (truth, true_sharing) = found[job.identifier], ran(job)
        assert value == truth
        assert sharing == true_sharing or job.identifier in aliased
    assert set(told) ^ set(driver.misled()) <= aliased
    assert len(told) == len(set(told))
    SEEN["jobs"] += len(driver.jobs)
    SEEN["misled"] += len(told)
    SEEN["not written"] += sum(not driver.is_written(job) for job in driver.jobs)
    SEEN["shared"] += sum(bool(sharing) for _, sharing in found.values())


def nothing_freed() -> Driver:
    """Actions and jobs that share a leaf, all of them kept."""
    driver = Driver()
    leaf = driver.make("Leaf", 1)
    driver.act(driver.make("Export", 1, leaf))
    driver.submit(driver.make("Train", 1, leaf))
    driver.act(driver.make("Export", 2, driver.make("Leaf", 2)))
    driver.submit(driver.make("Train", 2, leaf, driver.jobs[0]))
    return driver


def again(driver: Driver, times: int) -> None:
    """Adds an equal action some times; only the last one is kept."""
    for _ in range(times):
        driver.act(driver.make("Export", 1))


def action_replaced() -> Driver:
    """The leaf is where the replaced action was; the action that replaced it stands between."""
    driver = Driver()
    again(driver, 2)
    driver.submit(driver.make("Train", 1, driver.make("Leaf", 1)))
    return driver


def action_replaced_twice() -> Driver:
    """The third action is where the first was, so the leaf is where the second was, right before its job."""
    driver = Driver()
    again(driver, 3)
    driver.submit(driver.make("Train", 1, driver.make("Leaf", 1)))
    return driver


def leaf_of_an_action() -> Driver:
    """The leaf is where the leaf of a replaced action was."""
    driver = Driver()
    for _ in range(2):
        driver.act(driver.make("Export", 1, driver.make("Leaf", 1)))
    driver.submit(driver.make("Train", 1, driver.make("Leaf", 1), driver.make("Leaf", 2)))
    return driver


def job_lost() -> Driver:
    """The next job shares a leaf with a job that could not be written: the leaf has no line."""
    driver = Driver()
    leaf = driver.make("Leaf", 1)
    driver.lose(driver.make("Odd", 1, leaf))
    driver.submit(driver.make("Train", 1, leaf))
    return driver


def job_taken_for_written() -> Driver:
    """A job is where a replaced action was, so it has no line, and the job that needs it finds the action."""
    driver = Driver()
    again(driver, 2)
    first = driver.make("Train", 1)
    driver.submit(first)
    driver.submit(driver.make("Train", 2, first))
    return driver


MISLED = {
    nothing_freed: 0,
    action_replaced: 1,
    action_replaced_twice: 1,
    leaf_of_an_action: 1,
    job_lost: 0,
    job_taken_for_written: 1,
}
CASES = [pytest.param(driver, reader) for driver in MISLED for reader in (by_witness, by_engine)]


@pytest.mark.parametrize(("driver", "reader"), CASES)
def test_jobs_are_what_ran(driver: Callable[[], Driver], reader: Any) -> None:
    """In each way in which an id comes to be used twice, the job is what its params.json says."""
    made = driver()
    assert len(made.misled()) == MISLED[driver]
    judge(made, reader)


@quick
@given(drivers())
def random_drivers_by_witness(driver: Driver) -> None:
    judge(driver, by_witness)


@quick
@given(drivers())
def random_drivers_by_engine(driver: Driver) -> None:
    judge(driver, by_engine)


@pytest.mark.slow
@pytest.mark.parametrize("judged", [random_drivers_by_witness, random_drivers_by_engine])
def test_random_drivers(judged: Callable[[], None]) -> None:
    """Whatever a driver freed and when, every job is what ran, and the misled ones are told, no others."""
    SEEN.clear()
    judged()
    print(dict(SEEN))
    assert {k: n for k in ("jobs", "misled", "not written", "shared") if (n := SEEN[k]) < 20} == {}


def test_a_misled_job_is_told_and_shown_right(tmp_path: Path) -> None:
    """Object, table, dependencies and error text of a job whose reference led to another object."""
    driver = action_replaced()
    run = driver.save(tmp_path / "ws")
    (job,) = driver.jobs
    info = load(run)
    (error,) = info.errors
    assert isinstance(error, xpframe.errors.FormatError)
    assert (error.file, error.line, error.job) == (str(run / "objects.jsonl"), 3, job.identifier)
    wrong = job.held[0].id
    assert str(error) == (
        f"{run / 'objects.jsonl'}:3, job {job.identifier}: refers to object {wrong}, an unrelated "
        "lab.Export: Python gave the id to two objects (the job was read from its params.json instead)"
    )
    with pytest.raises(xpframe.errors.FormatError, match="Python gave the id to two objects"):
        xpframe.load_xp_info(run, strict=True)
    frame = table(run, columns=["job_id", "config.held0.n", "config.held0@type"])
    assert frame.to_pylist() == [
        {"job_id": job.identifier, "config.held0.n": 1, "config.held0@type": "lab.Leaf"}
    ]


@pytest.mark.parametrize("params", [None, b"", b"{"], ids=["none", "empty", "cut"])
def test_a_misled_job_without_params_stays(params: bytes | None, tmp_path: Path) -> None:
    """Where no params.json can tell the truth, what objects.jsonl says is all there is."""
    driver = action_replaced()
    run = driver.save(tmp_path / "ws")
    (job,) = driver.jobs
    path = tmp_path / "ws" / "jobs" / "lab.train" / job.identifier / "params.json"
    path.unlink()
    if params is not None:
        path.write_bytes(params)
    info = load(run)
    assert xpframe.typename(info.jobs[job.identifier].held0) == "lab.Export"
    assert [e for e in info.errors if "Python gave the id" in str(e)] == []


def test_the_params_of_another_process_say_nothing(tmp_path: Path) -> None:
    """A params.json whose own object has another id was written by another process: its ids are not ours."""
    driver = action_replaced()
    run = driver.save(tmp_path / "ws")
    (job,) = driver.jobs
    path = tmp_path / "ws" / "jobs" / "lab.train" / job.identifier / "params.json"
    path.write_text(path.read_text().replace(f'"id": {job.id},', f'"id": {job.id + 8},'))
    assert xpframe.typename(load(run).jobs[job.identifier].held0) == "lab.Export"


def test_what_a_misled_job_shares_stays_shared(tmp_path: Path) -> None:
    """A config that a misled job shares with others is one object; so is the job itself where it is held."""
    driver = Driver()
    shared = driver.make("Leaf", 1)
    driver.submit(driver.make("Train", 1, shared))
    again(driver, 2)
    leaf = driver.make("Leaf", 2)
    driver.submit(driver.make("Train", 2, shared, leaf))
    driver.submit(driver.make("Train", 3, shared, leaf, driver.jobs[1]))
    info = load(driver.save(tmp_path / "ws"))
    first, second, third = (info.jobs[job.identifier] for job in driver.jobs)
    assert [second.held1.n, third.held1.n] == [2, 2]
    assert first.held0 is second.held0 is third.held0
    assert second.held1 is third.held1
    assert third.held2 is second
