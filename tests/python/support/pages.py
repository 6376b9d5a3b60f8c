"""HTML that stands anywhere: what it may hold, and content that tries to break it."""

from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import xpframe

ANSI = "\x1b[31mred\x1b[0m"
HOSTILE = {
    "script": "<script>alert('x')</script>",
    "quotes": "\" onmouseover='x' `&amp;",
    "lines": "one\ntwo\r\nthree\tfour",
    "ansi": ANSI,
    "nul": "a\0b",
    "bidi": "abc\u202egnp.exe\u2066",
    "closing": "</style></details></div><img src=x onerror=alert(1)>",
    "surrogate": "lone \ud800",
    "separator": "line\u2028separator",
    "long": "<" * 1_000_000,
}


class Tags(HTMLParser):
    """The tags of a page, checked to be closed in the order in which they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


ALLOWED = {
    *("div", "span", "b", "i", "bdi", "br", "code", "pre", "small", "style"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "ul", "li"),
}
ATTRIBUTES = {"class", "style", "title", "hidden", "open", "colspan", "scope"}


def check_html(page: str) -> None:
    """A page is well-formed, harmless, and stands without anything fetched."""
    assert len(page) < 300_000
    ET.fromstring(f"<page>{page}</page>")
    found = Tags(page)
    assert found.seen
    for tag, attributes in found.seen:
        assert tag in ALLOWED
        assert set(attributes) <= ATTRIBUTES, (tag, attributes)
    assert not re.search(r"url\(|@import|https?:|javascript:", re.sub(r'title="[^"]*"|>[^<]*<', "", page))
    # what cannot be seen stands as an escape; line breaks only in the style sheet and in unfolded texts
    assert all(c.isprintable() or c == "\n" for c in page)


def text_of(page: str) -> str:
    """What a reader sees."""
    root = ET.fromstring(f"<page>{page}</page>")
    for style in root.iter("style"):
        style.text = ""
    return re.sub(r"\s+", " ", " ".join(root.itertext()))


def quiet(call: Callable[[], Any]) -> Any:
    """The result of a call, its warnings kept quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xpframe.XpFrameWarning)
        return call()
