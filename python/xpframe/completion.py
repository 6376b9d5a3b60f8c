"""Completion of ``%xpm`` lines and of the fields of configs, for IPython's matcher interface."""

from __future__ import annotations

import ast
import keyword
import os
import re
import shlex
import time
import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

import xpframe
from xpframe.errors import XpFrameError
from xpframe.frames import model_of, runs_of
from xpframe.locate import expanded
from xpframe.workspace import Actions, Jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xpframe.magic import Xpm

__all__ = ["matcher"]

_COMMANDS = ("failures", "info", "load", "ls", "runs", "schema", "use")
_OPTIONS = {
    "load": ("--as", "--backend", "--columns", "--lazy", "--quiet", "--run", "--short", "--task"),
    "schema": ("--quiet", "--run", "--task"),
    "info": ("--quiet", "--run"),
    "failures": ("--quiet", "--run", "--task"),
}
_LINE = re.compile(r".*%xpm[ \t]+(.*)$")
# an expression that is rooted at a name: attributes and subscripts by constants or names: nothing is called
_ROOTED = r"""(?<![\w.\])}'"])([A-Za-z_]\w*(?:\.\w+|\[(?:'[^']*'|"[^"]*"|-?\d+|[A-Za-z_]\w*)\])*)"""
_EXPRESSION = re.compile(_ROOTED + r"\.(\w*)$")
_SUBSCRIPT = re.compile(_ROOTED + r"""\[(['"]?)([^'"\[\]]*)$""")
_FRESH = 2.0  # seconds that a listing is believed,
_FRESH_PER_COST = 20  # and as many times what it cost to make


def matcher(magic: Xpm) -> Callable[[Any], dict[str, Any]]:
    """The matcher of one shell."""
    known: dict[tuple[str, str], tuple[float, list[str]]] = {}

    def cached(key: str, find: Callable[[], list[str]]) -> list[str]:
        begun = time.monotonic()
        try:
            # what is meant changes with `%xpm use`, $XPFRAME_WORKSPACE and the current directory
            place = str(xpframe.Workspace(magic.workspace or None).path)
            until, found = known.get((place, key), (0.0, []))
            if begun > until or not found:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a Tab is no place to be told
                    found = find()
                ended = time.monotonic()
                for old in [old for old, (until, _) in known.items() if until < ended]:
                    del known[old]
                known[place, key] = ended + _FRESH + _FRESH_PER_COST * (ended - begun), found
        except XpFrameError:
            return []
        return found

    # before IPython's own: who answers first keeps Jedi out, which may take seconds
    @context_matcher(identifier="xpframe", priority=200)  # type: ignore[untyped-decorator]  # IPython has no types
    def complete(context: Any) -> dict[str, Any]:
        text = context.text_until_cursor
        match = _LINE.match(text)
        if match:
            words, token, meant = _words(match[1])
            names = _candidates(words, meant, magic, cached)
            # a name that cannot be typed can be given as {variable}
            found = [name for name in names if name.startswith(meant) and name.isprintable()]
            return _answer([_typed(name, token[:1]) for name in found], token, "experiment")
        match = _EXPRESSION.search(text)
        if match:
            fields = _fields(match[1], magic.shell.user_ns)
            found = [name for name in fields if name.startswith(match[2])]
            return _answer(found, match[2], "field")
        match = _SUBSCRIPT.search(text)
        if match:
            quote = "" if match[2] else "'"
            keys = (key for key in _keys(match[1], magic.shell.user_ns) if key.startswith(match[3]))
            found = [f"{quote}{key}{quote}" for key in islice(keys, context.limit)]
            return _answer(found, match[3], "key")
        return {"completions": [], "suppress": False}

    return complete  # type: ignore[no-any-return]  # what the decorator gives back


def _answer(found: list[str], fragment: str, kind: str) -> dict[str, Any]:
    completions = [SimpleCompletion(text=name, type=kind) for name in found]
    return {"completions": completions, "suppress": bool(found), "matched_fragment": fragment}


def _words(line: str) -> tuple[list[str], str, str]:
    """The whole words of a line, what was typed of the next one, and what that means without its quotes."""
    start, quote, escaped = 0, "", False
    for at, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character.isspace():
            start = at + 1
    words, token = shlex.split(line[:start]), line[start:]
    if token.startswith("--") and "=" in token:
        option, _, token = token.partition("=")
        words.append(option)
    whole = token[:-1] if escaped else token
    return words, token, "".join(shlex.split(whole + quote))


def _typed(name: str, quote: str) -> str:
    """A name as the magic reads it: in quotes where it has to be, in those that were begun if that goes."""
    if quote not in ("'", '"') and not re.search(r"[\s'\"\\]", name):
        return name
    if quote != '"' and "'" not in name:
        return f"'{name}'"
    inner = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _candidates(
    words: list[str], meant: str, magic: Xpm, cached: Callable[[str, Callable[[], list[str]]], list[str]]
) -> list[str]:
    """What can stand behind these words."""
    if not words:
        return list(_COMMANDS)
    command, last = words[0], words[-1]
    place = magic.workspace or None
    if command == "use" and len(words) == 1:
        return _directories(meant)
    if command not in _COMMANDS or command in ("ls", "use") or last == "--as":
        return []
    if len(words) == 1:
        return cached("experiments", lambda: xpframe.Workspace(place).experiments())
    name = words[1]
    if last == "--run":
        several = [] if command == "info" else ["all"]
        runs = cached(f"runs {name}", lambda: xpframe.Workspace(place).runs(name))
        return ["latest", *several, *runs]
    if last == "--backend":
        return ["pandas", "polars", "pyarrow"]
    if last == "--task":
        return cached(f"tasks {name}", lambda: _tasks(name, place))
    columns = "--columns" in words and not any(
        word.startswith("--") for word in words[words.index("--columns") + 1 :]
    )
    found = cached(f"columns {name}", lambda: _columns(name, place)) if columns else []
    return [*found, *(option for option in _OPTIONS.get(command, ()) if option not in words)]


def _directories(begin: str) -> list[str]:
    """The directories whose path begins so."""
    head, slash, _ = begin.rpartition("/")
    try:
        with os.scandir(expanded(f"{head}{slash}" or ".")) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    except (OSError, ValueError):
        return []
    return [f"{head}{slash}{name}/" for name in names]


def _tasks(name: str, place: str | None) -> list[str]:
    tasks = xpframe.xp_table(name, workspace=place, columns=["task"], quiet=True).column_values("task")
    return list(dict.fromkeys(tasks))


def _columns(name: str, place: str | None) -> list[str]:
    runs, several = runs_of(name, place, "latest")
    # decides the columns and builds none
    model = model_of(runs, several, keep_bytes=0, quiet=True)
    return model.column_names


def _fields(expression: str, namespace: dict[str, Any]) -> list[str]:
    """What stands below an expression of ours; nothing below any other."""
    value = _meant(expression, namespace)
    ours = (xpframe.Config, xpframe.ExperimentInfo, xpframe.Action, Jobs, Actions)
    if not isinstance(value, ours):
        return []
    # what Python takes behind a dot; other fields are in xpframe.fields(config)
    names = [name for name in dir(value) if name.isidentifier() and not keyword.iskeyword(name)]
    return [name for name in names if not name.startswith("_")]


def _keys(expression: str, namespace: dict[str, Any]) -> Iterable[str]:
    """The identifiers of the jobs or actions that an expression means."""
    value = _meant(expression, namespace)
    return value if isinstance(value, Jobs | Actions) else ()


def _meant(expression: str, namespace: dict[str, Any]) -> Any:
    """The value of an expression of ours; None of any other."""
    try:
        return _value(ast.parse(expression, mode="eval").body, namespace)
    except Exception:  # noqa: BLE001 - completion must not fail whatever the expression is
        return None


def _value(node: ast.expr, namespace: dict[str, Any]) -> Any:
    """The value of names, fields and constant subscripts below an object of ours."""
    roots = (xpframe.Config, xpframe.ExperimentInfo, xpframe.Action)
    containers = (list, tuple, dict, Jobs, Actions)
    match node:
        case ast.Name(id=name):
            value = namespace[name]
            if not isinstance(value, roots) and type(value) not in containers:
                raise TypeError(name)
            return value
        case ast.Attribute(value=inner, attr=name):
            holder = _value(inner, namespace)
            if not isinstance(holder, roots):
                raise TypeError(name)
            return getattr(holder, name)
        case ast.Subscript(value=inner, slice=ast.Name(id=name)):
            return _item(_value(inner, namespace), namespace[name], containers)
        case ast.Subscript(value=inner, slice=key):
            return _item(_value(inner, namespace), ast.literal_eval(key), containers)
    raise TypeError(type(node).__name__)


def _item(holder: Any, key: object, containers: tuple[type, ...]) -> Any:
    """An item of a container of exactly these types: a subclass could run anything."""
    if type(holder) not in containers or type(key) not in (str, int):
        raise TypeError(type(holder).__name__)
    return holder[key]
