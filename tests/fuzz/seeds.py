"""Makes the seeds of the fuzz targets from the tests' workspaces: `python tests/fuzz/seeds.py DIRECTORY`.

Those of $XPFRAME_REFERENCE_WORKSPACES, a directory of archives, are added. Nothing is kept in git:
DIRECTORY/json, /graph, /run, /events, /tables, /logs and /schemas are filled with files named by what they
hold.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = "experiments/x/20260101_000000"  # as in targets.rs
LARGEST = 100_000
JOBS = 6


def main(home: Path) -> None:
    """Writes the seeds, and says how many there are."""
    # the sample has the event files of TensorBoard
    folders = [REPOSITORY / "tests" / "workspaces", REPOSITORY / "python" / "xpframe" / "_sample"]
    if more := os.environ.get("XPFRAME_REFERENCE_WORKSPACES"):
        folders.append(Path(more))
    archives = sorted(archive for folder in folders for archive in folder.glob("*.tar.gz"))
    assert archives, f"no archives in {folders}"
    keep(home / "schemas", bytes(range(14)))
    for archive in archives:
        files = contents(archive)
        for path, content in files.items():
            if path.suffix in {".json", ".jsonl"}:
                keep(home / "json", content)
                for line in content.splitlines()[:40]:
                    keep(home / "json", line)
            if path.name == "objects.jsonl":
                keep(home / "graph", content)
            if path.suffix in {".err", ".out"}:
                keep(home / "logs", content)
            if "tfevents" in path.name:
                keep(home / "events", content)
            if path.parts[0] == "jobs" and path.suffix in {".csv", ".tsv", ".txt", ".dat", ".json", ".jsonl"}:
                keep(home / "tables", content)
        for run in sorted({p.parent for p in files if p.name in {"jobs.jsonl", "state.json"}}):
            keep(home / "run", bundle(files, run))
    print({d.name: len(list(d.iterdir())) for d in sorted(home.iterdir())})


def contents(archive: Path) -> dict[PurePosixPath, bytes]:
    """The regular files of a workspace, by their path in it."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() or member.islnk() else None
            if file is not None and len(PurePosixPath(member.name).parts) > 1:
                found[PurePosixPath(*PurePosixPath(member.name).parts[1:])] = file.read()
    return found


def bundle(files: dict[PurePosixPath, bytes], run: PurePosixPath) -> bytes:
    """The files of a run and of its first jobs, each behind the line that `targets.rs` splits at."""
    parts = []
    jobs: set[PurePosixPath] = set()
    for path, content in files.items():
        if path.is_relative_to(run) and len(content) <= LARGEST:
            parts.append((f"{RUN}/{path.relative_to(run)}", content))
    whole = b"".join(content for _, content in parts)
    for path, content in files.items():
        if path.parts[0] != "jobs" or len(path.parts) < 4 or len(content) > LARGEST:
            continue
        job = PurePosixPath(*path.parts[:3])
        if path.parts[2].encode() in whole and (job in jobs or len(jobs) < JOBS):
            jobs.add(job)
            parts.append((str(path), content))
    return b"".join(b"\n=== %s\n%s" % (name.encode(), content) for name, content in parts)


def keep(home: Path, content: bytes) -> None:
    """Writes a seed, unless it is too long for a fuzzer."""
    home.mkdir(parents=True, exist_ok=True)
    if len(content) <= 4 * LARGEST:
        (home / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
