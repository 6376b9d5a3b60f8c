"""Pictures of runs, and what every SVG of them must be."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from xpframe.errors import InvalidArgumentError
from xpframe.plots import Picture
from xpframe.plots.columns import varying

SVG = "{http://www.w3.org/2000/svg}"

KINDS = ("states", "parallel", "timeline", "tasks")


def check_svg(svg: str) -> ET.Element:
    """An SVG is well-formed, small, and holds neither scripts nor anything to be fetched."""
    assert len(svg) < 300_000
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "rect", "path", "text", "title", "mask"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not any(":" in name or name.startswith("on") for name in names)
    numbers = re.sub(r">[^<]*<|aria-label=\"[^\"]*\"", "", svg).replace(SVG[1:-1], "")
    assert not re.search(r"https?:|nan|inf", numbers)
    assert svg.isprintable()
    return root


def drawn(info: Any, kind: str) -> Picture | None:
    """A picture of a run; None for parallel axes of a run whose jobs do not differ."""
    if kind != "parallel" or varying(info._run, 1_000):
        picture: Picture = getattr(info.plot, kind)()
        return picture
    with pytest.raises(InvalidArgumentError, match="the jobs differ in no column"):
        info.plot.parallel()
    return None
