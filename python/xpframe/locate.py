"""Finds the workspace when the user names none."""

from __future__ import annotations

import os

from xpframe import _core
from xpframe.errors import (
    InvalidArgumentError,
    ReadError,
    RunNotFoundError,
    WorkspaceNotFoundError,
    XpFrameError,
)

# pathlib and typing each take longer to import than to read a small run
TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from pathlib import Path
    from typing import Any

__all__ = ["archives", "expanded", "find_workspace", "how_to_copy", "open_run", "remote_address", "use"]

_SETTINGS = "~/.config/experimaestro/settings.yaml"
_used: Path | None = None


def use(path: str | os.PathLike[str] | None) -> None:
    """Sets the default workspace; ``None`` unsets it.

    Args:
        path: The root of the workspace; ``~`` is expanded.

    Raises:
        WorkspaceNotFoundError: There is no workspace.
    """
    global _used  # noqa: PLW0603 - state that the user sets on purpose
    if path is None:
        _used = None
        return
    _used = _open(path).root


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with ``~`` expanded. ``~name`` of an unknown user stays as it is."""
    from pathlib import Path

    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
    except TypeError as error:
        raise InvalidArgumentError(f"{path!r} is not a path", hint="give a str or a pathlib.Path") from error


def remote_address(workspace: str | bytes | os.PathLike[str]) -> tuple[str, str] | None:
    """The host and the path of ``host:path``; None of the path of a directory of this machine."""
    import re

    text = os.fspath(workspace)
    if isinstance(text, bytes):
        return None
    found = re.fullmatch(r"((?:[^/:@]*@)?(?:\[[^\]/]+\]|[^/:]+)):(.*)", text, re.DOTALL)
    return (found[1], found[2]) if found else None


def find_workspace(
    workspace: str | os.PathLike[str] | None = None, experiment: str | None = None
) -> _core.Workspace:
    """Finds a workspace.

    The first of: the argument (a path, or the id of a workspace in experimaestro's settings); the default set
    by :func:`use`; ``$XPFRAME_WORKSPACE``; the current directory or its nearest parent that is a workspace;
    experimaestro's ``~/.config/experimaestro/settings.yaml``, in which a workspace with a trigger that
    matches the experiment comes before the first workspace (docs/format.md §14).

    Raises:
        WorkspaceNotFoundError: None is found; the text lists the candidates.
    """
    if workspace is not None:
        return _named(workspace)
    named = {"xpframe.use(…)": _used, "$XPFRAME_WORKSPACE": os.environ.get("XPFRAME_WORKSPACE")}
    for origin, path in named.items():
        if path:
            try:
                return _open(path)
            except XpFrameError as error:
                error.hint = "; ".join(filter(None, (f"from {origin}", error.hint)))
                raise
    current = _current_directory()
    for directory in (current, *current.parents) if current else ():
        if _is_workspace(directory):
            return _core.Workspace(directory, archives())
    settings = _settings_file()
    entries = _entries(settings)
    for entry in _preferred(entries, experiment):
        if _core.is_workspace(entry["path"]):
            return _core.Workspace(entry["path"], archives())
    listed = ", ".join(str(entry["path"]) for entry in entries) or "which names no workspace on this machine"
    around = f"{current} and its parents" if current else "the current directory (which was deleted)"
    raise WorkspaceNotFoundError(
        f"no workspace: looked for xpframe.use(…), $XPFRAME_WORKSPACE, {around}, and {settings} ({listed})",
        hint="give workspace=…, a directory that holds experiments/ or xp/",
    )


def _is_workspace(directory: Path) -> bool:
    """Whether a directory above the current one is a workspace; one that may not be entered is none."""
    try:
        return _core.is_workspace(directory)
    except ReadError:
        # one that fails might be the workspace that is meant: then no other is taken instead
        try:
            os.stat(f"{directory}/.")  # noqa: PTH116 - pathlib leaves the dot out
        except PermissionError:
            return False
        except OSError:
            pass
        raise


def _named(workspace: str | os.PathLike[str]) -> _core.Workspace:
    path = expanded(workspace)
    if not os.path.exists(path) and isinstance(workspace, str) and os.sep not in workspace:  # noqa: PTH110 - pathlib raises
        entries = _entries(_settings_file())
        for entry in entries:
            if entry["id"] == workspace:
                return _core.Workspace(entry["path"], archives())
        wanted = workspace.encode(errors="replace").decode()  # an unpaired surrogate is in no id
        near = _core.near_misses(wanted, [entry["id"] for entry in entries])
        if near:
            raise WorkspaceNotFoundError(
                f"neither a directory nor a workspace in the settings has the name {workspace!r}",
                hint=f"did you mean {', '.join(near)}?",
            )
    return _open(workspace)


def _open(path: str | os.PathLike[str]) -> _core.Workspace:
    """The workspace at a path; one on another machine is an error that says how to copy it."""
    if hint := how_to_copy(path):
        raise WorkspaceNotFoundError(f"{os.fspath(path)!r} is not on this machine", hint=hint)
    return _core.Workspace(expanded(path), archives())


def open_run(path: str | os.PathLike[str]) -> _core.Run:
    """Opens a run by the path of its directory. A name of an experiment, or a path on another machine, is an
    error that says how to load it.
    """
    try:
        directory = os.path.expanduser(path) or os.curdir  # noqa: PTH111 - pathlib takes longer than to read a small run
    except TypeError as error:
        raise InvalidArgumentError(f"{path!r} is not a path", hint="give a str or a pathlib.Path") from error
    if hint := how_to_copy(path):
        raise RunNotFoundError(f"{path!r} is not on this machine", hint=hint)
    try:
        return _core.open_run(directory, archives())
    except RunNotFoundError as error:
        is_name = isinstance(path, str) and path and not {os.sep, "~"} & set(path) and path not in (".", "..")
        if not is_name or os.path.lexists(path):
            raise
        hint = f"this takes the path of a run; by name: Workspace().load_xp_info({path!r})"
        raise RunNotFoundError(error.reason, file=error.file, hint=hint) from None


def how_to_copy(path: object) -> str | None:
    """What to do about a path on another machine, ``host:path`` or a URL; None for any other path."""
    if not isinstance(path, str) or ":" not in path or os.path.lexists(path):
        return None
    start, _, rest = path.partition(":")
    if rest.startswith("//") and start.isalnum():
        if start != "ssh":
            return "copy it to this machine, as xpframe pull does from host:path, or mount it"
    elif not start or "/" in start or (len(start) == 1 and rest[:1] in ("\\", "/")):
        return None  # a drive of Windows, or a colon in a name
    return f"copy it with: xpframe pull {path} DIRECTORY"


def _current_directory() -> Path | None:
    """The current directory; None if it was deleted."""
    from pathlib import Path

    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def _settings_file() -> Path:
    return expanded(_SETTINGS)


def archives() -> list[tuple[Path, list[Path]]]:
    """The directories to which experimaestro archives the jobs of workspaces (``folders`` in its settings),
    by the roots of the workspaces. Settings that cannot be read name none: nothing was asked of them.
    """
    try:
        # pathlib takes longer to import than to read a small run
        with open(os.path.expanduser(_SETTINGS), "rb") as file:  # noqa: PTH111, PTH123
            text = file.read()
    except OSError:
        return []
    if b"folders" not in text:
        return []
    import yaml

    try:
        workspaces = yaml.safe_load(text)["workspaces"]
        return [
            (entry["path"], [expanded(_interpolated(folder["path"])) for folder in item["folders"]])
            for item in workspaces
            if isinstance(item, dict) and item.get("folders") and (entry := _entry(item))
        ]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return []


def _entries(settings: Path) -> list[dict[str, Any]]:
    """The workspaces in the settings that are on this machine: id, path, triggers."""
    try:
        text = settings.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ReadError(
            f"cannot be read: {error.strerror}", file=str(settings), hint="or give workspace=…"
        ) from error
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # the text of a YAML error has several lines
        raise WorkspaceNotFoundError(
            f"not valid YAML: {' '.join(str(error).split())}",
            file=str(settings),
            hint="repair the file, or give workspace=…",
        ) from error
    workspaces = content.get("workspaces") if isinstance(content, dict) else None
    if not isinstance(workspaces, list):
        return []
    return [entry for item in workspaces if (entry := _entry(item))]


def _entry(item: object) -> dict[str, Any] | None:
    """A workspace of the settings; None if it is remote or malformed."""
    if not isinstance(item, dict) or not isinstance(item.get("path"), str):
        return None
    ssh = item.get("ssh")
    if isinstance(ssh, dict) and ssh.get("host"):
        return None
    path = expanded(_interpolated(item["path"]))
    if not path.is_absolute():
        # experimaestro takes the current directory, too
        path = (_current_directory() or expanded("/")) / path
    triggers = item.get("triggers")
    globs = [str(trigger) for trigger in triggers] if isinstance(triggers, list) else []
    return {"id": str(item.get("id", "")), "path": path, "triggers": globs}


def _interpolated(text: str) -> str:
    """Expands ``${env:V}``, ``${env.V}``, ``${oc.env:V}``, ``${oc.env.V}`` and ``${oc.env:V,default}``;
    unknown variables stay.
    """
    import re

    def value(match: re.Match[str]) -> str:
        name, _, default = match["name"].partition(",")
        fallback = default.strip() if default else match[0]
        return os.environ.get(name.strip(), fallback)

    return re.sub(r"\$\{(?:oc\.)?env[:.](?P<name>[^}]+)\}", value, text)


def _preferred(entries: list[dict[str, Any]], experiment: str | None) -> list[dict[str, Any]]:
    """The workspaces with a trigger for the experiment, then the first workspace, which is the default."""
    from fnmatch import fnmatchcase

    triggered = [
        entry
        for entry in entries
        if experiment is not None and any(fnmatchcase(experiment, glob) for glob in entry["triggers"])
    ]
    return [*triggered, *entries[:1]]
