"""The services of a run, as TensorBoard: what its files say of them. None is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpframe.state import State

if TYPE_CHECKING:
    from xpframe import _core

__all__ = ["Service", "services_of"]


@dataclass(frozen=True)
class Service:
    """A service that a run added.

    Attributes:
        id: Its identifier, as ``tensorboard``.
        typename: Its class, ``module.Class``.
        state: What the files say: ``STOPPED``, ``RUNNING``, ``STARTING``, ``STOPPING`` or ``ERROR``. The
            driver may be gone since.
        url: Where it answers while it runs; None if it does not.
        settings: What its class needs to start it again; paths are where the workspace is now.
        experiment_id: The experiment.
        run_id: The run.
    """

    id: str
    typename: str
    state: State
    url: str | None
    settings: dict[str, Any]
    experiment_id: str
    run_id: str
    _text: str = field(default="", repr=False)

    def description(self) -> str:
        """The result of its ``description()`` when the experiment ran."""
        return self._text

    def state_dict(self) -> dict[str, Any]:
        """Its settings, by the name that experimaestro gives them."""
        return dict(self.settings)


def services_of(run: _core.Run) -> dict[str, Service]:
    """The services of a run, by identifier."""
    services = {}
    for entry in run.services():
        settings = _with_paths(run, entry["settings"] or {})
        # a service that nobody started is stopped: experimaestro leaves the state out of its event
        state = State(entry["state"] or "STOPPED")
        services[entry["id"]] = Service(
            id=entry["id"],
            typename=entry["typename"],
            state=state,
            url=entry["url"],
            settings=settings,
            experiment_id=run.experiment,
            run_id=run.run_id,
            _text=entry["text"],
        )
    return services


def _with_paths(run: _core.Run, value: Any) -> Any:
    """A value with its paths decoded: they stand in the file as ``{"__path__": "…"}``."""
    if isinstance(value, dict):
        if list(value) == ["__path__"] and isinstance(value["__path__"], str):
            return Path(run.moved(value["__path__"]))
        return {name: _with_paths(run, part) for name, part in value.items()}
    return [_with_paths(run, part) for part in value] if isinstance(value, list) else value
