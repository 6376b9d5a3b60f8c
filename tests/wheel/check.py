"""Tries a wheel as a user gets it: python tests/wheel/check.py dist

An empty environment, an empty home, no Rust on PATH: pip installs the wheel that fits this machine,
`xpframe --version` answers, and the README's first example prints what the README shows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"^```python\n(>>> .*?)^```$", re.MULTILINE | re.DOTALL)
# in the new environment: the example, as doctest sees it
RUN = """
import doctest, sys
import pandas
pandas.set_option("display.width", 100, "display.max_columns", None)
test = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, "README.md", "README.md", 0)
runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
runner.run(test)
print(runner.summarize(verbose=False))
sys.exit(runner.failures > 0 or runner.tries == 0)
"""


def main() -> int:
    dist = Path(sys.argv[1]).resolve()
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    example = EXAMPLE.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert example
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        environment = {
            key: value
            for key, value in os.environ.items()
            if key.startswith(("PIP_", "SSL_", "LANG", "LC_")) or key.endswith(("_proxy", "_PROXY"))
        } | {"HOME": name, "PATH": "/usr/bin:/bin"}
        for tool in ("cargo", "rustc"):
            assert shutil.which(tool, path=environment["PATH"]) is None, f"{tool} is on PATH"

        def run(*command: str, text: str | None = None) -> str:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment,
                input=text,
                text=True,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(command[:4])}: {done.stdout}")
            return done.stdout

        run(sys.executable, "-m", "venv", "venv")
        python = str(home / "venv" / "bin" / "python")
        pip = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ]
        # nothing may be compiled; of the wheels in dist, and of no index, pip chooses that of this machine
        run(*pip, "--no-deps", "--no-index", "--find-links", str(dist), f"xpframe=={version}")
        run(*pip, f"xpframe[pandas]=={version}")
        said = run(str(home / "venv" / "bin" / "xpframe"), "--version").strip()
        assert said == f"xpframe {version}", said
        run(python, "-c", RUN, text=example[1])
        size = sum(path.stat().st_size for path in (home / "venv").rglob("_core*.so"))
    print(f"{said}: installed without Rust, the README's first example runs; module: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
