"""Exact keys of values: equal keys mean the same value, and nothing is rounded or merged.

``1``, ``1.0`` and ``True`` differ, so do NaN and null, ``0.0`` and ``-0.0``. Paths of outputs are compared
relative to the directory of their job, since no two jobs share one.
"""

from __future__ import annotations

import re
from math import copysign
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

__all__ = ["Coded", "Output", "OutputPaths", "coded", "number_by_appearance", "text_key"]

# the identifier of a job is a SHA-256; see docs/format.md §6
_OUTPUT = re.compile(r"(?:[^\0]*/)?jobs/([^/]+)/[0-9a-f]{64}(?:/(.*))?", re.DOTALL)


class Output(NamedTuple):
    """An output path: the task whose job directory holds it, and the path inside that directory."""

    task: str
    relative: str


class OutputPaths:
    """Tells paths below job directories from others.

    Args:
        directories: The job directories that are known, ``<workspace>/jobs/<task>/<job id>``.
    """

    def __init__(self, directories: Iterable[str] = ()) -> None:
        parents = {directory.rstrip("/").rsplit("/", 2)[0] for directory in directories}
        self._roots = tuple(f"{parent}/" for parent in parents if parent)

    def parse(self, text: str) -> Output | None:
        """The task and relative path of an output; None for any other text."""
        for root in self._roots:
            if text.startswith(root):
                task, _, rest = text[len(root) :].partition("/")
                job_id, _, relative = rest.partition("/")
                if task and job_id:
                    return Output(task, relative)
        match = _OUTPUT.fullmatch(text) if "jobs/" in text else None
        return Output(match[1], match[2] or "") if match else None


class Coded(NamedTuple):
    """A column as integers.

    Attributes:
        codes: A number for each row; equal numbers mean equal values. They appear in the order 0, 1, 2, …
        keys: The key of each number, None for null.
        rows: The first row of each number.
        is_output: Whether all values are output paths, or lists and structs of them; nulls aside.
    """

    codes: list[int]
    keys: list[Hashable]
    rows: list[int]
    is_output: bool


def coded(values: Sequence[Any], outputs: OutputPaths) -> Coded:
    """Numbers the distinct values of a column; None is null."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if len(kinds) > 1 or not all(issubclass(kind, str | int) for kind in kinds):
        keyed = _keys_of(values, kinds)
    else:
        keyed = values
    codes, keys, rows = number_by_appearance(keyed)
    if kinds and kinds <= {str}:
        parsed: list[Hashable] = [_parsed(key, outputs) for key in keys]
        if any(isinstance(key, Output) for key in parsed):
            is_output = all(key is None or isinstance(key, Output) for key in parsed)
            codes, keys, rows = number_by_appearance([parsed[code] for code in codes])
            return Coded(codes, keys, rows, is_output)
    elif any(hasattr(kind, "__iter__") for kind in kinds - {str, bytes}):
        parts = [text_key(values[row], outputs) for row in rows]
        texts_of = [None if values[row] is None else part[0] for row, part in zip(rows, parts, strict=True)]
        codes, keys, rows = number_by_appearance([texts_of[code] for code in codes])
        seen = [(leaves, paths) for _, leaves, paths in parts if leaves]
        return Coded(codes, keys, rows, bool(seen) and all(leaves == paths for leaves, paths in seen))
    return Coded(codes, keys, rows, is_output=False)


def _parsed(key: Hashable, outputs: OutputPaths) -> Hashable:
    return (outputs.parse(key) or key) if isinstance(key, str) else key


def number_by_appearance(keyed: Sequence[Hashable]) -> tuple[list[int], list[Hashable], list[int]]:
    """(the number of each key, the keys, the first row of each): numbers in the order of appearance."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keyed))}
    codes = list(map(numbers.__getitem__, keyed))
    rows: list[int] = []
    if len(numbers) == len(codes):
        rows = list(range(len(codes)))
    else:
        row = -1
        for number in range(len(numbers)):
            row = codes.index(number, row + 1)
            rows.append(row)
    return codes, list(numbers), rows


def _keys_of(values: Sequence[Any], kinds: set[type]) -> Sequence[Hashable]:
    if kinds <= {list, tuple, dict}:
        # repr tells apart all that text_key does, and is faster; text_key sees each distinct value
        return [None if value is None else repr(value) for value in values]
    if kinds == {float}:
        distinct = dict.fromkeys(values)
        if 0.0 not in distinct and not any(value != value for value in distinct):  # noqa: PLR0124 - NaN
            return values
        return [_float_key(value) for value in values]
    return [None if value is None else _key(value) for value in values]


def _float_key(value: float | None) -> Hashable:
    if value is None:
        return None
    if value != value:  # noqa: PLR0124 - NaN
        return ("NaN",)
    return ("-0.0",) if value == 0.0 and copysign(1.0, value) < 0 else value


def _key(value: Any) -> Hashable:
    if isinstance(value, float):
        return "float", _float_key(value)
    if hasattr(value, "__iter__") and not isinstance(value, str | bytes):
        return text_key(value)[0]
    hashable = type(value).__hash__ is not None
    return type(value).__name__, value if hashable else repr(value)


def text_key(value: Any, outputs: OutputPaths | None = None) -> tuple[str, int, int]:
    """(a text that differs where values do, how many leaves it has, how many of them are output paths)."""
    if hasattr(value, "tolist") and not isinstance(value, str | bytes):
        value = value.tolist()  # an array of numpy in a list column of pandas
    if isinstance(value, dict):
        parts = [(repr(key), text_key(item, outputs)) for key, item in value.items()]
        joined = ", ".join(f"{key}: {text}" for key, (text, _, _) in parts)
        return f"{{{joined}}}", sum(part[1] for _, part in parts), sum(part[2] for _, part in parts)
    if isinstance(value, list | tuple):
        items = [text_key(item, outputs) for item in value]
        joined = ", ".join(text for text, _, _ in items)
        return f"[{joined}]", sum(item[1] for item in items), sum(item[2] for item in items)
    if outputs is not None and isinstance(value, str) and (output := outputs.parse(value)):
        return repr(output), 1, 1
    return repr(value), int(value is not None), 0
