"""The project keeps its own rules: one version, one direction of imports, no path of somebody's machine."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
# from left to right: a module imports only what stands to its left
ORDER = [
    "error",
    "progress",
    "threads",
    "file",
    "workspace",
    "json",
    "values",
    "records",
    "objects",
    "loaded",
    "failures",
    "check",
    "columns",
    "results",
    "table",
    "lineage",
    "scan",
    "python",
]
# the same for Python, by top module of the package; _core may be imported everywhere
PYTHON_ORDER = [
    "_core",
    "errors",
    "state",
    "service",
    "arguments",
    "libraries",
    "_sample",
    "results",
    "command_words",
    "options",
    "text",
    "displayed",
    "failure",
    "finding",
    "locate",
    "whole_file",
    "progress",
    "report",
    "remote",
    "backends",
    "request",
    "where",
    "resolve",
    "handles",
    "summary",
    "display",
    "plots",
    "export",
    "frames",
    "lazy",
    "changes",
    "failed_jobs",
    "result_listing",
    "series",
    "pieces",
    "analysis",
    "html_report",
    "action",
    "reported",
    "experiment",
    "check",
    "workspace",
    "provided_job",
    "provider",
    "notebook",
    "cli",
    "__init__",
    "__main__",
]
# pairs of modules of one room that import each other, with the reason
PYTHON_TIES: dict[frozenset[str], str] = {}
# who may name which crate
NAMED_BY = {
    "arrow": {"columns", "table", "scan", "python"},
    "pyo3": {"python", "lib"},
    "serde": {"json", "records", "objects"},
}
# spelt so that this file does not match itself
MACHINE_PATH = re.compile(r"(?<![\w.~}-])/(?:wor[k]|roo[t]|tm[p]|hom[e]|User[s])/[\w.-]+")


def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def project_files() -> list[Path]:
    """What is, or could be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_machine_path() -> None:
    """No text file names a directory of the machine it was written on."""
    seen, found = 0, []
    for path in project_files():
        if path.name.endswith((".tar.gz", ".png")):
            continue
        seen += 1
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            found += [f"{path.relative_to(ROOT)}:{number}: {hit}" for hit in MACHINE_PATH.findall(line)]
    assert seen > 50
    assert found == []


def test_one_version() -> None:
    """Cargo, Python, the module and the changelog speak of the same version."""
    from importlib.metadata import version

    import xpframe

    number = read_toml("Cargo.toml")["package"]["version"]
    assert read_toml("pyproject.toml")["project"]["dynamic"] == ["version"]
    assert version("xpframe") == number
    assert getattr(xpframe, "__version__", number) == number
    assert re.search(rf"^## \[{re.escape(number)}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_public_names_are_documented() -> None:
    """Every public name has a docstring, and so has every public method of a public class."""
    import xpframe

    seen, bare = 0, []
    for name in xpframe.__all__:
        if name.startswith("__"):
            continue
        thing = getattr(xpframe, name)
        for label, part in [(name, thing), *public_parts(name, thing)]:
            seen += 1
            if not (inspect.getdoc(part) or "").strip():
                bare.append(label)
    assert seen >= 15
    assert bare == []


def test_public_names_are_no_modules() -> None:
    """No module is called like a public name: importing it would hide the function or class."""
    import xpframe

    modules = {path.stem for path in (ROOT / "python" / "xpframe").iterdir()} - {"__init__"}
    assert len(modules) > 30
    assert modules & set(xpframe.__all__) == set()


def public_parts(name: str, thing: object) -> Iterator[tuple[str, object]]:
    """The public methods and properties that a public class defines itself."""
    if inspect.isclass(thing) and thing.__module__.startswith("xpframe"):
        for key, part in vars(thing).items():
            if not key.startswith("_") and (callable(part) or isinstance(part, property)):
                yield f"{name}.{key}", part


def test_readme_first_screen() -> None:
    """The first screen of the README holds the problem, the call, and the two commands."""
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:70])
    call = 'xp_frame("grid-search", results="metrics.json")'
    for text in ("load_xp_info(run)", call, "make demo", "make test"):
        assert text in screen


def test_make_help_lists_every_target() -> None:
    """`make help` lists every target that a person calls, and `make` alone is `make help`."""
    phony = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    targets = set(" ".join(phony).split()) - {"stubs-check"}
    # under `make test`, the outer make must not colour the inner one
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True, env=environment)
    listed = done.stdout
    assert (
        {line.split()[1] for line in listed.splitlines()}
        == targets
        >= {"demo", "test", "lint", "bench", "help"}
    )


def test_continuous_integration_calls_the_same_commands() -> None:
    """`.ci/run` is executable and does what the README says, nothing else."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -eu" in script.read_text()
    assert re.findall(r"for target in (.*); do", script.read_text()) == ["lint test"]
    assert re.findall(r"^ +(.*) make \"\$target\"$", script.read_text(), re.MULTILINE) == [
        'XPFRAME_BROWSER=required XPFRAME_SSH=required XPFRAME_ARTIFACTS="$PWD/target/screenshots"'
    ]


def test_package_is_typed() -> None:
    """The package says that it is typed, and its native half has stubs."""
    package = ROOT / "python" / "xpframe"
    assert (package / "py.typed").exists()
    assert "def " in (package / "_core.pyi").read_text()


def rust_sources() -> dict[str, list[tuple[Path, str]]]:
    """The sources by top module, without comments and literal text."""
    sources: dict[str, list[tuple[Path, str]]] = {}
    for path in sorted((ROOT / "src").rglob("*.rs")):
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        module = path.relative_to(ROOT / "src").parts[0].removesuffix(".rs")
        sources.setdefault(module, []).append((path, text))
    return sources


def named_modules(text: str) -> set[str]:
    """The top modules of this crate that the text names: `crate::a`, and the heads in `crate::{a, b::c}`."""
    named = set(re.findall(r"\bcrate::(\w+)", text))
    for found in re.finditer(r"\bcrate::\{", text):
        depth, head, group = 1, "", ""
        for char in text[found.end() :]:
            depth += (char == "{") - (char == "}")
            if depth == 0:
                break
            group += char if depth == 1 else ""
        for head in group.split(","):
            named |= set(re.findall(r"^\s*(\w+)", head))
    return named


def test_modules_import_leftwards() -> None:
    """A Rust module imports only what stands to its left, and all modules of the house are there."""
    sources = rust_sources()
    assert set(sources) == {*ORDER, "lib"}
    seen, wrong = 0, []
    for module, files in sources.items():
        if module == "lib":
            continue
        left = {*ORDER[: ORDER.index(module) + 1], "Error", "Result"}
        for path, text in files:
            seen += 1
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name in named_modules(text) - left]
            wrong += [f"{path.relative_to(ROOT)}: lib" for _ in re.findall(r"\bxpframe::", text)]
    assert seen >= 30
    assert wrong == []


@pytest.mark.parametrize("crate", sorted(NAMED_BY))
def test_crates_keep_their_place(crate: str) -> None:
    """arrow, pyo3 and serde are named only in the modules that the house gives them."""
    namers: dict[str, list[str]] = {}
    for module, files in rust_sources().items():
        for path, text in files:
            if re.search(rf"\b{crate}(?:_\w+)?\b", text):
                namers.setdefault(module, []).append(str(path.relative_to(ROOT)))
    assert set(namers) & (NAMED_BY[crate] - {"lib"})
    assert {module: files for module, files in namers.items() if module not in NAMED_BY[crate]} == {}


def test_import_direction_is_read_rightly() -> None:
    """The reader of imports sees groups, nested groups and plain paths."""
    text = (
        "use crate::{error::{Error, ErrorKind}, json}; use crate::values::Value; fn f(x: crate::table::T) {}"
    )
    assert named_modules(text) == {"error", "json", "values", "table"}


def python_imports(text: str, module: str, modules: set[str]) -> set[str]:
    """The modules of the package that a module imports, in functions and under TYPE_CHECKING too."""
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(part for part in (package, node.module) if part)
            # what is no module is a name in the module before it
            full = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in modules else base for name in full]
        else:
            continue
        imported |= {name for name in names if name.partition(".")[0] == "xpframe"}
    return imported


def python_graph() -> dict[str, set[str]]:
    """The modules of the package, each with those that it imports."""
    package = ROOT / "python" / "xpframe"
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    modules = {*files, "xpframe._core"}
    graph = {
        module: python_imports(path.read_text(encoding="utf-8"), module, modules)
        for module, path in files.items()
    }
    assert set().union(*graph.values()) <= modules
    return graph


def python_room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def circles(graph: dict[str, set[str]]) -> list[str]:
    """The modules on a circle of imports, or between two circles."""
    rest = {module: set(imported) for module, imported in graph.items()}
    while True:
        ends = {
            module
            for module, imported in rest.items()
            if not imported & set(rest) or not any(module in other for other in rest.values())
        }
        if not ends:
            return sorted(rest)
        rest = {module: imported for module, imported in rest.items() if module not in ends}


def test_python_modules_import_leftwards() -> None:
    """A Python module imports only rooms to its left, all rooms are in the order, and there is no circle."""
    graph = python_graph()
    assert {python_room(module) for module in graph} | {"_core"} == set(PYTHON_ORDER)
    wrong = [
        f"{module}: {name}"
        for module, imported in graph.items()
        for name in imported
        if PYTHON_ORDER.index(python_room(name)) > PYTHON_ORDER.index(python_room(module))
    ]
    assert wrong == []
    free = {
        module: {name for name in imported if frozenset({module, name}) not in PYTHON_TIES}
        for module, imported in graph.items()
    }
    assert all(len({python_room(module) for module in tie}) == 1 for tie in PYTHON_TIES)
    print(f"{len(graph)} Python modules, {sum(map(len, graph.values()))} imports, 0 circles")
    assert circles(free) == []
    assert len(graph) >= 40


def test_python_imports_are_read_rightly() -> None:
    """The reader of imports sees functions, TYPE_CHECKING, names in packages, and circles."""
    text = """
import xpframe.a
import os
from xpframe import _core, Config
from xpframe.room import part, name
from .b import x
def f():
    from xpframe.c import y
if TYPE_CHECKING:
    from xpframe.d import z
"""
    modules = {"xpframe._core", "xpframe.room", "xpframe.room.part"}
    expected = {
        "xpframe",
        *(f"xpframe.{name}" for name in ("a", "_core", "room", "room.part", "b", "c", "d")),
    }
    assert python_imports(text, "xpframe.e", modules) == expected
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]
    assert circles({"a": {"b"}, "b": set()}) == []


# what could hold a brace that closes nothing: comments, raw and other texts, characters
RUST_LITERAL = re.compile(
    r"""//[^\n]*|r(\#+)".*?"\1|r"[^"]*"|"(?:[^"\\]|\\.)*"|'(?:[^'\\\n]|\\u\{\w+\}|\\x\w\w|\\.)'""", re.DOTALL
)


def rust_functions(text: str) -> Iterator[tuple[str, int]]:
    """The functions of a Rust file, each with its lines: from `fn` to the brace that closes its body."""
    text = RUST_LITERAL.sub(lambda literal: "\n" * literal[0].count("\n"), text)
    for found in re.finditer(r"^[ \t]*(?:pub(?:\([a-z]+\))? )?(?:const )?fn (\w+)", text, re.MULTILINE):
        body = re.compile("[;{]").search(text, found.end())
        if body is None or body[0] == ";":
            continue
        depth, end = 1, body.end()
        while depth:
            brace = re.compile("[{}]").search(text, end)
            assert brace, found[1]
            depth += 1 if brace[0] == "{" else -1
            end = brace.end()
        yield found[1], text.count("\n", found.start(), end) + 1


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    """The functions of a Python file, each with its lines, decorators and docstring not counted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = lines_of(node.body[0]) if ast.get_docstring(node) is not None else 0
            yield node.name, lines_of(node) - docstring


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


SIZED = [("src", "rs", rust_functions), ("python", "py", python_functions)]


@pytest.mark.parametrize(("under", "ending", "functions"), SIZED, ids=["rust", "python"])
def test_files_and_functions_are_short(
    under: str, ending: str, functions: Callable[[str], Iterator[tuple[str, int]]]
) -> None:
    """No file has more than 500 lines, no function more than 60."""
    texts = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / under).rglob(f"*.{ending}"))
    }
    files = {name: len(text.splitlines()) for name, text in texts.items()}
    sizes = [(size, f"{name}: {each}") for name, text in texts.items() for each, size in functions(text)]
    lines = f"{sum(files.values()):,} lines, at most {max(files.values())} in a file"
    print(f"{under}: {len(files)} files, {lines};")
    print(f"{len(sizes):,} functions, the longest of {max(sizes)}")
    assert len(files) >= 40
    assert len(sizes) > 300
    assert {name: size for name, size in files.items() if size > 500} == {}
    assert [size for size in sizes if size[0] > 60] == []


def test_functions_are_measured_rightly() -> None:
    """Braces in texts and comments, signatures without a body, and functions in functions are understood."""
    rust = """
fn one() -> char { '{' } // }
pub(crate) fn two(
    x: u8,
) -> u8 {
    fn inner() {}
    match x { 1 => format!("}} {{ }} {{").len() as u8, _ => x }
}
trait T { fn declared(&self); }
"""
    assert dict(rust_functions(rust)) == {"one": 1, "two": 6, "inner": 1}
    python = 'def f(a,\n b):\n    """Two\n    lines."""\n    def g(): pass\n    return g\n'
    assert dict(python_functions(python)) == {"f": 4, "g": 1}


def test_workflows_only_call_make() -> None:
    """Each step of a workflow is an action or a make target; by default nothing may be written."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(" ".join(re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)).split())
    workflows = {path.stem: path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    assert set(workflows) == {"ci", "wheels", "docs", "release"}
    called = [run for text in workflows.values() for run in re.findall(r"- run: (.*)", text)]
    # `make ${{ matrix.target }}` and `matrix.check`: the targets are in the matrix
    chosen = [
        name for text in workflows.values() for name in re.findall(r"[{,] (?:target|check): ([\w-]+)", text)
    ]
    assert {run.split()[0] for run in called} == {"make"}
    assert {run.split()[1] for run in called} - {"${{"} | set(chosen) <= targets
    assert len(called) >= 10
    assert not any("run: |" in text or "http" in text for text in workflows.values())
    for text in workflows.values():
        assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE)
        assert "\nconcurrency:\n" in text
        assert not re.search(r"uses: (?!\./)[^@\n]*(\n|@(main|master)\b)", text)


def test_fuzz_crate_names_what_its_targets_use() -> None:
    """The fuzz targets compile where `cargo test` compiles them: nothing of CI builds their own crate."""
    targets = "\n".join(file.read_text() for file in (ROOT / "tests" / "fuzz").glob("*.rs"))
    used = set(re.findall(r"^use (\w+)::", targets, re.MULTILINE)) - {"std", "self", "super", "crate"}
    assert {"arrow", "xpframe"} <= used
    manifest = read_toml("tests/fuzz/Cargo.toml")
    assert used <= set(manifest["dependencies"])
    locked = {package["name"]: package for package in read_toml("tests/fuzz/Cargo.lock")["package"]}
    assert set(locked["xpframe-fuzz"]["dependencies"]) == set(manifest["dependencies"])
    depended = {line.split()[0] for line in locked["xpframe"]["dependencies"]}
    ours = read_toml("Cargo.toml")["dependencies"]
    assert {name for name, wanted in ours.items() if "optional" not in wanted} <= depended


def test_development_dependencies_are_pinned() -> None:
    """`requirements/dev.txt` pins each package of the groups, to a version that pyproject.toml allows."""
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    versions: dict[str, set[str]] = {}
    for requirement in pinned:
        (version,) = requirement.specifier
        assert version.operator == "=="
        versions.setdefault(requirement.name.lower(), set()).add(version.version)
    assert len(versions) > 100
    groups = read_toml("pyproject.toml")["dependency-groups"]
    asked = [Requirement(line) for group in groups.values() for line in group if isinstance(line, str)]
    for requirement in asked:
        assert all(map(requirement.specifier.contains, versions[requirement.name.lower()])), requirement
    assert "--constraint $(LOCK)" in (ROOT / "Makefile").read_text()
