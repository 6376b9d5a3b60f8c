"""An action of a run as an object."""

from __future__ import annotations

from xpframe.displayed import Displayed
from xpframe.text import visible

# typing takes longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xpframe import _core

__all__ = ["Action"]


class Action(Displayed):
    """An action of a run: its config's fields are its attributes.

    Args:
        config: The config of the action; None if experimaestro could not write it.
        description: The result of ``describe()`` when the experiment ran.
        typename: Its class, ``module.Class``.
    """

    __slots__ = ("_config", "_description", "_typename")

    def __init__(self, config: _core.Config | None, description: str, typename: str) -> None:
        self._config, self._description, self._typename = config, description, typename

    def describe(self) -> str:
        """The result of ``describe()`` when the experiment ran; no code is executed."""
        return self._description

    @property
    def config(self) -> _core.Config | None:
        """The config of the action; None if experimaestro could not write it (a class that cannot be
        serialised): then it has a description and a class only.
        """
        return self._config

    def __getattr__(self, name: str) -> Any:
        if self._config is None:
            raise AttributeError(f"{name}: experimaestro could not write the config of this action")
        return getattr(self._config, name)

    def __dir__(self) -> list[str]:
        return ["config", "describe", *(dir(self._config) if self._config is not None else ())]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Action) and other.__reduce__() == self.__reduce__()

    def __hash__(self) -> int:
        return hash(self._config) if self._config is not None else hash((self._description, self._typename))

    def __reduce__(self) -> tuple[type[Action], tuple[_core.Config | None, str, str]]:
        return Action, (self._config, self._description, self._typename)

    def _one_line(self) -> str:
        return f"<action {visible(self._typename)}: {visible(self._description)}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.actions import action_html, action_text

        return (action_html if as_html else action_text)(self._config, self._description)
