"""experimaestro's own tests, run from its installed wheel with xpframe in the place of its readers."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FILES = (
    "test_actions",
    "test_configs_serialization",
    "test_workspace_state_provider",
    "test_migrate_v1_to_v2",
    "test_stray_jobs",
)
# what xpframe has under the same name
READERS = {"ExperimentInfo", "WorkspaceStateProvider", "load_xp_info"}


def installed_tests() -> Path:
    """The directory of the tests that the installed experimaestro brings along."""
    spec = find_spec("experimaestro")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "tests"


def with_our_readers(source: str) -> tuple[str, int]:
    """A source in which the readers are imported from xpframe, and the number of imports that changed."""
    lines = source.splitlines()
    changed = 0
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    for node in sorted(imports, key=lambda node: node.lineno, reverse=True):
        if not (node.module or "").startswith("experimaestro"):
            continue
        names = {True: [], False: []}  # type: dict[bool, list[str]]
        for alias in node.names:
            names[alias.name in READERS].append(alias.name)
        if not names[True]:
            continue
        indent = " " * node.col_offset
        new = [f"{indent}from xpframe import {', '.join(names[True])}"]
        if names[False]:
            new.append(f"{indent}from {node.module} import {', '.join(names[False])}")
        lines[node.lineno - 1 : node.end_lineno] = new
        changed += 1
    return "\n".join(lines) + "\n", changed


def copy_own_tests(home: Path, *, changed: bool = True) -> None:
    """Copies the tests into a package below ``home``, by default with our readers."""
    package = home / "copied"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (home / "pytest.ini").write_text("[pytest]\nmarkers =\n    tasks\n    state\n")
    for name in ("conftest", *FILES):
        source = (installed_tests() / f"{name}.py").read_text(encoding="utf-8")
        (package / f"{name}.py").write_text(with_our_readers(source)[0] if changed else source)


def run_own_tests(home: Path, names: Iterable[str] = FILES) -> dict[str, str]:
    """Runs copied tests.

    Args:
        home: Where they were copied.
        names: Their files, or tests as ``file::Class::name``.

    Returns:
        For each test, as ``file::Class::name``, ``passed`` or the message of its failure.
    """
    tests = [f"copied/{file}.py{mark}{test}" for file, mark, test in (name.partition("::") for name in names)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"HOME": str(home), "PYTHONPATH": os.pathsep.join([str(home), *sys.path])}
    environment["XPM_TEST_TIMEOUT_MULTIPLIER"] = "20"
    done = subprocess.run(
        [*command, *tests],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return dict(map(outcome, ET.parse(home / "report.xml").getroot().iter("testcase")))


def outcome(case: ET.Element) -> tuple[str, str]:
    """The name of a test and what became of it."""
    name = "::".join([*case.attrib["classname"].split(".")[1:], case.attrib["name"]])
    wrong = [part for part in case if part.tag in ("failure", "error", "skipped")]
    return name, (wrong[0].attrib.get("message") or wrong[0].tag) if wrong else "passed"
