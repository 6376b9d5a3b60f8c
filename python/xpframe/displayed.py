"""How objects show themselves in notebooks and at the IPython prompt."""

from __future__ import annotations

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Displayed"]


class Displayed:
    """Makes ``repr`` of ``_one_line``, and the displays of notebooks and prompts of ``_display``.

    Display functions take plain data or the engine's ``Run``, never the object itself, so that the display
    modules need no module that uses them.
    """

    __slots__ = ()

    def _one_line(self) -> str:
        raise NotImplementedError

    def _display(self, *, as_html: bool) -> str:
        raise NotImplementedError

    # here, not in the class: IPython takes the first class that has either `__repr__` or `_repr_pretty_`
    def __repr__(self) -> str:
        return self._one_line()

    def _repr_html_(self) -> str:
        return self._display(as_html=True)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # inside a list or dict there is room for one line only
        printer.text(repr(self) if cycle or printer.indentation else self._display(as_html=False))
