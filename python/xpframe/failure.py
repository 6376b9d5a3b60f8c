"""A failed job, and failures of one cause, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpframe.text import plural, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Failure", "FailureGroup", "by_cause"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed job. What stands in its log is shown without terminal sequences and control characters.

    Args:
        job_id, task: The job.

        experiment, run: Where it was read, if several runs were.

        tags: Its tags, without those that it lacks.

        failure: ``"FAILED"``; ``"KILLED"``: its process ended without a word; ``"DEPENDENCY"``: another job
            failed, so it never started; ``"LOST"``: it waited when its driver went away; or what the
            scheduler says, as in ``"TIMEOUT"``.

        exit_code: The code that its process gave, if it wrote down a number.

        exception, message: What it raised: the class with its module, and the text.

        location: The last frame in the user's code, as ``"tasks.py:12 in execute"``.

        cause: What the exception goes back to, as ``"KeyError: 'lr'"``.

        blocked_by: The job upstream that failed first, for one that never started.

        cause_group: The same text for failures that differ in numbers, paths and addresses only.

        log: The path of its log.

        tail: The last lines of the log that say something, with the traceback.
    """

    job_id: str
    task: str
    failure: str
    cause_group: str
    experiment: str | None = None
    run: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    exception: str | None = None
    message: str | None = None
    location: str | None = None
    cause: str | None = None
    blocked_by: str | None = None
    log: str | None = None
    tail: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one cause.

    Args:
        cause_group: What they have in common, as a fingerprint.

        failures: All of them, jobs that they kept from starting included.
    """

    cause_group: str
    failures: tuple[Failure, ...]

    def __repr__(self) -> str:
        example = self.example
        said = ": ".join(part for part in (example.exception, example.message) if part) or example.failure
        return f"<FailureGroup of {plural(len(self.failures), 'failed job')}: {visible(said, 120)}>"

    @property
    def crashed(self) -> tuple[Failure, ...]:
        """Those that failed by themselves."""
        return tuple(failure for failure in self.failures if failure.failure != "DEPENDENCY")

    @property
    def blocked(self) -> tuple[Failure, ...]:
        """Those that never started because another failed."""
        return tuple(failure for failure in self.failures if failure.failure == "DEPENDENCY")

    @property
    def example(self) -> Failure:
        """The first that failed by itself; the first blocked one if there is none."""
        return (self.crashed or self.failures)[0]

    @property
    def shared_tags(self) -> dict[str, Any]:
        """The tags that all of its jobs have with the same value."""
        first, *others = (failure.tags for failure in self.failures)
        missing = object()

        def is_shared(name: str) -> bool:
            mine = first[name]
            theirs = [tags.get(name, missing) for tags in others]
            return all(type(value) is type(mine) and value == mine for value in theirs)

        return {name: first[name] for name in first if is_shared(name)}


def by_cause(failures: Iterable[Failure]) -> list[FailureGroup]:
    """The failures by cause, those of most jobs first."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.cause_group, []).append(failure)
    found = [FailureGroup(name, tuple(members)) for name, members in groups.items()]
    return sorted(found, key=lambda group: -len(group.failures))
