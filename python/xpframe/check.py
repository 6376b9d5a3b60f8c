"""Checks a workspace, and keeps the findings as a sequence and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.backends.convert import converter_for
from xpframe.displayed import Displayed
from xpframe.finding import SEVERITIES, Finding
from xpframe.progress import reading
from xpframe.resolve import resolve_runs

if TYPE_CHECKING:
    from xpframe.options import Backend, Experiments

__all__ = ["Finding", "Findings", "check"]


class Findings(Displayed, Sequence[Finding]):
    """The findings of a check: a sequence of :class:`Finding`, and a table for Arrow libraries.

    :meth:`xpframe.Workspace.check` returns it. ``print`` shows the findings as text, worst first.
    """

    def __init__(self, root: str, table: _core.Table, examined: tuple[int, int, int, int]) -> None:
        self._root, self._table = root, table
        self._examined = dict(zip(("runs", "jobs", "compared", "paths"), examined, strict=True))
        columns = (table.column_values(name) for name in table.column_names)
        self._findings = [Finding(*row) for row in zip(*columns, strict=True)]

    @property
    def place(self) -> str:
        """The root of the workspace."""
        return self._root

    @property
    def seen(self) -> dict[str, int]:
        """What was checked: ``runs``, ``jobs``, jobs ``compared`` with their params.json, and ``paths``."""
        return dict(self._examined)

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each severity."""
        return {word: sum(finding.severity == word for finding in self._findings) for word in SEVERITIES}

    @property
    def is_clean(self) -> bool:
        """Whether there is no error and no warning."""
        return all(finding.severity == "info" for finding in self._findings)

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
        return len(self._findings)

    def __getitem__(self, index: Any) -> Any:
        return self._findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def _one_line(self) -> str:
        from xpframe.display.findings import heading

        return f"<Findings of {self._root}: {heading(self)}>"

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.findings import findings_html, findings_text

        return (findings_html if as_html else findings_text)(self._root, self._findings, self._examined)


def check(
    workspace: _core.Workspace,
    experiment: Experiments | None,
    run: str | Sequence[str],
    *,
    quiet: bool = False,
) -> Findings:
    """Checks these runs; by default all runs, and the files around them."""
    root = str(workspace.root)
    selected: list[_core.Run] | None = None
    if experiment is not None or run != "all":
        selected, _ = resolve_runs("*" if experiment is None else experiment, root, run)
    # the total is known at the end only
    with reading("check", quiet=quiet, size=None):
        table, examined = _core.check_workspace(workspace, selected)
    return Findings(root, table, examined)
