"""The exceptions of xpframe. Each is also a subclass of the matching builtin.

An error says what went wrong, where (``file``, ``line``, ``job``, ``field``) and what to do (``hint``). With
``strict=True`` the first error is raised; otherwise ``.errors`` lists all of them.
"""

from __future__ import annotations

__all__ = [
    "ColumnError",
    "ExperimentNotFoundError",
    "FieldError",
    "FormatError",
    "InvalidArgumentError",
    "InvalidNameError",
    "JobNotFoundError",
    "MissingLibraryError",
    "PullError",
    "ReadError",
    "RunNotFoundError",
    "TooManyColumnsError",
    "UnresolvedError",
    "WorkspaceNotFoundError",
    "XpFrameError",
    "XpFrameWarning",
]


MAX_NAME_LENGTH = 300


class XpFrameError(Exception):
    """Base class of all xpframe errors.

    Args:
        reason: What went wrong.
        file: The file.
        line: The line in the file, counted from 1.
        job: The identifier of the job.
        field: The field or column.
        hint: What to do about it.
    """

    def __init__(
        self,
        reason: str,
        *,
        file: str | None = None,
        line: int | None = None,
        job: str | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason, self.file, self.line, self.job, self.field, self.hint = (
            reason,
            file,
            line,
            job,
            field,
            hint,
        )

    @property
    def place(self) -> str:
        """Where it went wrong, as in ``objects.jsonl:12, job 3fa…``; empty if unknown."""
        file = f"{self.file}:{self.line}" if self.file and self.line else self.file
        job = f"job {_clipped(self.job)}" if self.job else None
        field = f"field {_clipped(self.field)}" if self.field else None
        return ", ".join(part for part in (file, job, field) if part)

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.reason}{hint}"

    def _render_traceback_(self) -> list[str]:
        # called by IPython
        return _rendered(self)

    def __reduce__(self) -> tuple[object, ...]:
        details = {name: getattr(self, name) for name in ("file", "line", "job", "field", "hint")}
        return _rebuild, (type(self), self.reason, details)


def _rendered(error: XpFrameError) -> list[str]:
    """The traceback that IPython shows: it ends at the user's line, without the frames of this package, of
    polars, which calls it, and of the errors that led to this one.
    """
    import copy
    import sys
    import traceback
    from types import TracebackType

    entries = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    inside = tuple(
        str(module.__file__).rpartition("/")[0]
        for module in (sys.modules.get(name) for name in ("xpframe", "polars"))
        if module is not None
    )
    while len(entries) > 1 and entries[-1].tb_frame.f_code.co_filename.startswith(inside):
        entries.pop()
    shown = None
    for entry in reversed(entries):
        shown = TracebackType(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    alone = copy.copy(error)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return traceback.format_exception(type(error), alone, shown)
    rendered: list[str] = shell.InteractiveTB.structured_traceback(type(error), alone, shown)
    return rendered


def _clipped(name: str) -> str:
    """A name, or its beginning: names in files have any length."""
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}… ({len(name)} characters)"


def _rebuild(kind: type[XpFrameError], reason: str, details: dict[str, object]) -> XpFrameError:
    return kind(reason, **details)  # type: ignore[arg-type]  # the details of an instance of the same class


class WorkspaceNotFoundError(XpFrameError, FileNotFoundError):
    """No workspace was found."""


class ExperimentNotFoundError(XpFrameError, FileNotFoundError, KeyError):
    """The workspace has no such experiment."""


class RunNotFoundError(XpFrameError, FileNotFoundError, KeyError):
    """The experiment has no such run."""


class JobNotFoundError(XpFrameError, KeyError):
    """The run has no such job, action or saved object."""


class InvalidNameError(XpFrameError, ValueError):
    """A name that would lead out of the workspace, or is not valid."""


class InvalidArgumentError(XpFrameError, ValueError):
    """An argument with a wrong type or value."""


class ColumnError(XpFrameError, KeyError):
    """An unknown or ambiguous column."""


class TooManyColumnsError(XpFrameError, ValueError):
    """More columns than ``max_columns``."""


class FormatError(XpFrameError, ValueError):
    """A file with content that experimaestro does not write."""


class UnresolvedError(XpFrameError, AttributeError):
    """An object was used that no file contains: its reference is dangling."""


class FieldError(XpFrameError, AttributeError):
    """The config has no such field."""


class ReadError(XpFrameError, OSError):
    """The operating system refused to read a file."""


class PullError(XpFrameError, OSError):
    """A workspace of another machine could not be copied, or not the whole of it."""


class MissingLibraryError(XpFrameError, ImportError):
    """A library that a call needs is not installed, or is and cannot be imported."""


class XpFrameWarning(UserWarning):
    """Something could not be read, or is displayed differently from the files.

    ``errors`` lists what could not be read.
    """

    def __init__(self, message: str, errors: list[XpFrameError] | None = None) -> None:
        super().__init__(message)
        self.errors: list[XpFrameError] = errors or []
