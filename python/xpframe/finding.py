"""One finding of :meth:`xpframe.Workspace.check`, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SEVERITIES", "Finding"]

# worst first
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in a workspace.

    Args:
        severity: ``"error"``: values of a table are missing or wrong. ``"warning"``: tables are right, but
            something went wrong when the experiment ran, or another reader is misled. ``"info"``: nothing is
            wrong.

        kind: The kind of fault, as in ``"dangling-reference"``.

        experiment, run, job_id: The run or job concerned, if there is one.

        file, line: Where to look; lines count from 1.

        field: The field of the job, as in ``model.layers[2].size``.

        what: The fault, in words.

        advice: What to do about it.
    """

    severity: str
    kind: str
    experiment: str | None
    run: str | None
    job_id: str | None
    file: str | None
    line: int | None
    field: str | None
    what: str
    advice: str
