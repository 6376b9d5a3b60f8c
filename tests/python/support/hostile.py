"""Workspaces made to hurt: each case writes a run, and `READ_ALL` does with it whatever a user can."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from reliability import effort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

TASK = "lab.train"
JOB = "0" * 64
# what the names call a million or a megabyte is less where the time is short
MEGABYTE = effort(50_000, 1_000_000)

CASES: dict[str, Callable[[Workspace], None]] = {}


class Workspace:
    """A run of a workspace, written file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = root / "experiments" / "x" / "20260101_000000"
        self.run.mkdir(parents=True)
        (root / ".__experimaestro__").touch()
        self.jobs([JOB])

    def jobs(self, job_ids: Iterable[str], tags: str = "{}", task: str = TASK) -> None:
        row = '{"job_id": %s, "task_id": %s, "tags": %s, "timestamp": 1.5e9}\n'
        lines = (row % (json.dumps(job_id), json.dumps(task), tags) for job_id in job_ids)
        (self.run / "jobs.jsonl").write_text("".join(lines))

    def objects(self, *lines: str) -> None:
        (self.run / "objects.jsonl").write_text("".join(line + "\n" for line in lines))

    def job_file(self, name: str) -> Path:
        path = self.root / "jobs" / TASK / JOB / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def case(make: Callable[[Workspace], None]) -> Callable[[Workspace], None]:
    CASES[make.__name__] = make
    return make


def line(number: int, fields: str, identifier: str | None = None, name: str = "Train") -> str:
    """An object definition; the fields are JSON between braces."""
    identifier = JOB if identifier is None else identifier
    return (
        f'{{"id":{number},"module":"lab","type":"{name}","typename":"lab.{name}",'
        f'"identifier":"{identifier}","fields":{{{fields}}}}}'
    )


def to(number: int) -> str:
    return f'{{"type":"python","value":{number}}}'


# --- references ---


@case
def a_circle_of_thousands(w: Workspace) -> None:
    count = 20_000
    steps = [line(n, f'"next":{to(n + 1)},"first":{to(1)}', f"c{n}", "Step") for n in range(1, count)]
    w.objects(
        *steps, line(count, f'"next":{to(1)}', f"c{count}", "Step"), line(count + 1, f'"model":{to(1)}')
    )


@case
def everybody_refers_to_everybody(w: Workspace) -> None:
    fields = ",".join(f'"f{n}":{to(n)}' for n in range(300))
    w.objects(*[line(n, fields, f"c{n}", "Step") for n in range(300)], line(300, f'"model":{to(7)}'))


@case
def thousands_of_jobs_in_a_chain_lack_an_object(w: Workspace) -> None:
    ids = [f"{n:064}" for n in range(5_000)]
    w.jobs(ids)
    w.objects(*[line(n + 1, f'"before":{to(n)}', job_id) for n, job_id in enumerate(ids)])


def bomb(pair: Callable[[int], str], levels: int = 30) -> list[str]:
    lines = [line(1, '"leaf":1', "c1", "Part")]
    lines += [line(n, pair(n - 1), f"c{n}", "Part") for n in range(2, levels + 1)]
    return [*lines, line(levels + 1, pair(levels))]


@case
def two_children_that_are_one(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"left":{to(n)},"right":{to(n)}'))


@case
def a_list_of_two_that_are_one(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"both":[{to(n)},{to(n)}]'))


@case
def a_dict_of_two_that_are_one(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"both":{{"a":{to(n)},"b":{to(n)}}}'))


@case
def a_set_of_two_that_are_one(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"both":{{"type":"set","items":[{to(n)},{to(n)}]}}'))


@case
def a_thousand_levels_of_two(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"left":{to(n)},"right":{to(n)}', 1_000))


@case
def a_hundred_thousand_levels_of_one(w: Workspace) -> None:
    w.objects(*bomb(lambda n: f'"only":{to(n)}', 100_000))


# --- width and length ---


@case
def a_million_fields(w: Workspace) -> None:
    w.objects(line(1, ",".join(f'"f{n}":{n}' for n in range(MEGABYTE))))


@case
def a_million_keys(w: Workspace) -> None:
    keys = ",".join(f'"k{n}":{n}' for n in range(MEGABYTE))
    w.objects(line(1, f'"options":{{{keys}}}'))


@case
def a_million_tags(w: Workspace) -> None:
    w.jobs([JOB], "{" + ",".join(f'"t{n}":{n}' for n in range(MEGABYTE)) + "}")
    w.objects(line(1, '"x":1'))


@case
def a_million_columns_of_a_thousand_jobs(w: Workspace) -> None:
    each = effort(150, 1_000)
    ids = [f"{n:064}" for n in range(1_000)]
    w.jobs(ids)
    fields = [",".join(f'"f{n}_{k}":{k}' for k in range(each)) for n in range(1_000)]
    w.objects(*[line(n, fields[n], job_id) for n, job_id in enumerate(ids)])


@case
def a_list_of_millions(w: Workspace) -> None:
    zeros = "0," * 5 * MEGABYTE
    w.objects(line(1, f'"x":[{zeros}0]'))


@case
def a_set_of_a_hundred_thousand_lists(w: Workspace) -> None:
    items = ",".join(f"[{n}]" for n in range(100_000))
    w.objects(line(1, f'"x":{{"type":"set","items":[{items}]}}'))


@case
def a_line_of_a_hundred_megabytes(w: Workspace) -> None:
    text = "x" * 100 * MEGABYTE
    w.objects(line(1, f'"x":"{text}"'))


@case
def escapes_of_a_hundred_megabytes(w: Workspace) -> None:
    escapes = r"\u00e9" * 16 * MEGABYTE
    w.objects(line(1, f'"x":"{escapes}"'))


@case
def a_key_of_a_hundred_megabytes(w: Workspace) -> None:
    key = "k" * 100 * MEGABYTE
    w.objects(line(1, f'"{key}":1'))


@case
def names_of_a_hundred_megabytes(w: Workspace) -> None:
    w.objects(line(1, '"x":1', name="N" * 30 * MEGABYTE, identifier="i" * 30 * MEGABYTE))


@case
def a_job_id_of_a_hundred_megabytes(w: Workspace) -> None:
    w.jobs(["j" * 100 * MEGABYTE])
    w.objects(line(1, '"x":1'))


@case
def garbage_of_a_hundred_megabytes(w: Workspace) -> None:
    (w.run / "objects.jsonl").write_bytes(b"\xff" * 100 * MEGABYTE)


@case
def a_time_of_ten_megabytes(w: Workspace) -> None:
    w.objects(line(1, '"x":1'))
    text = "t" * 10 * MEGABYTE
    (w.run / "status.json").write_text(json.dumps({"started_at": text, "run_tags": text}))
    w.job_file("train.pid").touch()
    status = {"started_time": text, "state": text}
    w.job_file(".experimaestro").mkdir()
    w.job_file(".experimaestro/status.json").write_text(json.dumps(status))


# --- depth and size of numbers ---

DEEP = "[" * 100_000 + "]" * 100_000
DEEP_DICT = '{"a":' * 100_000 + "1" + "}" * 100_000


@case
def nesting_a_hundred_thousand_deep(w: Workspace) -> None:
    w.jobs([JOB, "1" * 64], f'{{"t":{DEEP}}}')
    with (w.run / "jobs.jsonl").open("a") as file:
        file.write(json.dumps({"job_id": JOB, "task_id": TASK, "tags": {}, "timestamp": 1.0}) + "\n")
    w.objects(line(1, f'"x":{DEEP}'), line(2, f'"x":{DEEP_DICT}'), DEEP)
    (w.run / "status.json").write_text(f'{{"actions":{DEEP_DICT}}}')
    (w.run / "environment.json").write_text(DEEP)
    w.job_file("params.json").write_text(f'{{"objects":{DEEP}}}')
    w.job_file("train.failed").write_text(DEEP)


@case
def nesting_a_thousand_deep(w: Workspace) -> None:
    deep = "[" * 990 + "]" * 990
    deep_dict = '{"a":' * 990 + "1" + "}" * 990
    w.objects(line(1, f'"x":{deep},"y":{deep_dict}'))


@case
def numbers_of_a_million_digits(w: Workspace) -> None:
    digits = "7" * MEGABYTE
    w.jobs([JOB], f'{{"n":{digits}}}')
    fields = f'"i":{digits},"n":-{digits},"f":0.{digits},"g":{digits}.5,"h":1e{digits},"k":1e-{digits}'
    w.objects(line(1, fields), f'{{"id":{digits},"fields":{{}}}}')
    (w.run / "status.json").write_text(f'{{"events_count":{digits},"started_at":{digits}}}')


@case
def a_thousand_numbers_of_a_hundred_thousand_digits(w: Workspace) -> None:
    numbers = ",".join(["7" * 100_000] * effort(30, 300))
    w.objects(line(1, f'"x":[{numbers}]'))


# --- names ---


@case
def names_that_are_paths(w: Workspace) -> None:
    names = ["../../../../etc/passwd", "/etc/passwd", "..", ".", "", "a\x00b", "a\nb", "x" * 5_000, "é"]
    w.jobs([JOB, *names], task="../../x")
    with (w.run / "jobs.jsonl").open("a") as file:
        rows = [{"job_id": n + "1", "task_id": t, "tags": {}} for n in names for t in (TASK, "a/../../b", n)]
        file.writelines(json.dumps(row) + "\n" for row in rows)
    w.objects(*[line(n, '"x":1', json.dumps(name)[1:-1]) for n, name in enumerate([JOB, *names])])
    (w.run / "data" / "..x").mkdir(parents=True)
    (w.run / "data" / "out").symlink_to("/etc")


@case
def links_in_circles(w: Workspace) -> None:
    w.objects(line(1, '"x":1'))
    for name in ("status.json", "environment.json", "configs.json", "data", "results"):
        (w.run / name).symlink_to(name)
    (w.run / "events").symlink_to(".")
    (w.run / "loop").symlink_to("..")
    (w.root / "experiments" / "loop").symlink_to("../experiments")
    (w.root / "experiments" / "self").symlink_to("self")
    (w.root / "experiments" / "x" / "current").symlink_to("current")
    (w.root / ".events").mkdir()
    (w.root / ".events" / "experiments").symlink_to("experiments")
    (w.root / "jobs" / TASK).mkdir(parents=True)
    (w.root / "jobs" / TASK / JOB).symlink_to(JOB)
    (w.root / "xp").symlink_to("xp")


def strange(make: Callable[[Path], None]) -> Callable[[Workspace], None]:
    """Something else in the place of every file but the list of jobs."""

    def write(w: Workspace) -> None:
        names = ["objects.jsonl", "status.json", "environment.json", "events/event-0.jsonl"]
        names += ["data/default/experimaestro.json", "../lock", "../../../.events/experiments/x-1.jsonl"]
        paths = [w.run / name for name in names]
        paths += [w.job_file(name) for name in ("params.json", ".experimaestro/status.json")]
        paths += [w.job_file(f"train.{end}") for end in ("done", "failed", "pid")]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)

    return write


def link_to(target: str) -> Callable[[Workspace], None]:
    return strange(lambda path: path.symlink_to(target))


CASES |= {
    "pipes": strange(os.mkfifo),
    "directories": strange(lambda path: path.mkdir()),
    "endless_devices": link_to("/dev/zero"),
    "terminals": link_to("/dev/tty"),
    "files_that_block": link_to("/proc/kmsg"),
    "files_that_refuse": link_to("/proc/self/mem"),
    "empty_devices": link_to("/dev/null"),
}


@case
def a_pipe_as_list_of_jobs(w: Workspace) -> None:
    (w.run / "jobs.jsonl").unlink()
    os.mkfifo(w.run / "jobs.jsonl")


@case
def objects_of_a_terabyte(w: Workspace) -> None:
    with (w.run / "objects.jsonl").open("w") as file:
        file.truncate(1 << 40)


@case
def a_file_of_a_terabyte(w: Workspace) -> None:
    for name in ("objects.jsonl", "status.json", "jobs.jsonl"):
        with (w.run / name).open("w") as file:
            file.truncate(1 << 40)


READ_ALL = r"""
import copy, json, pickle, resource, sys, warnings
root, run, memory = sys.argv[1], sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
import xpframe
from xpframe.display.tree import config_html, config_text
warnings.simplefilter("ignore")
told = {}
TRACE = len(sys.argv) > 4

def attempt(name, call):
    if TRACE:
        import time
        print(name, file=sys.stderr, flush=True); start = time.time()
    try:
        return call()
    except xpframe.XpFrameError as error:
        told[name] = f"{type(error).__name__}: {error}"
        assert len(str(error)) < 4_000 + len(run), (name, len(str(error)))
    finally:
        if TRACE:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(f"   {time.time() - start:.2f} s, peak {peak} MB", file=sys.stderr, flush=True)

def walk(config):
    seen, pending = {id(config): config}, [config]
    while pending:
        for value in xpframe.fields(pending.pop()).values():
            if isinstance(value, xpframe.Config) and id(value) not in seen:
                seen[id(value)] = value
                pending.append(value)
    return len(seen)

info = attempt("load", lambda: xpframe.load_xp_info(run))
again = attempt("load", lambda: xpframe.load_xp_info(run))
if info is not None:
    for name in ("errors", "tags", "dependencies", "states", "saved", "status", "alive", "environment"):
        attempt(name, lambda: getattr(info, name))
    errors = info.errors
    assert all(len(str(error)) < 4_000 + len(run) for error in errors), max(len(str(e)) for e in errors)
    attempt("repr", lambda: (repr(info), repr(info.jobs), repr(info.actions)))
    attempt("html", lambda: (info._repr_html_(), info.jobs._repr_html_(), info.actions._repr_html_()))
    for job_id, job in list(info.jobs.items())[:20]:
        attempt("repr of a job", lambda: repr(job))
        attempt("walk", lambda: walk(job))
        attempt("html of a job", lambda: config_html(job))
        attempt("text of a job", lambda: config_text(job))
        attempt("hash", lambda: hash(job))
        attempt("equality", lambda: job == again.jobs[job_id])
        attempt("pickle", lambda: pickle.loads(pickle.dumps(job)))
        attempt("copy", lambda: copy.deepcopy(copy.copy(job)))
        attempt("names", lambda: (xpframe.typename(job), xpframe.identifier(job), xpframe.tags(job)))
        attempt("dir", lambda: dir(job))
        attempt("unknown field", lambda: job.unknown_field)
        attempt("asdict", lambda: xpframe.asdict(job))
        attempt("asdict", lambda: xpframe.asdict(job))
workspace = attempt("workspace", lambda: xpframe.Workspace(root))
if workspace is not None:
    attempt("listing", lambda: [workspace.runs(name) for name in workspace.experiments()])
    attempt("workspace html", lambda: workspace._repr_html_())
    attempt("current", lambda: workspace.get_current_run("x"))
    attempt("saved", lambda: workspace.load("x"))
attempt("strict", lambda: xpframe.load_xp_info(run, strict=True))
table = attempt("table", lambda: xpframe.xp_table(run))
if table is not None:
    attempt("table repr", lambda: (repr(table), table._repr_html_()))
attempt("columns", lambda: xpframe.xp_table(run, columns=["job_id", "state", "task", "dependencies"]))
attempt("unknown column", lambda: xpframe.xp_table(run, columns=["config.unknown_column"]))
print(json.dumps({
    "told": told,
    "errors": [] if info is None else [str(error)[:300] for error in errors[:5]],
    "jobs": 0 if info is None else len(info.jobs),
    "rows": None if table is None else len(table),
    # not ru_maxrss, which begins with what the process that started this one had
    "peak": 1024 * int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]),
}))
"""


def write(name: str, root: Path) -> Path:
    """Writes a case; gives the run directory."""
    workspace = Workspace(root)
    CASES[name](workspace)
    return workspace.run


def size(root: Path) -> int:
    """How many bytes the workspace takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in root.rglob("*"))


def result(output: str) -> Any:
    return json.loads(output.splitlines()[-1])
