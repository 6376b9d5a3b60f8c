"""The word for a state, which also stands in for the states of experimaestro."""

from __future__ import annotations

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["State"]


class State(str):
    """A state, as the word that tables have for it: ``done``, ``error``, ``running`` and so on.

    It is a ``str``. It has the methods of experimaestro's ``JobState``, and it equals the state or the member
    of an enum that has its name: ``job.state == JobState.DONE``.

    Args:
        word: The word.
        failure_reason: Why a job failed, as ``TIMEOUT``; None for other states.
    """

    __slots__ = ("failure_reason",)

    failure_reason: State | None

    def __new__(cls, word: str, failure_reason: str | None = None) -> Self:
        state = super().__new__(cls, word)
        state.failure_reason = None if failure_reason is None else State(failure_reason)
        return state

    @property
    def name(self) -> str:
        """The word."""
        return str(self)

    @property
    def value(self) -> str:
        """The word."""
        return str(self)

    def is_error(self) -> bool:
        """Whether a job failed."""
        return self == "error"

    def finished(self) -> bool:
        """Whether a job is done or failed."""
        return self in ("done", "error")

    def running(self) -> bool:
        """Whether a job runs now, or was given to a launcher (experimaestro counts both)."""
        return self in ("running", "scheduled")

    def notstarted(self) -> bool:
        """Whether a job has yet to start."""
        return self in ("unscheduled", "transient", "waiting", "ready")

    def is_unscheduled(self) -> bool:
        """Whether nobody asked for the job to run, or only as a transient one."""
        return self in ("unscheduled", "transient")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.__eq__(self, other)
        name = getattr(other, "name", None)
        return isinstance(name, str) and name.lower() == self.lower()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
