"""The table that the columns' rules ask for, built cell by cell from the witness's objects.

Decided here where the rules are silent: a place has a scalar column when a scalar, list or set stands there,
or, of type null, when every job has null there; ints and floats meet before anything else splits; the
elements of a list have one type, a struct when they would need several columns; the keys of such a struct
stand as they are, and are escaped only if two of its fields would have one name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from witness import EnumName, Missing, Obj, Row, Run, Set


class Type(NamedTuple):
    """An Arrow type, by a name that hides how texts and lists are laid out."""

    name: str
    item: Type | None = None
    fields: tuple[Field, ...] = ()


class Field(NamedTuple):
    """A field of a struct in a list, and how its value is taken from an element."""

    name: str
    take: Callable[[Any], Any]
    type: Type


class Column(NamedTuple):
    name: str
    type: Type
    cells: list[Any]


KINDS = ("bool", "int", "float", "str", "enum", "list", "set")


def kind(v: Any) -> str:
    kinds = [(EnumName, "enum"), (Set, "set"), (list, "list"), (bool, "bool"), (int, "int"), (float, "float")]
    return next((name for cls, name in kinds if isinstance(v, cls)), "str")


def text(v: Any) -> str:
    """A text that UTF-8 can hold: a lone surrogate becomes the six characters of its escape."""
    return re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", str(v))


def exact_float(i: int) -> bool:
    try:
        return int(float(i)) == i
    except OverflowError:
        return False


def groups(values: Iterable[Any]) -> dict[str, list[Any]]:
    """The scalars, lists and sets of one place by the column that they share."""
    found: dict[str, list[Any]] = {}
    for v in (v for v in values if v is not None and not isinstance(v, Missing)):
        found.setdefault(kind(v), []).append(v)
    if "int" in found and "float" in found and all(exact_float(i) for i in found["int"]):
        found["float"] += found.pop("int")
    return {k: found[k] for k in KINDS if k in found}


def group_of(v: Any, parts: Container[str]) -> str:
    """The group of `groups` that holds a value: an int is with the floats unless ints have their own."""
    return "float" if kind(v) == "int" and "int" not in parts else kind(v)


def type_of(kind_: str, values: list[Any]) -> Type:
    if kind_ == "int":
        low, high = min(values), max(values)
        if low >= -(2**63) and high < 2**63:
            return Type("int64")
        if low >= 0 and high < 2**64:
            return Type("uint64")
        return Type("decimal" if low > -(10**38) and high < 10**38 else "utf8")
    if kind_ in ("list", "set"):
        return Type("list", slot(x for v in values for x in (v.items if isinstance(v, Set) else v)))
    return Type({"float": "float64", "str": "utf8"}.get(kind_, kind_))


def slot(values: Iterable[Any]) -> Type:
    """The one type that holds all elements of the lists of a place."""
    values = list(values)
    parts, nested = groups(v for v in values if not is_nested(v)), [v for v in values if is_nested(v)]
    if not nested and len(parts) <= 1:
        return next((type_of(k, v) for k, v in parts.items()), Type("null"))
    inside = tuple(struct_fields(nested))
    if not parts:
        return Type("struct", None, inside) if inside else Type("null")
    fields = [Field(k, only(parts, k), type_of(k, v)) for k, v in parts.items()]
    if inside:
        fields.append(Field("config", lambda v: v if is_nested(v) else None, Type("struct", None, inside)))
    return Type("struct", None, tuple(fields))


def struct_fields(nested: list[Any]) -> list[Field]:
    """The fields of a struct: what the configs and dicts of a place hold, a field a column."""
    fields = list(named_fields(nested, text))
    return fields if len({f.name for f in fields}) == len(fields) else list(named_fields(nested, escaped))


def named_fields(nested: list[Any], spelled: Callable[[str], str]) -> Iterator[Field]:
    classes = {v.typename for v in nested if isinstance(v, Obj)}
    keys = dict.fromkeys(k for v in nested for k in members(v))
    if len(classes) > 1 or (classes and not keys):
        yield Field("@type", lambda v: getattr(v, "typename", None), Type("utf8"))
    for key in keys:
        values = [members(v)[key] for v in nested if key in members(v)]
        parts, deeper = groups(v for v in values if not is_nested(v)), [v for v in values if is_nested(v)]
        if not parts and not deeper:
            yield Field(spelled(key), taking(key), Type("null"))
        for k, group in parts.items():
            split = len(parts) > 1 or deeper
            yield Field(
                f"{spelled(key)}@{k}" if split else spelled(key),
                taking(key, only(parts, k)),
                type_of(k, group),
            )
        if inside := tuple(struct_fields(deeper)):
            whole = taking(key, lambda v: v if is_nested(v) else None)
            yield Field(spelled(key), whole, Type("struct", None, inside))


def is_nested(v: Any) -> bool:
    return isinstance(v, (dict, Obj))


def members(v: Any) -> dict[str, Any]:
    return dict(v.fields) if isinstance(v, Obj) else v if isinstance(v, dict) else {}


def only(parts: Container[str], kind_: str) -> Callable[[Any], Any]:
    """Keeps the values of one group, for its own column."""
    return lambda v: v if not is_nested(v) and group_of(v, parts) == kind_ else None


def taking(key: str, then: Callable[[Any], Any] = lambda v: v) -> Callable[[Any], Any]:
    return lambda v: then(members(v).get(key))


def cell(type_: Type, v: Any) -> Any:
    """A value as pyarrow gives it back from a column of that type."""
    if v is None or isinstance(v, Missing):
        return None
    if type_.item:
        return [cell(type_.item, x) for x in (v.items if isinstance(v, Set) else v)]
    if type_.name == "struct":
        return {f.name: cell(f.type, f.take(v)) for f in type_.fields}
    if type_.name == "enum":
        return text(v.name)
    if type_.name == "null":
        return None  # also an empty dict, where no other element asks for a struct
    if type_.name == "utf8":
        return text(v)
    return {"float64": float, "decimal": Decimal}.get(type_.name, lambda x: x)(v)


def escaped(key: str) -> str:
    """A key in the name of a column: `@` is escaped only where a suffix like `@int` could begin."""
    return text(re.sub(r"([.\\]|@(?=[A-Za-z]))", r"\\\1", key))


class Place:
    """A dotted place of the column tree, filled job by job."""

    def __init__(self) -> None:
        self.scalars: dict[int, Any] = {}
        self.classes: dict[int, str] = {}
        self.identifiers: dict[int, str] = {}
        self.nested = False
        self.children: dict[str, Place] = {}

    def add(self, row: int, v: Any) -> None:
        if v is None or isinstance(v, Missing):
            return
        if isinstance(v, (dict, Obj)):
            self.nested = True
            if isinstance(v, Obj):
                self.classes[row], self.identifiers[row] = v.typename, v.identifier
            for k, x in (v.fields if isinstance(v, Obj) else v).items():
                self.children.setdefault(k, Place()).add(row, x)
        else:
            self.scalars[row] = v

    def columns(self, name: str, rows: int, *, root: bool = False) -> Iterator[Column]:
        def filled(type_: Type, values: dict[int, Any]) -> list[Any]:
            return [cell(type_, values.get(i)) for i in range(rows)]

        if not root:
            parts = groups(self.scalars.values())
            if not parts and not self.nested:
                yield Column(name, Type("null"), [None] * rows)
            for k, values in parts.items():
                type_ = type_of(k, values)
                own = {i: v for i, v in self.scalars.items() if group_of(v, parts) == k}
                yield Column(name if len(parts) == 1 else f"{name}@{k}", type_, filled(type_, own))
            if len(set(self.classes.values())) > 1:
                yield Column(f"{name}@type", Type("utf8"), filled(Type("utf8"), self.classes))
        for key, child in self.children.items():
            yield from child.columns(f"{name}.{escaped(key)}", rows)


def stamp(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def expected_table(runs: list[Run]) -> list[Column]:
    """The default columns of some runs, without `state`, `failure` and times but submission.

    Last comes `dependencies`, which is no default column: it is there when asked for by name.
    """
    rows = [(run, row) for run in runs for row in run.rows]
    tags, config = Place(), Place()
    for i, (_, row) in enumerate(rows):
        tags.add(i, row.tags)
        config.add(i, row.config)
    utf8 = Type("utf8")

    def system(name: str, get: Callable[[Run, Row], Any], type_: Type = utf8) -> Column:
        return Column(name, type_, [get(run, row) for run, row in rows])

    columns = [system("experiment", lambda run, _: run.experiment), system("run", lambda run, _: run.run_id)]
    return [
        *(columns if len(runs) > 1 else []),
        system("job_id", lambda _, row: row.job_id),
        system("task", lambda _, row: row.task_id),
        *tags.columns("tags", len(rows), root=True),
        *config.columns("config", len(rows), root=True),
        system("submitted_at", lambda _, row: stamp(row.submitted), Type("timestamp")),
        system("path", lambda run, row: str(run.job_dir(row))),
        system("dependencies", lambda _, row: row.depends_on, Type("list", utf8)),
    ]
