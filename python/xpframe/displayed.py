"""How objects show themselves in notebooks and at the IPython prompt."""

from __future__ import annotations

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Displayed"]


class Displayed:
    """Gives a class its notebook and prompt displays; the class says in ``_display`` how both are made.

    Display functions take plain data or the engine's ``Run``, never the object itself, so that the display
    modules need no module that uses them.
    """

    __slots__ = ()

    def _display(self, *, as_html: bool) -> str:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self._display(as_html=True)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # inside a list or dict there is room for one line only
        one_line = cycle or printer.indentation
        printer.text(repr(self) if one_line else self._display(as_html=False))
