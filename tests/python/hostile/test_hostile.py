"""Files that were made to hurt: each is read, or refused in clear words, in bounded time and memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hostile import CASES, JOB, READ_ALL, result, size, write
from reliability import figures

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
GIGABYTE = 1 << 30
# address space: threads and libraries reserve much more than they use
SPACE = 4 * GIGABYTE
# nobody waits so long: what is bounded takes seconds, what is not takes hours
PATIENCE = 180


def read_all(root: Path, run: Path) -> Any:
    """What came of doing everything with a run, in a process that may not use more than a little."""
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(root), str(run), str(SPACE)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return result(done.stdout)


EXPLODES = {"table": "TooManyColumnsError", "asdict": "InvalidArgumentError"}
WIDE = {"table": "TooManyColumnsError"}
# jobs with a config, rows of the table, and the calls that cannot be answered
EXPECTED: dict[str, tuple[int, int | None, dict[str, str]]] = {
    "a_circle_of_thousands": (1, 1, {}),
    "two_children_that_are_one": (1, None, EXPLODES),
    "a_thousand_levels_of_two": (1, None, EXPLODES),
    "a_list_of_two_that_are_one": (1, None, EXPLODES),
    "a_set_of_two_that_are_one": (1, None, EXPLODES),
    "a_million_fields": (1, None, WIDE),
    "a_million_tags": (1, None, WIDE),
    "a_line_of_a_hundred_megabytes": (1, 1, {}),
    "numbers_of_a_million_digits": (1, 1, {}),
    "nesting_a_hundred_thousand_deep": (0, 1, {"strict": "FormatError"}),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_hostile_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    """No crash, no hang, no foreign exception, no text without end, and memory in proportion to the files."""
    root = tmp_path / "ws"
    run = write(name, root)
    on_disk = size(root)
    found = read_all(root, run)
    print(found)
    # whatever the size of the files: twenty million values in lists, a line of 256 MiB in each of two files,
    # a level of columns for each job that holds the job before it, and what a value takes whose text is a
    # digit: five million in a list, a million with names
    allowed = {
        "of_two": 2_500_000_000,
        "of_a_terabyte": 1_000_000_000,
        "in_a_chain": 1_500_000_000,
        "of_millions": 2_000_000_000,
        "a_million_": 1_000_000_000,
    }
    at_least = next((bytes_ for part, bytes_ in allowed.items() if part in name), 300_000_000)
    assert found["peak"] < at_least + 20 * on_disk
    assert found["rows"] is not None or found["told"]["table"]
    if name in EXPECTED:
        jobs, rows, told = EXPECTED[name]
        assert (found["jobs"], found["rows"]) == (jobs, rows)
        assert {call: found["told"][call].partition(":")[0] for call in told} == told
    figures(f"hostile-{name}", {"KB on disk": on_disk // 1000, "MB of memory": found["peak"] // 1_000_000})


def test_nothing_outside_is_shown(tmp_path: Path) -> None:
    """Names that are paths lead nowhere: what lies outside of the workspace is in no answer."""
    secret = "the secret outside"
    for name in ("params.json", "experimaestro.json", "train.failed", ".experimaestro/status.json"):
        path = tmp_path / "outside" / JOB / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"objects": [], "message": "{secret}", "state": "{secret}", "data": "{secret}"}}')
    root = tmp_path / "ws"
    run = write("names_that_are_paths", root)
    rows = (run / "jobs.jsonl").read_text()
    (run / "jobs.jsonl").write_text(
        rows.replace("../../x", "../../outside").replace('"../../../../etc', '"../..')
    )
    (root / "experiments" / "x" / "out").symlink_to(tmp_path / "outside" / JOB)
    (run / "data" / "default").symlink_to(tmp_path / "outside" / JOB)
    found = read_all(root, run)
    assert secret not in str(found)
    assert found["rows"] > 12
