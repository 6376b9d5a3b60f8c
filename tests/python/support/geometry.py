"""Where the texts and the visible parts of the curves of a picture are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from pictures import SVG
from xpframe.plots.canvas import width_of

NUMBER = r"-?\d+(?:\.\d+)?"


@dataclass
class Box:
    """A rectangle, with the text in it."""

    left: float
    top: float
    right: float
    bottom: float
    text: str = ""

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def texts_of(root: ET.Element) -> list[Box]:
    """The texts, as tight boxes around their letters."""
    boxes = []
    for element in root.iter(f"{SVG}text"):
        size = float(element.attrib.get("font-size", 11))
        # the widths of the canvas have some air
        width = width_of(element.text or "") * size / 11 * 0.85
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        anchor = element.attrib.get("text-anchor", "start")
        left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
        boxes.append(Box(left, y - 0.7 * size, left + width, y, element.text or ""))
    return boxes


def rectangles(root: ET.Element) -> list[Box]:
    """The rectangles of an element."""
    boxes = []
    for element in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(element.attrib.get(name, 0)) for name in ("x", "y", "width", "height"))
        boxes.append(Box(x, y, x + width, y + height))
    return boxes


def points_of(path: str) -> list[tuple[float, float]]:
    """Points along a path of M, L, C and h, close together."""
    x = y = 0.0
    points = []
    for command, text in re.findall(r"([MLChZ])([^MLChZ]*)", path):
        numbers = [float(number) for number in re.findall(NUMBER, text)]
        if command == "M":
            x, y = numbers
        elif command == "C":
            ax, ay, bx, by, to_x, to_y = numbers
            for step in range(101):
                t = step / 100
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                points.append(
                    (
                        sum(w * p for w, p in zip(weights, (x, ax, bx, to_x), strict=True)),
                        sum(w * p for w, p in zip(weights, (y, ay, by, to_y), strict=True)),
                    )
                )
            x, y = to_x, to_y
        elif command in "Lh":
            to_x, to_y = (x + numbers[0], y) if command == "h" else numbers
            points += [(x + (to_x - x) * step / 100, y + (to_y - y) * step / 100) for step in range(101)]
            x, y = to_x, to_y
    return points


def visible_points(root: ET.Element) -> list[tuple[float, float]]:
    """Points on the lines and curves that are not masked, arrow heads left out."""
    masks = [box for mask in root.iter(f"{SVG}mask") for box in rectangles(mask)[1:]]
    masked = [path for group in root.iter(f"{SVG}g") for path in group.iter(f"{SVG}path")]
    points = []
    for path in root.iter(f"{SVG}path"):
        if path.attrib.get("fill") != "none":
            continue
        hidden = masks if any(path is other for other in masked) else []
        points += [
            point for point in points_of(path.attrib["d"]) if not any(box.holds(*point) for box in hidden)
        ]
    return points


def texts_on_lines(root: ET.Element) -> list[str]:
    """The texts through which a line goes."""
    points = visible_points(root)
    return [box.text for box in texts_of(root) if any(box.holds(*point) for point in points)]


def texts_on_texts(root: ET.Element) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other."""
    boxes = texts_of(root)
    return [(a.text, b.text) for index, a in enumerate(boxes) for b in boxes[index + 1 :] if a.meets(b)]
