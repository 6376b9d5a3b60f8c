"""Shell patterns of files become filter rules of rsync."""

from __future__ import annotations

import re

from xpframe.errors import InvalidArgumentError

__all__ = ["job_rules", "literal", "result_patterns", "run_rules"]

JOB = "/jobs/*/*"


def run_rules(patterns: list[str]) -> list[str]:
    """Rules that send what these patterns match below the root.

    A run or an experiment that is gone on the host stays in the copy: the host may have tidied up.
    """
    rules = {f"+ /{above}/" for pattern in patterns for above in _above(pattern)}
    protected = [f"P /{parent}" for parent in ("experiments/*", "experiments/*/*", "xp/*")]
    return [*protected, *sorted(rules), *(f"+ /{pattern}" for pattern in patterns), "- *"]


def job_rules(patterns: list[str]) -> list[str]:
    """Rules that send what these patterns match in the directories of jobs; those gone on the host stay."""
    above = {f"+ {JOB}/{each}/" for pattern in patterns for each in _above(pattern)}
    # a directory of jobs may be a link, which no rule with a slash at its end would match
    parents = ["/jobs", "/jobs/*", JOB]
    return [
        *(f"P {parent}" for parent in parents),
        *(f"+ {parent}" for parent in parents),
        *sorted(above),
        *(f"+ {JOB}/{pattern}" for pattern in patterns),
        "- *",
    ]


def result_patterns(glob: str) -> list[str]:
    """The patterns of rsync for a pattern of results: there ``**`` is one directory or more, here also none.

    Raises:
        InvalidArgumentError: The pattern leads out of the directory of the job.
    """
    parts = [part for part in glob.split("/") if part not in ("", ".")]
    if not parts or glob.startswith("/") or ".." in parts or re.search(r"[\0\n\r]", glob):
        raise InvalidArgumentError(
            f"results={glob!r}",
            hint="give a pattern below the directories of jobs, as in 'runs/**/events.*'",
        )
    if parts[-1] == "**":
        parts.append("*")
    found: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            found += [[*begin, part] for begin in found if begin[-1:] != ["**"]]
        else:
            found = [[*begin, part] for begin in found]
    return ["/".join(pattern) for pattern in found]


def literal(name: str) -> str:
    """A pattern that matches this name only. Without wildcards rsync compares text, backslashes too."""
    return re.sub(r"([\\*?\[])", r"\\\1", name) if re.search(r"[*?\[]", name) else name


def _above(pattern: str) -> list[str]:
    """The directories above a pattern, the outermost first."""
    parts = pattern.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
