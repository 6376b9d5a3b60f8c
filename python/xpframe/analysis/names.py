"""Which columns of a frame are factors, and which column a name means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xpframe import _core
from xpframe.arguments import checked_texts
from xpframe.errors import ColumnError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "choose",
    "escape",
    "factor_names",
    "is_factor",
    "is_identifier",
    "is_tag",
    "last_component",
    "without_kind",
]

SYSTEM = frozenset(
    {
        *("workspace", "experiment", "run", "job_id", "task", "state", "failure", "exit_code", "retries"),
        "reused",
        *("submitted_at", "started_at", "ended_at", "duration_s", "path", "dependencies"),
        "replicate",  # ours, of an earlier call
    }
)
# an `@` that no backslash escapes, and the letters after it: @id, @job, @type, @int
_SUFFIX = re.compile(r"(?<!\\)(?:\\\\)*@([A-Za-z]+)$")
_UPSTREAM = re.compile(r"^up\..+?(?<!\\)\.(?:tags|config)\.")
_COMPONENT = re.compile(r"(?<!\\)\.")
# keys are escaped as in the names of columns
_ESCAPED = re.compile(r"[.\\]|@(?=[A-Za-z])")


def is_factor(name: str) -> bool | None:
    """Whether a column is a factor by its name; None for a name that xpframe does not give."""
    if name in SYSTEM:
        return name == "task"
    if name.startswith("up."):
        return bool(_UPSTREAM.match(name)) and not is_identifier(name)
    if name.startswith(("tags.", "config.")):
        _, job, column = name.rpartition("@job.")
        return (not job or column.startswith(("tags.", "config."))) and not is_identifier(name)
    return False if name.startswith(("result.", "result@")) else None


def is_identifier(name: str) -> bool:
    suffix = _SUFFIX.search(name)
    return suffix is not None and suffix[1] in ("id", "job")


def is_tag(name: str) -> bool:
    """Whether a column holds a tag of the job itself."""
    return name.startswith("tags.")


def last_component(name: str) -> str:
    """The last component of a name: ``seed`` of ``config.data.seed``; of ``seed@int`` it is ``seed``."""
    component = _COMPONENT.split(name)[-1]
    suffix = _SUFFIX.search(component)
    return component[: suffix.start(1) - 1] if suffix else component


def without_kind(name: str) -> str:
    """A name without the type by which a column was split: ``config.x`` of ``config.x@int``."""
    suffix = _SUFFIX.search(name)
    return name if suffix is None or suffix[1] == "type" else name[: suffix.start(1) - 1]


def escape(key: str) -> str:
    r"""A key as it stands in the name of a column: ``.`` and ``\`` escaped, ``@`` before a letter too."""
    return _ESCAPED.sub(lambda match: f"\\{match[0]}", key)


def factor_names(names: Sequence[str], by: str | Sequence[str] | None) -> list[str]:
    """The columns that are factors: those that ``by`` names, else those whose names say so.

    Raises:
        InvalidArgumentError: Without ``by``, a column has a name that xpframe does not give.
        ColumnError: ``by`` names no column, or several.
    """
    if by is not None:
        return choose(names, by)
    foreign = [name for name in names if is_factor(name) is None]
    if foreign:
        shown = ", ".join(repr(name) for name in foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise InvalidArgumentError(
            f"the frame has renamed or short columns: {shown}",
            hint="name the factors, as in by=['lr', 'seed'] or by=['tags.*', 'config.*']",
        )
    return [name for name in names if is_factor(name)]


def choose(names: Sequence[str], by: str | Sequence[str]) -> list[str]:
    """The columns that names, short names or globs mean, each once.

    Raises:
        ColumnError: A name means no column, or several.
    """
    wanted = checked_texts("by", by, "give a name, a list of names, or a glob")
    return list(dict.fromkeys(name for pattern in wanted for name in _matches(names, pattern)))


def _matches(names: Sequence[str], pattern: str) -> list[str]:
    for name in (pattern, f"tags.{pattern}", f"config.{pattern}"):
        if name in names:
            return [name]
    if any(mark in pattern for mark in "*?["):
        globbed = [
            name for name in names if _core.glob_matches(pattern, name) and is_factor(name) is not False
        ]
        if globbed:
            return globbed
    ending = [name for name in names if name.endswith(f".{pattern}")]
    if len(ending) > 1:
        raise ColumnError(f"{pattern!r} means several columns", hint=f"it is one of {', '.join(ending[:10])}")
    return ending or _unknown(names, pattern)


def _unknown(names: Iterable[str], pattern: str) -> list[str]:
    known = list(names)
    near = _core.near_misses(pattern, known + [last_component(name) for name in known])
    hint = f"did you mean {', '.join(dict.fromkeys(near))}?" if near else None
    raise ColumnError(f"no column {pattern!r}", hint=hint)
