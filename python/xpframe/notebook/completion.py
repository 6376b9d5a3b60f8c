"""Completion of ``%xpm`` lines and of the fields of configs, for IPython's matcher interface."""

from __future__ import annotations

import ast
import keyword
import os
import re
import shlex
import time
import warnings
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

from IPython.core.completer import SimpleCompletion, context_matcher

from xpframe._core import Config
from xpframe.errors import XpFrameError
from xpframe.experiment import Action, Actions, ExperimentInfo, Jobs
from xpframe.frames import xp_table
from xpframe.locate import expanded
from xpframe.request import plan_scan, table_request
from xpframe.resolve import resolve_runs
from xpframe.workspace import Workspace

__all__ = ["matcher"]

# cached(key, find): the list that `find` gave last for this key, if that was not long ago
Cached: TypeAlias = Callable[[str, Callable[[], list[str]]], list[str]]

# options whose value nothing can guess
_FREE = ("--as", "--output", "--title", "--timezone", "--where")
_REPEATED = ("--results", "--task")
_LINE = re.compile(r".*%xpm[ \t]+(.*)$")
# a name followed by attributes and by subscripts that are constants or names: evaluating it calls nothing
_ROOTED = r"""(?<![\w.\])}'"])([A-Za-z_]\w*(?:\.\w+|\[(?:'[^']*'|"[^"]*"|-?\d+|[A-Za-z_]\w*)\])*)"""
_EXPRESSION = re.compile(_ROOTED + r"\.(\w*)$")
_SUBSCRIPT = re.compile(_ROOTED + r"""\[(['"]?)([^'"\[\]]*)$""")
# a listing is cached for so many seconds,
_FRESH = 2.0
# plus so many times the time it took
_FRESH_PER_COST = 20


def matcher(
    workspace: Callable[[], str | None],
    namespace: Callable[[], dict[str, Any]],
    options: dict[str, list[str]],
) -> Callable[[Any], dict[str, Any]]:
    """The matcher of one shell.

    Args:
        workspace: Gives the path of the workspace that the magic uses; None for the usual rules.

        namespace: Gives the variables of the user.

        options: The options of each command.
    """
    listings: dict[tuple[str, str], tuple[float, list[str]]] = {}

    def cached(key: str, find: Callable[[], list[str]]) -> list[str]:
        started = time.monotonic()
        try:
            # `%xpm use`, $XPFRAME_WORKSPACE and the current directory change the workspace
            root = str(Workspace(workspace()).path)
            expires, listing = listings.get((root, key), (0.0, []))
            if started > expires or not listing:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # nobody wants a warning at each Tab
                    listing = find()
                ended = time.monotonic()
                for old in [old for old, (expires, _) in listings.items() if expires < ended]:
                    del listings[old]
                listings[root, key] = ended + _FRESH + _FRESH_PER_COST * (ended - started), listing
        except XpFrameError:
            return []
        return listing

    # before IPython's own matchers: the first that answers keeps Jedi out, which may take seconds
    @context_matcher(identifier="xpframe", priority=200)  # type: ignore[untyped-decorator]  # IPython has no types
    def complete(context: Any) -> dict[str, Any]:
        text = context.text_until_cursor
        if match := _LINE.match(text):
            words, token, prefix = _split(match[1])
            candidates = _candidates(words, prefix, options, workspace(), cached)
            # a name with unprintable characters cannot be typed; {variable} can give it
            names = [name for name in candidates if name.startswith(prefix) and name.isprintable()]
            return _answer([_quoted(name, token[:1]) for name in names], token, "experiment")
        if match := _EXPRESSION.search(text):
            names = [name for name in _fields(match[1], namespace()) if name.startswith(match[2])]
            return _answer(names, match[2], "field")
        if match := _SUBSCRIPT.search(text):
            quote = "" if match[2] else "'"
            keys = (key for key in _keys(match[1], namespace()) if key.startswith(match[3]))
            names = [f"{quote}{key}{quote}" for key in islice(keys, context.limit)]
            return _answer(names, match[3], "key")
        return {"completions": [], "suppress": False}

    return complete  # type: ignore[no-any-return]  # the type that the decorator returns


def _answer(names: list[str], fragment: str, kind: str) -> dict[str, Any]:
    completions = [SimpleCompletion(text=name, type=kind) for name in names]
    return {"completions": completions, "suppress": bool(names), "matched_fragment": fragment}


def _split(line: str) -> tuple[list[str], str, str]:
    """The complete words of a line, the text of the next word so far, and that text without its quotes."""
    start, quote, escaped = 0, "", False
    for index, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character.isspace():
            start = index + 1
    words, token = shlex.split(line[:start]), line[start:]
    if token.startswith("--") and "=" in token:
        option, _, token = token.partition("=")
        words.append(option)
    whole = token[:-1] if escaped else token
    return words, token, "".join(shlex.split(whole + quote))


def _quoted(name: str, quote: str) -> str:
    """A name as the magic reads it, in quotes where it needs them, if possible in those already typed."""
    if quote not in ("'", '"') and not re.search(r"[\s'\"\\]", name):
        return name
    if quote != '"' and "'" not in name:
        return f"'{name}'"
    inner = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _candidates(
    words: list[str], prefix: str, options: dict[str, list[str]], workspace: str | None, cached: Cached
) -> list[str]:
    """The words that may follow these words."""
    if not words:
        return list(options)
    command, last = words[0], words[-1]
    if command == "use" and len(words) == 1:
        return _directories(prefix)
    if command not in options or command in ("ls", "use") or last in _FREE:
        return []
    if command == "pull":
        return [*(_directories(prefix) if len(words) == 2 else []), *_left(options[command], words)]
    if len(words) == 1:
        return cached("experiments", lambda: Workspace(workspace).experiments())
    name = words[1]
    if last == "--run":
        several = [] if command in ("info", "job") else ["all", "distinct"]
        runs = cached(f"runs {name}", lambda: Workspace(workspace).runs(name))
        return ["latest", *several, *runs]
    if last == "--backend":
        return ["pandas", "polars", "pyarrow"]
    if last == "--names":
        return ["full", "short", "identifier"]
    if command == "job" and len(words) == 2:
        return cached(f"jobs {name}", lambda: list(Workspace(workspace).load_xp_info(name, quiet=True).jobs))
    if last == "--task":
        return cached(f"tasks {name}", lambda: _tasks(name, workspace))
    left = _left(options[command], words)
    if "--columns" not in words or any(
        word.startswith("--") for word in words[words.index("--columns") + 1 :]
    ):
        return left
    return [*cached(f"columns {name}", lambda: _columns(name, workspace)), *left]


def _left(options: list[str], words: list[str]) -> list[str]:
    """The options that are not given yet, or may be repeated."""
    return [option for option in options if option not in words or option in _REPEATED]


def _directories(prefix: str) -> list[str]:
    """The directories whose path begins with this text."""
    parent, slash, _ = prefix.rpartition("/")
    try:
        with os.scandir(expanded(f"{parent}{slash}" or ".")) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    except (OSError, ValueError):
        return []
    return [f"{parent}{slash}{name}/" for name in names]


def _tasks(name: str, workspace: str | None) -> list[str]:
    tasks = xp_table(name, workspace=workspace, columns=["task"], quiet=True).column_values("task")
    return list(dict.fromkeys(tasks))


def _columns(name: str, workspace: str | None) -> list[str]:
    runs, several = resolve_runs(name, workspace, "latest")
    # decides the columns and builds none
    return plan_scan(runs, table_request(), several_runs=several, keep_bytes=0, quiet=True).column_names


def _fields(expression: str, namespace: dict[str, Any]) -> list[str]:
    """The attributes of an expression that gives an object of xpframe; none of any other expression."""
    value = _evaluate(expression, namespace)
    if not isinstance(value, (Config, ExperimentInfo, Action, Jobs, Actions)):
        return []
    # only names that Python accepts after a dot; xpframe.fields(config) has all fields
    names = [name for name in dir(value) if name.isidentifier() and not keyword.iskeyword(name)]
    return [name for name in names if not name.startswith("_")]


def _keys(expression: str, namespace: dict[str, Any]) -> Iterable[str]:
    """The identifiers of the jobs or actions that an expression gives."""
    value = _evaluate(expression, namespace)
    return value if isinstance(value, Jobs | Actions) else ()


def _evaluate(expression: str, namespace: dict[str, Any]) -> Any:
    """The value of an expression that gives an object of xpframe; None of any other expression."""
    try:
        return _value(ast.parse(expression, mode="eval").body, namespace)
    except Exception:  # noqa: BLE001 - completion must not fail whatever the expression is
        return None


def _value(node: ast.expr, namespace: dict[str, Any]) -> Any:
    """The value of names, fields and constant subscripts below an object of xpframe."""
    roots = (Config, ExperimentInfo, Action)
    containers = (list, tuple, dict, Jobs, Actions)
    match node:
        case ast.Name(id=name):
            value = namespace[name]
            if not isinstance(value, roots) and type(value) not in containers:
                raise TypeError(name)
            return value
        case ast.Attribute(value=inner, attr=name):
            owner = _value(inner, namespace)
            if not isinstance(owner, roots):
                raise TypeError(name)
            return getattr(owner, name)
        case ast.Subscript(value=inner, slice=ast.Name(id=name)):
            return _item(_value(inner, namespace), namespace[name], containers)
        case ast.Subscript(value=inner, slice=key):
            return _item(_value(inner, namespace), ast.literal_eval(key), containers)
    raise TypeError(type(node).__name__)


def _item(container: Any, key: object, containers: tuple[type, ...]) -> Any:
    """An item of a container of exactly these types: a subclass could run anything."""
    if type(container) not in containers or type(key) not in (str, int):
        raise TypeError(type(container).__name__)
    return container[key]
