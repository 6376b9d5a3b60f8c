"""Pictures of runs, and what every SVG of them must be."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
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


def texts(picture: Picture) -> list[str]:
    """The texts of a picture."""
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def runs(root: Path) -> list[Path]:
    """The directories of the runs of a workspace."""
    return [path for path in (*root.glob("experiments/*/2*"), *root.glob("xp/*")) if path.is_dir()]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
