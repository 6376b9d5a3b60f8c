"""Drawing in SVG: shapes, texts and colours that can be read on light and on dark pages."""

from __future__ import annotations

import unicodedata
from html import escape
from zlib import crc32

from xpframe.text import visible

__all__ = ["INK", "PALETTE", "Canvas", "blend", "cut", "gradient", "text_on", "width_of"]

# JupyterLab shows an SVG as an image, which does not inherit colours from the page: this grey has a contrast
# of 4.5 on white, where PNGs and printed pages are, and of 4.1 on JupyterLab's black. None has 4.5 on both.
INK = "#767676"
PALETTE = ("#2f83d6", "#e07b28", "#2f9e63", "#9061c2", "#d9483b", "#1aa5a5", "#c2578f", "#8a8f2a")
# from low to high; every colour stands out on both pages
_GRADIENT = ((71, 84, 196), (38, 142, 178), (64, 171, 108), (214, 165, 42), (214, 96, 48))
# widths at 11 px in the usual sans-serif fonts, with a little air
_WIDTHS = dict.fromkeys("ijlI.,:;|!'", 3.2) | dict.fromkeys('frt()[]{}/\\-"` *', 4.2)
_WIDTHS |= dict.fromkeys("mwMW@%…—", 10.4)


def width_of(text: str) -> float:
    """The approximate width of a text at 11 px, in px."""
    return sum(map(width_of_character, text))


def width_of_character(character: str) -> float:
    if width := _WIDTHS.get(character):
        return width
    if unicodedata.east_asian_width(character) in "WF":
        return 12.0
    return 8.2 if character.isupper() else 6.6


def cut(text: object, max_length: int = 22) -> str:
    """A label: printable and short."""
    shown = visible(str(text), 4 * max_length)
    return shown if len(shown) <= max_length else f"{shown[: max_length - 1]}…"


def gradient(share: float) -> str:
    """The colour of a number between 0 and 1."""
    position = min(max(share, 0.0), 1.0) * (len(_GRADIENT) - 1)
    index = min(int(position), len(_GRADIENT) - 2)
    low, high = _GRADIENT[index], _GRADIENT[index + 1]
    red, green, blue = (round(a + (b - a) * (position - index)) for a, b in zip(low, high, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"


def text_on(colour: str) -> str:
    """White or black, whichever is easier to read on a colour: one of them has a contrast of 4.5 at least."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    # at this luminance black and white have the same contrast
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"


def blend(colours: dict[str, int]) -> str:
    """The mean of colours, each with its weight."""
    weight = sum(colours.values())
    channels = (
        round(sum(int(colour[at : at + 2], 16) * count for colour, count in colours.items()) / weight)
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)


class Canvas:
    """Collects the elements of an SVG; sizes are in px."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.elements: list[str] = []
        self.hidden: list[str] = []

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        *,
        tip: str = "",
        corner: float = 2,
    ) -> None:
        """A filled rectangle; ``tip`` is its tooltip, if the SVG is part of the page."""
        size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        shape = f'<rect {size} rx="{corner:g}" fill="{colour}"'
        self.elements.append(f"{shape}>{title(tip)}</rect>" if tip else f"{shape}/>")

    def frame(self, x: float, y: float, width: float, height: float, *, dashed: bool = False) -> None:
        """The outline of a rectangle."""
        dashes = ' stroke-dasharray="3 3"' if dashed else ""
        self.elements.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" fill="none" '
            f'stroke="{INK}" stroke-opacity="0.45"{dashes}/>'
        )

    def hide(self, x: float, y: float, width: float, height: float) -> None:
        """Keeps curves out of a rectangle, so that text in it is readable on any background."""
        self.hidden.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3" fill="#000"/>'
        )

    def masked(self, curves: list[str]) -> str:
        """Curves, with the hidden rectangles cut out."""
        shapes = "".join(self.hidden)
        # several pictures in a page need distinct names
        name = f"xpf-{crc32(shapes.encode()):08x}"
        size = f'width="{self.width:.0f}" height="{self.height:.0f}"'
        whole = f'<rect {size} fill="#fff"/>'
        mask = f'<mask id="{name}" maskUnits="userSpaceOnUse" x="0" y="0" {size}>{whole}{shapes}</mask>'
        return f'{mask}<g mask="url(#{name})">{"".join(curves)}</g>'

    def signed(self, x: float, y: float, words: str, sign: str) -> None:
        """Words and a sign, in white, centred at ``x``; as two texts, since few fonts have both."""
        start = x - width_of(words + sign) / 2
        self.text(start, y, words, bold=True, colour="#fff")
        if sign:
            self.text(start + width_of(words) + 1.5, y, sign, colour="#fff")

    def line(self, x1: float, y1: float, x2: float, y2: float, *, faint: bool = True) -> None:
        """A straight line, for axes and grids."""
        self.curve(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", INK, width=1, opacity=0.3 if faint else 0.8)

    def curve(
        self,
        path: str,
        colour: str,
        *,
        width: float = 1.5,
        opacity: float = 0.7,
        tip: str = "",
        filled: bool = False,
    ) -> None:
        """A path, in the syntax of SVG."""
        fill = colour if filled else "none"
        look = f'stroke="{colour}" stroke-width="{width:.2g}" stroke-opacity="{opacity:.2g}"'
        shape = f'<path d="{path}" fill="{fill}" {look}'
        self.elements.append(f"{shape}>{title(tip)}</path>" if tip else f"{shape}/>")

    def area(self, path: str, colour: str, *, opacity: float) -> None:
        """A closed path, filled and without a line around it."""
        self.elements.append(f'<path d="{path}Z" fill="{colour}" fill-opacity="{opacity:.2g}"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        size: float = 11,
        bold: bool = False,
        colour: str = INK,
        turn: float = 0,
    ) -> None:
        """A text; ``y`` is its baseline."""
        more = f' text-anchor="{anchor}"' if anchor != "start" else ""
        more += f' font-size="{size:g}"' if size != 11 else ""
        more += ' font-weight="600"' if bold else ""
        more += f' fill="{colour}"' if colour != INK else ""
        more += f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        self.elements.append(f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>')

    def svg(self, label: str) -> str:
        """The picture as text; ``label`` is read by screen readers."""
        wide, high = round(self.width), round(self.height)
        size = f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
        font = f'font-family="Inter,Helvetica,Arial,sans-serif" font-size="11" fill="{INK}"'
        name = f'role="img" aria-label="{escape(visible(label))}"'
        style = 'style="max-width:100%;height:auto"'
        inner = "".join(self.elements)
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} {name} {font}>{inner}</svg>'


def title(tip: str) -> str:
    return f"<title>{escape(visible(tip, 400))}</title>"
