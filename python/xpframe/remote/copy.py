"""Copies a workspace: the files of its runs first, then those of their jobs."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xpframe import _core
from xpframe.arguments import checked_texts
from xpframe.errors import ExperimentNotFoundError, InvalidArgumentError, WorkspaceNotFoundError, XpFrameError
from xpframe.locate import expanded
from xpframe.remote.address import Address
from xpframe.remote.outcome import Counts, Pulled
from xpframe.remote.problems import problem_of, writing_into
from xpframe.remote.rsync import connect
from xpframe.remote.rules import job_rules, literal, result_patterns, run_rules
from xpframe.report import report

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xpframe.remote.rsync import Connection

__all__ = ["pull"]

SOURCE_FILE = "source.json"
# states of jobs whose logs say why they failed
FAILED = ("error", "lost")
# links that lead to links that lead to links
MAX_LINK_ROUNDS = 4


def pull(
    source: str,
    directory: str | os.PathLike[str],
    experiments: str | Sequence[str] = (),
    *,
    results: str | Sequence[str] = (),
    dry_run: bool = False,
    ssh: str | None = None,
    strict: bool = False,
) -> Pulled:
    """Copies what xpframe reads of a workspace on another machine: a few small files of each job.

    ``rsync`` over ``ssh`` sends only what changed since the last time, keeps times and links, and never
    writes on the host. A file of the copy is whole at any time, also after a pull that broke off; another
    pull goes on. Jobs and runs that are gone on the host stay in the copy.

    Args:
        source: ``HOST:PATH``; HOST as ssh takes it, PATH absolute or below the home directory there.
        directory: The copy: a new or empty directory, or the copy of an earlier pull of the same workspace.
        experiments: Names or globs of the experiments to copy, with the jobs upstream of theirs; by default
            all experiments, and all jobs.
        results: Result files to copy, as patterns below the directories of jobs: ``metrics.json``,
            ``runs/**/events.out.tfevents.*``.
        dry_run: Only say how many files and bytes would be sent. Logs of failed jobs are estimated from what
            the runs recorded.
        ssh: The command that reaches the host, as in ``"ssh -p 2222"``; by default ``$RSYNC_RSH``, else
            ``ssh``.
        strict: Raises an error if a file could not be copied. By default a warning lists them.

    Raises:
        InvalidArgumentError: An argument has a wrong form, or the directory is not empty and no copy of this
            workspace.
        MissingLibraryError: rsync or ssh is not installed.
        PullError: The host does not answer, has no rsync, or the transfer broke off.
        WorkspaceNotFoundError: There is no workspace on the host.
        ExperimentNotFoundError: The workspace has no such experiment.
    """
    address, started = Address.parse(source), time.monotonic()
    hint = "give names or globs of experiments"
    names = checked_texts("experiments", experiments, hint)
    hint = "give patterns of files below the directories of jobs"
    globs = checked_texts("results", results, hint)
    patterns = [pattern for glob in globs for pattern in result_patterns(glob)]
    target = expanded(directory).absolute()
    with ExitStack() as stack:
        stack.enter_context(writing_into(target))
        _check_target(target, address)
        connection = stack.enter_context(connect(address, ssh))
        _check_source(connection)
        counted = target
        if dry_run:
            counted = target if target.is_dir() else _temporary(stack)
            local = _temporary(stack)
        else:
            local = target
            _mark(target, address)
        counts = _Transfer(connection, local, counted, names, patterns, dry_run=dry_run).run()
    problems = list(dict.fromkeys(connection.problems))
    _report(address, problems, strict=strict)
    return Pulled(str(address), target, counts, problems, dry_run, time.monotonic() - started)


class _Transfer:
    """The steps of one pull.

    Args:
        connection: The host.
        local: Where the files of the runs are after the first step.
        target: The copy, or an empty directory if there is none yet.
        names: The experiments; all if there are none.
        results: Patterns of result files.
        dry_run: Only count.
    """

    def __init__(
        self,
        connection: Connection,
        local: Path,
        target: Path,
        names: list[str],
        results: list[str],
        *,
        dry_run: bool,
    ) -> None:
        self.connection, self.local, self.target = connection, local, target
        self.names, self.dry_run = names, dry_run
        # a name may be the name of one experiment, and a pattern
        patterns = list(dict.fromkeys(pattern for name in names for pattern in (literal(name), name)))
        self.run_patterns, job_patterns, self.log_patterns = _core.read_patterns(patterns)
        self.job_patterns = [*job_patterns, *results]

    def run(self) -> Counts:
        counts = self._runs()
        workspace = _core.Workspace(self.local)
        runs = [run for name in self._experiments(workspace) for run in workspace.runs(name)]
        self._locks(runs)
        counts += self._jobs(runs)
        # what was read before is of a copy without jobs and locks
        runs = [_core.open_run(run.path) for run in runs]
        states = {job: state for run in runs for job, (state, _) in run.states().items()}
        failed = [job for job in _directories(runs) if states.get(job.split("/")[2]) in FAILED]
        if failed:
            counts += self._send(job_rules(self.log_patterns), failed)
        return counts

    def _send(self, rules: list[str], listed: list[str] | None) -> Counts:
        return self.connection.send(self.target, rules, listed=listed, follow=True, dry_run=self.dry_run)

    def _runs(self) -> Counts:
        """Brings the files of the runs; for a dry run into a directory that is thrown away."""
        rules = run_rules(self.run_patterns)
        counts = self.connection.send(self.target, rules, dry_run=self.dry_run)
        if self.dry_run:
            self.connection.send(self.local, rules, base=self.target)
        return counts

    def _experiments(self, workspace: _core.Workspace) -> list[str]:
        available = workspace.experiments()
        if not self.names:
            return available
        for name in self.names:
            if name not in available and not any(_core.glob_matches(name, each) for each in available):
                there = sorted({*self._names_there("experiments/"), *self._names_there("xp/")})
                near = ", ".join(_core.near_misses(name, there)) or ", ".join(there[:10])
                raise ExperimentNotFoundError(
                    f"no experiment matches {name!r}",
                    file=str(self.connection.address),
                    hint=f"it has {near}" if near else "it has none",
                )
        return [
            each
            for each in available
            if any(each == name or _core.glob_matches(name, each) for name in self.names)
        ]

    def _names_there(self, directory: str) -> list[str]:
        with suppress(XpFrameError):
            return [name for name in self.connection.names_in(directory) if not name.startswith(".")]
        return []

    def _jobs(self, runs: list[_core.Run]) -> Counts:
        """Brings the files of jobs: all, or those of the runs and then those upstream of them."""
        rules = job_rules(self.job_patterns)
        if not self.names:
            return self._send(rules, ["jobs/"]) + self._linked(["jobs"])
        wanted = _directories(runs)
        counts = self._send(rules, wanted) if wanted else Counts()
        seen = {name.split("/")[2] for name in wanted}
        while True:
            runs = [run.refreshed() for run in runs]
            needed = {job for run in runs for jobs in run.dependencies_map().values() for job in jobs} - seen
            upstream = [job for job in sorted(needed) if re.fullmatch(r"[\w.-]+", job)]
            if not upstream or self.dry_run:
                return counts + self._linked(wanted)
            # no file of the run says of which task they are
            seen |= needed
            any_task = [rule for rule in rules if rule != "+ /jobs/*/*"]
            first = any_task.index("+ /jobs/*") + 1
            any_task[first:first] = [*(f"+ /jobs/*/{job}" for job in upstream), "- /jobs/*/*"]
            counts += self._send(any_task, ["jobs/"])
            tasks = [path for path in (self.target / "jobs").iterdir() if path.is_dir()]
            wanted += [f"jobs/{t.name}/{job}/" for t in tasks for job in upstream if (t / job).is_dir()]

    def _linked(self, directories: list[str]) -> Counts:
        """Brings what links in these directories lead to elsewhere in the workspace."""
        counts, seen = Counts(), set[str]()
        if self.dry_run:
            return counts
        for _ in range(MAX_LINK_ROUNDS):
            missing = _dangling(self.target, directories) - seen
            if not missing:
                break
            seen |= missing
            above = {f"+ /{parent}/" for name in missing for parent in _parents(name)}
            files = [f"+ /{literal(name)}" for name in sorted(missing)]
            rules = [*sorted(above), *files, "- *"]
            counts += self.connection.send(self.target, rules, listed=sorted(missing), follow=True)
        return counts

    def _locks(self, runs: list[_core.Run]) -> None:
        """Notes which drivers were gone: the copy has a lock only where nobody held it on the host."""
        if self.dry_run:
            return
        locks: dict[Path, bool] = {}
        for run in runs:
            is_first_version = run.path.parent.name == "xp"
            lock = (run.path if is_first_version else run.path.parent) / "lock"
            if run.record()["ended_at"] is None:
                locks[lock] = is_first_version
        for lock, is_first_version in locks.items():
            there = f"{self.connection.address.path}/{lock.relative_to(self.target)}"
            command = f"test ! -f {shlex.quote(there)} || flock --nonblock --shared {shlex.quote(there)} true"
            if is_first_version or self.connection.ask(f"{command} && echo free") is not None:
                lock.touch()
            else:
                lock.unlink(missing_ok=True)


def _check_target(target: Path, address: Address) -> None:
    """Refuses a directory that is no copy of this workspace, as a workspace of this machine."""
    if not target.exists():
        return
    if not target.is_dir():
        raise InvalidArgumentError(f"{target} is not a directory", hint="give a new directory for the copy")
    source = target / _core.COPY_MARKER / SOURCE_FILE
    if not source.is_file():
        if any(target.iterdir()):
            raise InvalidArgumentError(
                f"{target} is not empty, and no copy that xpframe pull made",
                hint="give a new directory: a pull replaces files",
            )
        return
    try:
        copied = json.loads(source.read_text(encoding="utf-8"))["source"]
    except (OSError, ValueError, KeyError, TypeError):
        copied = None
    if copied != str(address):
        raise InvalidArgumentError(
            f"{target} is a copy of {copied}, not of {address}",
            hint="give each workspace a directory of its own",
        )


def _check_source(connection: Connection) -> None:
    names = connection.names_in()
    if not {"experiments", "xp", ".__experimaestro__"}.intersection(name.split(" -> ")[0] for name in names):
        raise WorkspaceNotFoundError(
            "this directory is not an experimaestro workspace",
            file=str(connection.address),
            hint="expected there: experiments/, or xp/ of version 1",
        )


def _mark(target: Path, address: Address) -> None:
    marker = target / _core.COPY_MARKER
    marker.mkdir(parents=True, exist_ok=True)
    partial = marker / "partial"
    if partial.is_dir():  # what a killed rsync left
        for path in partial.iterdir():
            path.unlink()
    (marker / SOURCE_FILE).write_text(json.dumps({"source": str(address)}), encoding="utf-8")


def _temporary(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xpframe-")))


def _directories(runs: list[_core.Run]) -> list[str]:
    """The directories of the jobs of runs, each once."""
    names = {f"jobs/{task}/{job}/": None for run in runs for job, task in run.rows()}
    return [name for name in names if name.count("/") == 3 and "/../" not in name and "\0" not in name]


def _dangling(root: Path, directories: list[str]) -> set[str]:
    """Where links in these directories and below lead, inside of the workspace, and nothing is."""
    missing = set()
    pending = [root / name for name in directories]
    real_root = root.resolve()
    while pending:
        directory = pending.pop()
        with suppress(OSError):
            for path in directory.iterdir():
                if path.is_symlink():
                    if not path.exists() and (leads := _inside(path, real_root)):
                        missing.add(leads)
                elif path.is_dir():
                    pending.append(path)
    return missing


def _inside(link: Path, root: Path) -> str | None:
    """Where a link leads, relative to the workspace; None if out of it, or in a circle."""
    with suppress(OSError, RuntimeError, ValueError):
        leads = link.resolve(strict=False).relative_to(root)
        return None if "\n" in str(leads) else str(leads)
    return None


def _parents(name: str) -> list[str]:
    parts = [literal(part) for part in name.split("/")]
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _report(address: Address, problems: list[str], *, strict: bool) -> None:
    errors: list[XpFrameError] = [problem_of(address, line) for line in problems]
    report(errors, [], strict=strict)
