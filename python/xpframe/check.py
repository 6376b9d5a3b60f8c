"""What is wrong with a workspace: a frame of findings that shows itself as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.backends.convert import Backend, converter_for
from xpframe.displayed import Displayed
from xpframe.finding import SEVERITIES, Finding
from xpframe.progress import reading
from xpframe.resolve import resolve_runs

if TYPE_CHECKING:
    from xpframe.resolve import Experiments

__all__ = ["Finding", "Findings", "check"]


class Findings(Displayed, Sequence[Finding]):
    """What is wrong with a workspace: a sequence of :class:`Finding`, and a table that Arrow libraries take.

    Made by :meth:`xpframe.Workspace.check`. ``print`` it for text, worst first; in a notebook it shows
    itself.
    """

    def __init__(self, place: str, table: _core.Table, seen: tuple[int, int, int, int]) -> None:
        self._place, self._table = place, table
        self._seen = dict(zip(("runs", "jobs", "compared", "paths"), seen, strict=True))
        columns = (table.column_values(name) for name in table.column_names)
        self._found = [Finding(*row) for row in zip(*columns, strict=True)]

    @property
    def place(self) -> str:
        """The root of the workspace."""
        return self._place

    @property
    def seen(self) -> dict[str, int]:
        """How much was looked at: ``runs``, ``jobs``, jobs ``compared`` with their params.json, ``paths``."""
        return dict(self._seen)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return {word: sum(one.severity == word for one in self._found) for word in SEVERITIES}

    @property
    def is_clean(self) -> bool:
        """Whether there is no error and no warning."""
        return all(one.severity == "info" for one in self._found)

    def table(self) -> _core.Table:
        """The findings as an Arrow table."""
        return self._table

    def frame(self, *, backend: Backend = "pandas") -> Any:
        """The findings as a DataFrame of pandas, polars or pyarrow."""
        return converter_for(backend)(self._table)

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, at: Any) -> Any:
        return self._found[at]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def _one_line(self) -> str:
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items())
        return f"<Findings of {self._place}: {counts}>"

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.findings import findings_html, findings_text

        return (findings_html if as_html else findings_text)(self._place, self._found, self._seen)


def check(
    workspace: _core.Workspace,
    experiment: Experiments | None,
    run: str | Sequence[str],
    *,
    quiet: bool = False,
) -> Findings:
    """Looks at the runs that are meant; at all of them, and around them, if none is named."""
    root = str(workspace.root)
    asked: list[_core.Run] | None = None
    if experiment is not None or run != "all":
        asked, _ = resolve_runs("*" if experiment is None else experiment, root, run)
    # how much there is to look at is known at the end only
    with reading("check", quiet=quiet, size=None):
        table, seen = _core.check_workspace(workspace, asked)
    return Findings(root, table, seen)
