"""A config as a tree of lines."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from xpframe._core import Config, Unresolved, fields, identifier, typename
from xpframe.display.parts import MAX_TEXT_LINES, path_html
from xpframe.display.style import panel
from xpframe.text import html, in_order, number, plural, short_type, value_text, visible

if TYPE_CHECKING:
    from xpframe.text import Collection

__all__ = ["Line", "config_html", "config_text", "grow", "tree_html", "tree_text"]

Kind = Literal["config", "list", "dict", "set", "value", "long", "shared", "dangling"]

MAX_LINES = 600
MAX_FIELDS = 200
MAX_ITEMS = 50
MAX_DEPTH = 30
MAX_INLINE = 100  # characters of a list of plain values on one line
MAX_UNFOLDED = 120  # characters of a string that is not folded
MAX_BODY = 2_000  # characters of a folded string
MAX_LONG_TEXT = 80_000  # characters of all folded strings


@dataclass(slots=True)
class Line:
    """One line of a tree.

    Attributes:
        name: Its name in the parent; empty at the root.
        path: Its expression, as in ``config.model.layers[0]``.
        kind: The kind of value.
        text: The value, or the class of a config.
        body: The displayed part of a long string.
        note: A remark after the text; for a shared config the path at which it was shown.
        inner: The lines below it.
        left_out: The number of lines below it that are not shown.
    """

    name: str
    path: str
    kind: Kind
    text: str
    body: str = ""
    note: str = ""
    inner: list[Line] = field(default_factory=list)
    left_out: int = 0

    def size(self) -> int:
        """The number of lines below it."""
        return sum(1 + line.size() for line in self.inner)


def config_html(config: Config) -> str:
    """A config for a notebook: a tree that unfolds on a click; a shared config refers to its first place."""
    return panel(tree_html(grow(config)))


def config_text(config: Config) -> str:
    """A config for a terminal."""
    return "\n".join(tree_text(grow(config, limit=MAX_TEXT_LINES)))


def grow(config: Config, root: str = "config", limit: int = MAX_LINES) -> Line:
    """The tree of a config, with at most ``limit`` lines; each config is shown once, at its first path."""
    return _Grower().line(config, "", root, 0, limit)


class _Grower:
    """Remembers the shown configs and their paths; keeps them alive, since Python reuses ids."""

    def __init__(self) -> None:
        self.shown: dict[int, tuple[Config, str]] = {}
        self.long_text = MAX_LONG_TEXT

    def line(self, value: object, name: str, path: str, depth: int, room: int) -> Line:
        if isinstance(value, Unresolved):
            return Line(name, path, "dangling", value_text(value))
        if isinstance(value, str) and len(value) > MAX_UNFOLDED:
            return self.long(value, name, path)
        if isinstance(value, Config):
            if id(value) in self.shown:
                return Line(name, path, "shared", short_type(value), note=self.shown[id(value)][1])
            self.shown[id(value)] = value, path
            line = Line(name, path, "config", typename(value), note=remark(value))
            return self.fill(line, value, depth, room)
        if isinstance(value, list | tuple | frozenset | dict) and not is_inline(value):
            return self.fill(Line(name, path, kind_of(value), plural(len(value), "item")), value, depth, room)
        return Line(name, path, "value", value_text(value))

    def long(self, value: str, name: str, path: str) -> Line:
        body = value[: min(MAX_BODY, self.long_text)]
        self.long_text -= len(body)
        note = plural(len(value), "character")
        if len(body) < len(value):
            note += f", the first {number(len(body))} here"
        return Line(name, path, "long", f"{value[: MAX_UNFOLDED // 2]!r}…", body=readable(body), note=note)

    def fill(self, line: Line, value: object, depth: int, room: int) -> Line:
        """Adds the lines below a line; each gets a share of the remaining room."""
        parts = parts_of(value, line.path)
        widest = MAX_FIELDS if line.kind == "config" else MAX_ITEMS
        shown = parts[: min(widest, room)] if depth < MAX_DEPTH else []
        room -= len(shown)
        for index, (name, path, part) in enumerate(shown):
            inner = self.line(part, name, path, depth + 1, room // (len(shown) - index))
            room -= inner.size()
            line.inner.append(inner)
        line.left_out = len(parts) - len(shown)
        return line


def kind_of(value: Collection) -> Kind:
    return "dict" if isinstance(value, dict) else "set" if isinstance(value, frozenset) else "list"


def is_inline(value: Collection) -> bool:
    """Whether a collection has few plain values, short enough for one line."""
    if len(value) >= MAX_INLINE:
        return False
    parts = [*value, *value.values()] if isinstance(value, dict) else list(value)
    if any(isinstance(part, Config | list | tuple | frozenset | dict | Unresolved) for part in parts):
        return False
    # long strings get lines of their own, on which they can be unfolded
    short = all(len(part) <= MAX_INLINE // 3 for part in parts if isinstance(part, str))
    return short and len(value_text(value, 10 * MAX_INLINE)) <= MAX_INLINE


def parts_of(value: object, path: str) -> list[tuple[str, str, object]]:
    """The (name, path, value) of each member of a value."""
    if isinstance(value, Config):
        return [(visible(name), attribute(path, name), part) for name, part in fields(value).items()]
    if isinstance(value, dict):
        return [(value_text(key), f"{path}[{value_text(key)}]", part) for key, part in value.items()]
    if isinstance(value, frozenset):
        return [("", path, part) for part in in_order(value)]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", f"{path}[{index}]", part) for index, part in enumerate(value)]
    return []


def attribute(path: str, name: str) -> str:
    """The expression of a field."""
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return f"{path}.{name}" if plain else f"getattr({path}, {name!r})"


def remark(config: Config) -> str:
    """The identifier of a config, and remarks: a stub, meta, its task."""
    words = [identifier(config)[:8]]
    if config.__xpmstub__:
        words.append("not loaded when the run was written")
    if config.__xpmmeta__:
        words.append("meta")
    task = config.__xpmtask__
    if isinstance(task, Config) and task is not config:
        words.append(f"made by {short_type(task)} {identifier(task)[:8]}")
    return " · ".join(visible(word) for word in words if word)


def readable(text: str) -> str:
    """Text of several lines: line breaks and tabs stay, other invisible characters become escapes."""
    return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)


def preview(line: Line) -> str:
    """The first plain values of a closed line."""
    plain = [inner for inner in line.inner if inner.kind == "value"]
    words = [f"{inner.name}={inner.text}" if line.kind == "config" else inner.text for inner in plain]
    shown: list[str] = []
    for word in words:
        if sum(map(len, shown)) + len(word) > 60:
            break
        shown.append(word)
    return ", ".join(shown) + (", …" if shown and len(shown) < len(line.inner) else "")


# --- as HTML ---


def tree_html(line: Line, *, opened: bool = True) -> str:
    """A tree as nested lists, foldable without scripts."""
    row = "".join((name_html(line), facts_html(line)))
    path = f' <code class="p" hidden="">{html(line.path)}</code>' if line.path else ""
    if line.kind == "long":
        return f"<details><summary>{row}</summary>{path}<pre>{html_lines(line.body)}</pre></details>"
    if not line.inner and not line.left_out:
        return f'<span class="r">{row}</span>{path}'
    items = "".join(f"<li>{tree_html(inner, opened=False)}</li>" for inner in line.inner)
    if line.left_out:
        items += f'<li class="m">… {number(line.left_out)} more not shown: see {html(line.path)}</li>'
    attribute = ' open=""' if opened else ""
    return f"<details{attribute}><summary>{row}</summary>{path}<ul>{items}</ul></details>"


def name_html(line: Line) -> str:
    return f'<bdi class="k">{html(line.name)}</bdi> ' if line.name else ""


def facts_html(line: Line) -> str:
    """The value of a line."""
    text, note = html(line.text), html(line.note)
    if line.kind == "config":
        module, dot, name = line.text.rpartition(".")
        shown = f'<bdi class="t"><i>{html(module)}{dot}</i>{html(name)}</bdi> <span class="n">{note}</span>'
        return f"{shown}{preview_html(line)}"
    if line.kind == "shared":
        return f'<bdi class="t">{text}</bdi> <span class="a">↑ shown above at <code>{note}</code></span>'
    if line.kind == "dangling":
        return f'<span class="d">{text}</span>'
    if line.kind == "long":
        return f'<bdi class="v">{text}</bdi> <span class="n">{note}</span>'
    if line.kind == "value":
        return f'<bdi class="v">{path_html(line.text, 10_000)}</bdi>'
    return f'<span class="n">{line.kind} of {text}</span>{preview_html(line)}'


def preview_html(line: Line) -> str:
    shown = preview(line)
    return f' <bdi class="w" hidden="">{html(shown)}</bdi>' if shown else ""


def html_lines(text: str) -> str:
    return "\n".join(html(part, MAX_BODY) for part in text.replace("\t", "    ").split("\n"))


# --- as text ---


def tree_text(line: Line, indent: str = "") -> list[str]:
    """A tree as lines of a terminal."""
    name = f"{line.name}: " if line.name else ""
    rows = [f"{indent}{name}{facts_text(line)}"]
    for inner in line.inner:
        rows += tree_text(inner, indent + "  ")
    if line.left_out:
        rows.append(f"{indent}  … {number(line.left_out)} more not shown: see {visible(line.path)}")
    return rows


def facts_text(line: Line) -> str:
    if line.kind == "config":
        return f"{visible(line.text)}  {line.note}"
    if line.kind == "shared":
        return f"{visible(line.text)}  ↑ shown above at {visible(line.note)}"
    if line.kind == "long":
        return f"{line.text} ({line.note.partition(', the')[0]})"
    if line.kind in ("list", "dict", "set"):
        return f"{line.kind} of {line.text}"
    return line.text
