"""Completion of ``%xpm`` lines and of the fields of configs, for IPython's matcher interface."""

from __future__ import annotations

import ast
import re
import time
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

import xpframe
from xpframe.errors import XpFrameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from xpframe.magic import Xpm

__all__ = ["matcher"]

_COMMANDS = ("info", "load", "ls", "runs", "schema", "use")
_OPTIONS = {
    "load": ("--as", "--backend", "--columns", "--lazy", "--run", "--short", "--task"),
    "schema": ("--run", "--task"),
    "info": ("--run",),
}
# an expression that is rooted at a name: attributes and constant subscripts only, so that nothing is called
_EXPRESSION = re.compile(r"""([A-Za-z_]\w*(?:\.\w+|\[(?:'[^']*'|"[^"]*"|\d+)\])*)\.(\w*)$""")
_FRESH = 2.0  # seconds that a listing is believed


def matcher(magic: Xpm) -> Callable[[Any], dict[str, Any]]:
    """The matcher of one shell."""
    known: dict[str, tuple[float, list[str]]] = {}

    def cached(key: str, find: Callable[[], list[str]]) -> list[str]:
        then, found = known.get(key, (0.0, []))
        if time.monotonic() - then > _FRESH or not found:
            try:
                found = find()
            except XpFrameError:
                found = []
            known[key] = (time.monotonic(), found)
        return found

    @context_matcher(identifier="xpframe")  # type: ignore[untyped-decorator]  # IPython has no types
    def complete(context: Any) -> dict[str, Any]:
        text = context.text_until_cursor
        head, magic_name, line = text.rpartition("%xpm ")
        del head
        if magic_name:
            words = line.split()
            token = words.pop() if words and not line.endswith(" ") else ""
            found = [name for name in _candidates(words, magic, cached) if name.startswith(token)]
            cut = len(token) - len(context.token) if token.endswith(context.token) else 0
            return _answer(found, cut, context.token, "experiment")
        match = _EXPRESSION.search(text)
        if match:
            fields = _fields(match[1], magic.shell.user_ns)
            found = [name for name in fields if name.startswith(match[2])]
            return _answer(found, 0, match[2], "field")
        return {"completions": [], "suppress": False}

    return complete  # type: ignore[no-any-return]  # what the decorator gives back


def _answer(found: list[str], cut: int, fragment: str, kind: str) -> dict[str, Any]:
    completions = [SimpleCompletion(text=name[max(cut, 0) :], type=kind) for name in found]
    return {"completions": completions, "suppress": bool(found), "matched_fragment": fragment}


def _candidates(
    words: list[str], magic: Xpm, cached: Callable[[str, Callable[[], list[str]]], list[str]]
) -> list[str]:
    """What can stand behind these words."""
    if not words:
        return list(_COMMANDS)
    command, last = words[0], words[-1]
    place = magic.workspace or None
    if command not in _COMMANDS or command in ("ls", "use"):
        return []
    if len(words) == 1:
        return cached("experiments", lambda: xpframe.Workspace(place).experiments())
    name = words[1]
    if last == "--run":
        return ["latest", "all", *cached(f"runs {name}", lambda: xpframe.Workspace(place).runs(name))]
    if last == "--backend":
        return ["pandas", "polars", "pyarrow"]
    if last == "--task":
        return cached(f"tasks {name}", lambda: _tasks(name, place))
    columns = "--columns" in words and not any(
        word.startswith("--") for word in words[words.index("--columns") + 1 :]
    )
    found = cached(f"columns {name}", lambda: _columns(name, place)) if columns else []
    return [*found, *(option for option in _OPTIONS.get(command, ()) if option not in words)]


def _tasks(name: str, place: str | None) -> list[str]:
    tasks = xpframe.xp_table(name, workspace=place, columns=["task"]).column_values("task")
    return list(dict.fromkeys(tasks))


def _columns(name: str, place: str | None) -> list[str]:
    return xpframe.xp_table(name, workspace=place).column_names


def _fields(expression: str, namespace: dict[str, Any]) -> list[str]:
def _candidates(
    words: list[str], magic: Xpm, cached: Callable[[str, Callable[[], list[str]]], list[str]]
) -> list[str]:
    ours = (xpframe.Config, xpframe.ExperimentInfo, xpframe.Action)
    try:
        value = _value(ast.parse(expression, mode="eval").body, namespace)
    except Exception:  # noqa: BLE001 - completion must not fail whatever the expression is
        return []
    return [name for name in dir(value) if not name.startswith("_")] if isinstance(value, ours) else []


def _value(node: ast.expr, namespace: dict[str, Any]) -> Any:
    """The value of names, fields and constant subscripts below an object of ours."""
    roots = (xpframe.Config, xpframe.ExperimentInfo, xpframe.Action)
    match node:
        case ast.Name(id=name):
            value = namespace[name]
            if not isinstance(value, (*roots, list, dict)):
                raise TypeError(name)
            return value
        case ast.Attribute(value=inner, attr=name):
            holder = _value(inner, namespace)
            if not isinstance(holder, roots):
                raise TypeError(name)
            return getattr(holder, name)
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            return _value(inner, namespace)[key]
    raise TypeError(type(node).__name__)
