"""Reads the text or dict of a filter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from xpframe._core import near_misses
from xpframe.arguments import checked_text
from xpframe.errors import InvalidArgumentError
from xpframe.where.given import given_list, given_literal
from xpframe.where.tree import And, Comparison, Literal, Membership, Name, Node, Not, Or, Pattern, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parse"]

MAX_LENGTH = 100_000
MAX_DEPTH = 200
OPERATORS = {"=": "=", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
WORDS: dict[str, Value] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
}
KEYWORDS = ("and", "or", "not", "in")
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<special>@(?:state|name)\b)
    |(?P<name>[^\W\d](?:[\w@-]|\\.|\.(?=[\w\\]))*)
    |(?P<operator>==|!=|<=|>=|[=<>])
    |(?P<mark>[][(),~])""",
    re.VERBOSE | re.DOTALL,
)
LANGUAGE = 'as in: @state = "done" and model in ["bm25", "tas"] and lr <= 0.1'


@dataclass(frozen=True)
class Token:
    """A word of a filter, and where it begins."""

    kind: str
    text: str
    position: int


def parse(where: str | Mapping[str, Any]) -> Node:
    """The tree of a filter.

    Args:
        where: A text in the filter language, or a dict from names to values: a value, a list of values, or
            None for what a job does not have.

    Raises:
        InvalidArgumentError: It is no filter; the text says where.
    """
    if isinstance(where, Mapping):
        return _of_dict(where)
    if not isinstance(where, str):
        raise InvalidArgumentError(f"where={where!r:.200}", hint=f"give a text or a dict, {LANGUAGE}")
    if len(where) > MAX_LENGTH:
        raise InvalidArgumentError(
            f"where has {len(where)} characters", hint="give a dict with lists of values"
        )
    checked_text("where", where)
    return _Parser(where).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = _tokens(source)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def whole(self) -> Node:
        if self.token.kind == "end":
            raise _wrong(self.source, 0, "is empty", f"write a filter, {LANGUAGE}")
        node = self.either()
        if self.token.kind != "end":
            self.fail("and, or, or the end", near=("and", "or"))
        return node

    def either(self) -> Node:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Node:
        parts = [self.single()]
        while self.take("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def single(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _wrong(
                self.source,
                self.token.position,
                f"is nested more than {MAX_DEPTH} deep",
                "write fewer brackets",
            )
        if self.take("not"):
            node: Node = Not(self.single())
        elif self.take("("):
            node = self.either()
            if not self.take(")"):
                self.fail("and, or, or )", near=("and", "or"))
        else:
            node = self.comparison()
        self.depth -= 1
        return node

    def comparison(self) -> Node:
        name = self.name() or self.fail("a name, not or (")
        token = self.token
        if token.kind == "operator":
            self.next += 1
            right: Name | Literal | None = self.literal() or self.name()
            if right is None:
                self.fail("a value: a text in quotes, a number, true, false, null, or a name")
            if isinstance(right, Name):
                right = replace(right, compared=f"{name.text} {token.text}")
            return Comparison(name, OPERATORS[token.text], right)
        if self.take("~"):
            if self.token.kind != "text":
                self.fail("a regular expression in quotes")
            regex = self.regex()
            _check_regex(self.source, regex)
            return Pattern(name, regex)
        if self.take("not"):
            if not self.take("in"):
                self.fail("in", near=("in",))
            return Not(Membership(name, self.values()))
        if self.take("in"):
            return Membership(name, self.values())
        return self.fail("=, !=, <, <=, >, >=, ~, in or not in", near=("in", "not"))

    def values(self) -> tuple[Literal, ...]:
        if not self.take("["):
            self.fail("[")
        found = []
        while True:
            value = self.literal()
            if value is None:
                self.fail("a value: a text in quotes, a number, true, false or null")
            found.append(value)
            if self.take("]"):
                return tuple(found)
            if not self.take(","):
                self.fail(", or ]")

    def literal(self) -> Literal | None:
        token = self.token
        if token.kind == "text":
            value: Value = _text(token.text)
        elif token.kind == "number":
            value = _number(token.text)
        elif token.kind == "name" and token.text in WORDS:
            value = WORDS[token.text]
        else:
            return None
        self.next += 1
        return Literal(value, token.text if token.kind == "number" else str(value), token.position)

    def regex(self) -> Literal:
        """A text as it was written: its backslashes, also that before a quote, mean what Python says."""
        token = self.token
        self.next += 1
        return Literal(token.text[1:-1], token.text[1:-1], token.position)

    def name(self) -> Name | None:
        token = self.token
        if token.kind == "quoted":
            text = re.sub(r"\\(`)", r"\1", token.text[1:-1])
        elif token.kind == "special" or (token.kind == "name" and token.text not in (*KEYWORDS, *WORDS)):
            text = token.text
        else:
            return None
        self.next += 1
        return Name(text, token.position)

    def take(self, text: str) -> bool:
        token = self.token
        if token.text != text or token.kind not in ("mark", "name"):
            return False
        self.next += 1
        return True

    def fail(self, expected: str, near: Sequence[str] = ()) -> NoReturn:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text[:60])
        close = near_misses(token.text.lower(), list(near)) if near and token.kind == "name" else []
        hint = f"did you mean {close[0]}?" if close else LANGUAGE
        if token.kind == "name" and token.text in KEYWORDS and "name" in expected:
            hint = f"a tag or column of this name is written `{token.text}`"
        raise _wrong(self.source, token.position, f"expected {expected}, found {found}", hint)


def _tokens(source: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(source):
        found = TOKEN.match(source, position)
        if found is None:
            character = source[position]
            if character in "\"'`":
                raise _wrong(
                    source,
                    position,
                    f"the quote {character} is not closed",
                    "close it, or write \\ before a quote in a text",
                )
            hint = (
                "special names are @state and @name"
                if character == "@"
                else "odd names are written in `backticks`"
            )
            raise _wrong(source, position, f"unexpected {character!r}", hint)
        if found.lastgroup != "space":
            tokens.append(Token(str(found.lastgroup), found[0], position))
        position = found.end()
    return [*tokens, Token("end", "", len(source))]


def _text(quoted: str) -> str:
    """The text of a literal. As in experimaestro's filters a backslash stands for itself, except in the
    escapes of blanks; before the quote, where they cannot have one, it escapes the quote.
    """
    escapes = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", quoted[0]: quoted[0]}
    return re.sub(rf"\\([tnfr{quoted[0]}])", lambda found: escapes[found[1]], quoted[1:-1])


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"[-+]?\d{1,4000}", text) else float(text)


def _check_regex(source: str, regex: Literal) -> None:
    try:
        re.compile(str(regex.value))
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(
            source, regex.position, f"no regular expression: {error}", "Python's syntax is meant"
        ) from error


def _wrong(source: str, position: int, reason: str, hint: str) -> InvalidArgumentError:
    start, end = max(0, position - 20), position + 20
    before, after = "…" if start else "", "…" if len(source) > end else ""
    around = f"{before}{source[start:position]}▸{source[position:end]}{after}"
    return InvalidArgumentError(f"where, character {position + 1}: {reason}: {around!r}", hint=hint)


def _of_dict(where: Mapping[str, Any]) -> Node:
    parts: list[Node] = []
    for name, value in where.items():
        checked_text("where", name, "names are texts")
        values = given_list(value)
        if values is None:
            parts.append(Comparison(Name(name), "=", given_literal(name, value)))
        else:
            parts.append(Membership(Name(name), tuple(given_literal(name, each) for each in values)))
    return parts[0] if len(parts) == 1 else And(tuple(parts))
