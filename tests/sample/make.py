"""Makes the sample workspace anew: runs the grid search, trims the result, packs it into the package.

    python tests/sample/make.py

Needs experimaestro 2.7.0, tensorboardX and a writable `/lab`: the workspace records absolute paths, so it
is made in a place that says nothing about the machine of whoever makes it.
"""

import gzip
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ARCHIVE = HERE.parents[1] / "python" / "xpframe" / "_sample" / "workspace.tar.gz"
LAB = Path("/lab")
PACKAGES = ("experimaestro", "pydantic", "PyYAML")


def main() -> None:
    workspace = LAB / "sample"
    if LAB.exists():
        raise SystemExit(f"{LAB} exists: remove it first")
    try:
        run(workspace)
        trim(workspace)
        pack(workspace)
    finally:
        shutil.rmtree(LAB)


def run(workspace: Path) -> None:
    """Runs the grid search on a copy of the code that lies beside the workspace."""
    code = LAB / "code"
    shutil.copytree(HERE / "lab", code / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    # HOME: no settings file of the user's may colour the sample
    env = {"PATH": os.environ["PATH"], "HOME": str(LAB), "PYTHONPATH": str(code)}
    subprocess.run(
        [sys.executable, "-m", "lab.grid_search", str(workspace)], cwd=code, env=env, check=True, timeout=300
    )


def trim(workspace: Path) -> None:
    """Removes what names the machine and what no reader of a workspace looks at."""
    shutil.rmtree(workspace / ".scheduler")
    for script in workspace.glob("jobs/*/*/*.py"):
        script.unlink()
    for run_dir in workspace.glob("experiments/*/2*"):
        environment = run_dir / "environment.json"
        facts = json.loads(environment.read_text())
        facts["packages"] = {name: facts["packages"][name] for name in PACKAGES}
        rewrite(environment, json.dumps(facts, indent=2))
    host = json.dumps(platform.node())
    for file in sorted(workspace.rglob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        if "tfevents" in file.name:
            file.rename(file.with_name(f"{'.'.join(file.name.split('.')[:4])}.lab"))
            continue
        text = file.read_text()
        text = text.replace(f'"hostname": {host}', '"hostname": "lab"')
        text = re.sub(r'File "[^"]*/site-packages/', 'File "site-packages/', text)
        rewrite(file, text)


def rewrite(file: Path, text: str) -> None:
    """Changes the text of a file and not its times."""
    times = file.stat()
    if file.read_text() != text:
        file.write_text(text)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def pack(workspace: Path) -> None:
    """Packs in name order, without owners. Links become relative: absolute ones lead out of a copy."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in [workspace, *sorted(workspace.rglob("*"))]:
            member = tar.gettarinfo(path, str(path.relative_to(workspace.parent)))
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.mtime = int(path.lstat().st_mtime)
            if member.issym():
                target = path.parent / path.readlink()
                member.linkname = os.path.relpath(target, path.parent)
                tar.addfile(member)
            elif member.isfile():
                tar.addfile(member, io.BytesIO(path.read_bytes()))
            else:
                tar.addfile(member)
    ARCHIVE.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    print(f"{ARCHIVE.relative_to(HERE.parents[1])}: {ARCHIVE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
