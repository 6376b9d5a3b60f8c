"""A workspace and its experiments."""

from __future__ import annotations

from xpframe.displayed import Displayed
from xpframe.errors import XpFrameError
from xpframe.experiment import ExperimentInfo, open_info
from xpframe.locate import find_workspace
from xpframe.report import report
from xpframe.text import visible

# typing and pathlib each take longer to import than to read a run of some hundred jobs
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from xpframe import _core
    from xpframe.check import Findings
    from xpframe.options import Experiments

__all__ = ["Workspace"]


class Workspace(Displayed):
    """A workspace: its experiments, their runs and their content. Nothing is ever written to it.

    Args:
        path: The root directory; by default the workspace that :func:`xpframe.xp_frame` would use.

    Raises:
        WorkspaceNotFoundError: There is no workspace.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._workspace = find_workspace(path)

    def __reduce__(self) -> tuple[type[Workspace], tuple[Path]]:
        return type(self), (self.path,)

    @property
    def path(self) -> Path:
        """The root directory."""
        return self._workspace.root

    @property
    def errors(self) -> list[XpFrameError]:
        """The experiments that :meth:`experiments` leaves out because their names are not UTF-8, and those
        whose directories cannot be read.
        """
        errors = self._workspace.unreadable_experiments()
        try:
            names = self._workspace.experiments()
        except XpFrameError:
            return errors
        for name in names:
            runs = self._workspace.readable_runs(name, "all")
            errors.extend(error for run in runs if not run.is_readable for error in run.errors())
        return errors

    def experiments(self) -> list[str]:
        """The names of the experiments, sorted. A warning says which are left out: see ``errors``."""
        names = self._workspace.experiments()  # raises what the warning would say
        report(self._workspace.unreadable_experiments(), [], strict=False, listed_in=".errors")
        return names

    def runs(self, experiment: str) -> list[str]:
        """The ids of the runs of an experiment, newest first."""
        return [run.run_id for run in self._workspace.runs(experiment)]

    def get_current_run(self, experiment: str) -> str:
        """The id of the latest run of an experiment: the target of ``current``, else the newest run."""
        return self._workspace.latest(experiment).run_id

    def load_xp_info(
        self, experiment: str, run_id: str | None = None, *, strict: bool = False, quiet: bool = False
    ) -> ExperimentInfo:
        """Loads a run, by default the latest.

        Raises:
            ExperimentNotFoundError: There is no such experiment.
            RunNotFoundError: There is no such run.
        """
        return open_info(lambda: self._run(experiment, run_id), strict=strict, quiet=quiet)

    def get_tags_map(self, experiment: str, run_id: str | None = None) -> dict[str, dict[str, Any]]:
        """The tags of each job that has tags, by job id, in the order of submission."""
        return self._run(experiment, run_id).tags_map()

    def get_dependencies_map(self, experiment: str, run_id: str | None = None) -> dict[str, list[str]]:
        """The ids of the jobs that each job depends on, by job id; jobs without dependencies are left out.

        They are computed from the configs.
        """
        return self._run(experiment, run_id).dependencies_map()

    def load(self, experiment: str, saved: str = "default", run_id: str | None = None) -> Any:
        """Loads an object saved with ``xp.save`` in a run, by default the latest.

        Raises:
            JobNotFoundError: There is no object of this name.
        """
        return self._run(experiment, run_id).saved(saved)

    def check(
        self, experiment: Experiments | None = None, *, run: str | Sequence[str] = "all", quiet: bool = False
    ) -> Findings:
        """Looks for faults: dangling references, reused object ids, jobs without configs, states that
        disagree with marker files, truncated files, missing paths, and more. Each config is compared with
        the params.json of its job. Nothing is written.

        Args:
            experiment: A name, a list of names, or a glob. By default all experiments, and the files around
                their runs.
            run: ``"all"``, ``"latest"``, a run id, or a list of run ids.
            quiet: Hides progress.

        Returns:
            The findings: a sequence, a frame (``frame()``), and text (``print``). ``is_clean`` is true if
            there is no error and no warning.

        Raises:
            ExperimentNotFoundError, RunNotFoundError: There is no such experiment or run.
            ReadError: The experiments cannot be listed.
        """
        from xpframe.check import check

        return check(self._workspace, experiment, run, quiet=quiet)

    def _run(self, experiment: str, run_id: str | None) -> _core.Run:
        if run_id is None:
            return self._workspace.latest(experiment)
        return self._workspace.run(experiment, run_id)

    def _one_line(self) -> str:
        return f"<Workspace {visible(str(self.path))}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.workspace import workspace_html, workspace_text

        return (workspace_html if as_html else workspace_text)(self._workspace)
