"""The sample workspace: a grid search of twelve jobs, really run with experimaestro 2.7.0; one failed.

It is packed as an archive because a wheel keeps neither symbolic links, nor empty directories, nor times,
and a workspace has all three.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_ARCHIVE = Path(__file__).with_name("workspace.tar.gz")


def sample_workspace(directory: str | os.PathLike[str] | None = None) -> Path:
    """Unpack the sample workspace and return its directory.

    The workspace holds one experiment, `grid-search`, with one run of twelve jobs: three learning rates by
    four sizes of a model, each with a `metrics.json`, except one job whose loss diverged. Without an
    argument the directory is temporary: the first call creates it, later calls in the process return it,
    and it is removed at exit.

    Args:
        directory: A directory that does not exist yet, for a copy that stays, to try the command line on.

    Returns:
        The directory of the workspace, absolute.

    Raises:
        OSError: No directory can be written.
        FileExistsError: The directory exists.

    >>> from xpframe import sample_workspace
    >>> [path.name for path in sample_workspace().glob("experiments/*")]
    ['grid-search']
    """
    if directory is not None:
        target = Path(directory).expanduser().absolute()
        target.mkdir(parents=True)
        _unpack(target)
        return target
    # keyed by process: a forked process must not use a directory that its parent removes
    return _unpacked(os.getpid())


@cache
def _unpacked(process: int) -> Path:
    import atexit  # these cost milliseconds, and few who import xpframe need them
    import tempfile

    directory = tempfile.mkdtemp(prefix="xpframe-")
    atexit.register(_remove, directory, process)
    sample = Path(directory).resolve() / "sample"
    sample.mkdir()
    _unpack(sample)
    return sample


def _unpack(directory: Path) -> None:
    """Unpacks what is below `sample/` in the archive."""
    import tarfile

    with tarfile.open(_ARCHIVE) as archive:
        # Python 3.11.0 to 3.11.3 have no filters, and would refuse the argument
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        members = []
        for member in archive:
            _, _, member.name = member.name.partition("sample/")
            if member.name:
                members.append(member)
        archive.extractall(directory, members)  # noqa: S202 -- our own archive


def _remove(directory: str, process: int) -> None:
    if os.getpid() == process:
        import shutil

        shutil.rmtree(directory, ignore_errors=True)
