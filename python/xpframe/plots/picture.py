"""A picture: its SVG, its data, and how to save it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError
from xpframe.libraries import missing_library
from xpframe.locate import expanded

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Picture"]


class Picture:
    """A picture of a run. Notebooks show it, :meth:`save` writes it, :meth:`data` returns the drawn values.

    Args:
        svg: The picture, self-contained.

        text: A description.

        data: Returns the drawn values, one dict per drawn element.
    """

    def __init__(self, svg: str, text: str, data: Callable[[], list[dict[str, Any]]]) -> None:
        self._svg, self._text, self._data = svg, text, data

    @property
    def svg(self) -> str:
        """The SVG, as text."""
        return self._svg

    def data(self) -> list[dict[str, Any]]:
        """The drawn values: dicts of plain values, all with the same keys, for a DataFrame."""
        return self._data()

    def save(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """Writes the picture to a file.

        Args:
            path: Its name, ending in ``.svg`` or ``.png``.

            scale: Pixels of a PNG for each unit of the SVG.

        Returns:
            The path of the file.

        Raises:
            InvalidArgumentError: The name has another ending, or is inside a workspace.
            MissingLibraryError: A PNG needs resvg-py, which is not installed.
        """
        from xpframe.whole_file import write_whole

        target = expanded(path)
        if target.suffix.lower() == ".svg":
            write_whole(target, lambda to: to.write(self._svg.encode()))
        elif target.suffix.lower() == ".png":
            picture = self.png(scale)
            write_whole(target, lambda to: to.write(picture))
        else:
            raise InvalidArgumentError(
                f"cannot save a picture as {target.name!r}", hint="end it in .svg or .png"
            )
        return target

    def png(self, scale: float = 2.0) -> bytes:
        """The picture as a PNG on white, ``scale`` pixels for each unit of the SVG."""
        try:
            import resvg_py
        except Exception as error:
            hint = "pip install 'xpframe[png]', or save as .svg"
            raise missing_library(error, "a PNG needs", "resvg_py", hint=hint) from error
        return resvg_py.svg_to_bytes(svg_string=self._svg, zoom=scale, background="#ffffff")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's
        return {"image/svg+xml": self._svg, "text/plain": self._text}

    def __repr__(self) -> str:
        return self._text
