"""The documents cannot lie: every Python block of README.md and docs/, and every docstring, is executed.

python tests/python/project/test_docs.py [docs/howto/results.md]     rewrites the outputs that documents show
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
# the documents whose examples run: each from the start, with names of its own
EXAMPLES = [
    page
    for page in [README, *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in page.read_text(encoding="utf-8")
]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(text: str) -> list[str]:
    return FENCE.findall(text)


def given() -> dict[str, Any]:
    """What the README's blocks take as given: pandas, and in `run` a run whose code can be imported."""
    import pandas as pd

    from xpframe import sample_workspace

    pd.set_option("display.width", 100, "display.max_columns", None)
    # experimaestro gets a look at a copy of its own: it may write
    (run,) = sample_workspace().glob("experiments/grid-search/2*")
    return {"pandas": pd, "run": run, "__name__": "__main__"}


@contextlib.contextmanager
def sample_code() -> Iterator[None]:
    """The code of the sample's jobs is importable: experimaestro needs it."""
    sys.path.insert(0, str(ROOT / "tests" / "sample"))
    try:
        yield
    finally:
        sys.path.remove(str(ROOT / "tests" / "sample"))


def ran(source: str, names: dict[str, Any]) -> str:
    """What one example prints, as doctest would show it."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            exec(compile(source, "README.md", "single"), names)
        except Exception as error:  # noqa: BLE001 -- shown, as an interpreter would
            kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
            # doctest takes a line break for a blank
            lines = textwrap.wrap(f"{kind}: {error}", 115, break_long_words=False, break_on_hyphens=False)
            return "\n".join(["Traceback (most recent call last):", "    ...", *lines, ""])
    return shown.getvalue()


def timeless(text: str, run: Path) -> str:
    """The text without the one thing that differs from call to call: where the sample was unpacked."""
    return text.replace(str(run.parents[2]), "...")


def rewritten(text: str) -> str:
    """The text with the outputs that the examples have today."""
    names = given()

    def block(found: re.Match[str]) -> str:
        if ">>>" not in found[1]:
            exec(found[1], names)
            return found[0]
        shown = ""
        for example in doctest.DocTestParser().get_examples(found[1]):
            lines = example.source.splitlines()
            shown += "".join(f"{'...' if n else '>>>'} {line}\n" for n, line in enumerate(lines))
            if printed := timeless(ran(example.source, names), names["run"]).rstrip("\n"):
                printed = re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE)
                shown += re.sub(r"^$", "<BLANKLINE>", printed, flags=re.MULTILINE) + "\n"
        return f"```python\n{shown}```"

    with sample_code():
        return FENCE.sub(block, text)


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of a document runs, in order, and prints what it shows."""
    import xpframe

    monkeypatch.syspath_prepend(ROOT / "tests" / "sample")
    monkeypatch.setenv("COLUMNS", "100")
    names, examples = given(), 0
    text = page.read_text(encoding="utf-8")
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report = io.StringIO()
    try:
        for found in FENCE.finditer(text):
            source, line = found[1], text[: found.start()].count("\n") + 1
            if ">>>" not in source:
                exec(compile("\n" * line + source, page.name, "exec"), names)
                examples += 1
                continue
            test = doctest.DocTestParser().get_doctest(source, names, page.name, page.name, line)
            examples += runner.run(test, out=report.write, clear_globs=False).attempted
            names |= test.globs
    finally:
        xpframe.use(None)
    assert examples >= (15 if page == README else 1)
    assert runner.failures == 0, report.getvalue()


def test_no_example_fails_by_accident() -> None:
    """Every error that a document shows is one of xpframe's: another would be a mistake in the example."""
    shown = [
        (page.name, error)
        for page in EXAMPLES
        for error in re.findall(
            r"^Traceback .*\n    \.\.\.\n(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert len(shown) >= 8
    assert [line for line in shown if not line[1].startswith("xpframe.errors.")] == []


def test_there_are_examples() -> None:
    """The README, the pages of the reference and of the how-to's are among the documents that run."""
    places = {page.relative_to(ROOT).parent.as_posix() for page in EXAMPLES}
    assert {".", "docs/reference", "docs/howto"} <= places
    assert len(EXAMPLES) >= 15


def modules() -> list[ModuleType]:
    import xpframe

    found = pkgutil.walk_packages(xpframe.__path__, "xpframe.")
    return [xpframe, *(importlib.import_module(module.name) for module in found)]


def test_docstrings() -> None:
    """Every example in a docstring of the package prints what it shows."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report = io.StringIO()
    examples = 0
    for module in modules():
        for test in finder.find(module):
            examples += runner.run(test, out=report.write).attempted
    assert examples >= 2
    assert runner.failures == 0, report.getvalue()


def test_fences_are_found() -> None:
    """A README whose fences are spelt otherwise does not slip through unexecuted."""
    text = README.read_text(encoding="utf-8")
    assert len(blocks(text)) == len(re.findall(r"^```py", text, re.MULTILINE)) >= 6


def documents() -> list[Path]:
    """Every Markdown page of the project."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/*/README.md")]
    assert len(pages) >= 10
    return pages


def headings(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_lines_of_documents_fit() -> None:
    """No line of a document is longer than 120 characters."""
    lines = [
        (page.name, number, len(line))
        for page in documents()
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
    ]
    assert len(lines) > 1500
    assert [line for line in lines if line[2] > 120] == []


def test_links_lead_somewhere() -> None:
    """Every link between documents names a file, and a heading in it, that exists."""
    links = [
        (page, *link.partition("#")[::2])
        for page in documents()
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) >= 30
    for page, name, fragment in links:
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {name}"
        if fragment:
            assert fragment in map(anchor, headings(target)), f"{page.name}: {name}#{fragment}"


def test_cited_sections_of_the_format_exist() -> None:
    """A section of docs/format.md that a comment cites is there: a heading, or an item of a numbered list."""
    section, sections = "", set()
    for line in (ROOT / "docs" / "format.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"##+ (\d+(?:\.\d+)?)\.? ", line):
            sections.add(section := heading[1])
        elif item := re.match(r"(\d+)\. ", line):
            sections.add(f"{section}.{item[1]}")
    sources = [*ROOT.glob("src/**/*.rs"), *ROOT.glob("python/**/*.py"), *ROOT.glob("tests/python/**/*.py")]
    text = "\n".join(source.read_text(encoding="utf-8") for source in [*sources, ROOT / "DESIGN.md"])
    cited = re.findall(r"format\.md`* §(\d+(?:\.\d+)?(?:, §\d+(?:\.\d+)?)*)", text)
    numbers = {number for group in cited for number in group.split(", §")}
    assert len(numbers) >= 5
    assert numbers <= sections


def test_each_extra_is_listed() -> None:
    """The page about installing names the extras that pyproject.toml has."""
    page = (ROOT / "docs" / "start" / "install.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(project["optional-dependencies"])


def test_each_state_of_a_result_file_is_explained() -> None:
    """The page about results has a line for each word of `result@file`, in the engine's order."""
    page = (ROOT / "docs" / "howto" / "results.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| `result@file` | means |\n|---|---|\n")
    explained = re.findall(r"^\| `(\w+)` \| \w", table.partition("\n\n")[0], re.MULTILINE)
    source = (ROOT / "src" / "results" / "state.rs").read_text(encoding="utf-8")
    assert explained == re.findall(r'Self::\w+ => "(\w+)"', source)
    assert len(explained) == 9


if __name__ == "__main__":
    for document in [Path(name).resolve() for name in sys.argv[1:]] or EXAMPLES:
        document.write_text(rewritten(document.read_text(encoding="utf-8")), encoding="utf-8")
