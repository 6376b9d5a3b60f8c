"""The failures of really run jobs are explained as their oracle says, where their archives are there."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import SHARED
from xpframe.failed_jobs import failures

ORACLES = sorted(SHARED.glob("*.failures.json"))
FIELDS = ("failure", "exit_code", "exception", "message", "where", "cause", "blocked_by")


def unpacked(name: str, home: Path) -> Path:
    """The workspace of an archive, whatever its directory is called there."""
    archive = SHARED / f"{name}.tar.gz"
    if not archive.is_file():
        pytest.skip(f"{archive.name} is not here")
    subprocess.run(["tar", "-xpzf", str(archive), "-C", str(home)], check=True)
    (root,) = (path for path in home.iterdir() if path.is_dir())
    return root


def rows(root: Path, experiment: str) -> dict[str, dict[str, Any]]:
    """The answers for an experiment by job, in the words of the oracle."""
    frame = failures(experiment, workspace=root, backend="polars", quiet=True)
    found = {}
    for row in frame.to_dicts():
        where = cause = None
        if row["location"]:
            position, _, function = row["location"].partition(" in ")
            file, _, line = position.rpartition(":")
            where = {"file": file, "line": int(line), "function": function or None}
        if row["cause"]:
            exception, _, message = row["cause"].partition(": ")
            cause = {"exception": exception, "message": message}
        found[row["job_id"]] = {**row, "where": where, "cause": cause}
    return found


def last(name: str | None) -> str | None:
    return name.rpartition(".")[2] or None if name else None


def agree(field: str, found: Any, wanted: Any) -> bool:
    """Whether an answer is right: classes count without their module, an empty message is none."""
    if field == "exception":
        return last(found) == last(wanted)
    if field == "message":
        return (found or "").strip() == (wanted or "").strip()
    if field == "where" and found and wanted:
        return (
            found["file"] == wanted["file"]
            and found["line"] == wanted["line"]
            and wanted["function"] in (None, found["function"])
        )
    if field == "cause" and found and wanted:
        same = last(found["exception"]) == last(wanted["exception"])
        return same and agree("message", found["message"], wanted.get("message", found["message"]))
    return bool(found == wanted or (not found and not wanted and field in ("where", "cause")))


@pytest.fixture(scope="module", params=ORACLES, ids=lambda path: path.name.removesuffix(".failures.json"))
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What an oracle says of each experiment, and the answers."""
    oracle: Path = request.param
    root = unpacked(oracle.name.removesuffix(".failures.json"), tmp_path_factory.mktemp("failures"))
    experiments = json.loads(oracle.read_text())["experiments"]
    return [(name, said, rows(root, name)) for name, said in experiments.items()]


def test_each_failed_job_has_one_row(judged: Any) -> None:
    """A row for each failed job, and none for another."""
    for name, said, found in judged:
        failed = {job["job_id"] for job in said["failed"]}
        waited = {job for job, other in said["not_failed"].items() if other.get("soft")}
        assert failed <= set(found) <= failed | waited, name


@pytest.mark.parametrize("field", FIELDS)
def test_fields_agree(judged: Any, field: str) -> None:
    """Every answer that is no matter of taste is one of those that the oracle takes for right."""
    wrong = []
    for name, said, found in judged:
        for job in said["failed"]:
            right = [job[field], *job["accept"].get(field, [])]
            answer = found[job["job_id"]][field]
            if field not in job["soft"] and not any(agree(field, answer, wanted) for wanted in right):
                wrong.append((name, job["made_by"], answer, job[field]))
    assert wrong == []


def test_texts_hold_what_they_must(judged: Any) -> None:
    """Tails have the last words of a job and no clean-up; messages have nothing of other errors."""
    for name, said, found in judged:
        for job in said["failed"]:
            row = found[job["job_id"]]
            shown, tail = f"{row['exception']} {row['message']}", row["tail"] or ""
            assert not [text for text in job["never_in_message_or_exception"] if text in shown], name
            assert not [text for text in job["tail_must"] if text not in tail], (name, job["made_by"])
            assert not [text for text in job["tail_must_not"] if text in tail], (name, job["made_by"])
            assert "[xpm] Cleaning up" not in tail
            assert not job["tail_empty"] or not tail.strip()
            assert not set(f"{shown}{tail}") & {*map(chr, range(32))} - {"\n", "\t"}


def test_groups_are_causes(judged: Any) -> None:
    """Failures are in one group exactly if they have one cause."""
    for name, said, found in judged:
        group = {job: members["name"] for members in said["groups"] for job in members["jobs"]}
        soft = {job for members in said["groups"] if members["soft"] for job in members["jobs"]}
        for one, other in itertools.combinations(group.keys() - soft, 2):
            same = found[one]["cause_group"] == found[other]["cause_group"]
            assert same == (group[one] == group[other]), (name, group[one], group[other])


def test_failures_of_a_sweep_have_six_causes(tmp_path: Path) -> None:
    """16 of 18 jobs failed for six reasons; two of them were kept from starting."""
    frame = failures("fails", workspace=unpacked("lab_fails", tmp_path), backend="polars", quiet=True)
    assert (len(frame), frame["cause_group"].n_unique()) == (16, 6)
    assert frame["failure"].value_counts(sort=True).rows()[0][0] == "FAILED"


def test_blocked_jobs_have_the_cause_of_what_blocked_them(tmp_path: Path) -> None:
    """Three jobs crashed and kept three others from starting: six rows, one cause."""
    root = unpacked("lab_cifar", tmp_path)
    frame = failures("cifar", workspace=root, backend="polars", quiet=True)
    crashed = frame.filter(frame["failure"] != "DEPENDENCY")
    blocked = frame.filter(frame["failure"] == "DEPENDENCY")
    assert (len(crashed), len(blocked), frame["cause_group"].n_unique()) == (3, 3, 1)
    assert set(blocked["blocked_by"]) == set(crashed["job_id"])
    assert blocked["log"].null_count() == 3


def test_each_directory_is_told_once(tmp_path: Path) -> None:
    """Over all runs, a failed job that several list has one row, in the last that lists it."""
    root = unpacked("lab_cifar", tmp_path)
    runs = xpframe.Workspace(root).runs("cifar")
    frame = failures("cifar", workspace=root, run="all", backend="polars", quiet=True)
    assert frame["job_id"].is_unique().all()
    assert len(runs) > 1
    latest = failures("cifar", workspace=root, backend="polars", quiet=True)
    assert set(latest["job_id"]) <= set(frame.filter(frame["run"] == runs[0])["job_id"])
