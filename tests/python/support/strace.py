"""strace: there, or installed where a test may do so, as in CI."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def require_strace() -> str:
    """The program; skips where it is missing and cannot be installed."""
    if shutil.which("strace") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run("apt-get update -q -q && apt-get install -y -q -q strace", shell=True, check=False)
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed: nobody saw what the system sees")
    return found
