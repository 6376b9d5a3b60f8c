"""The site as a reader gets it: built strictly, all links lead somewhere, public names have examples."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from sphinx.util.inventory import InventoryFile

import xpframe
import xpframe.analysis
import xpframe.errors
from chromium import chromium

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = sorted((ROOT / "docs" / "reference").glob("*.md"))
PUBLIC: list[types.ModuleType] = [xpframe, xpframe.errors, xpframe.analysis]
DIRECTIVE = re.compile(r"^\.\. auto\w+:: (\S+)$", re.MULTILINE)
SPHINX = "sphinx --quiet --fail-on-warning --nitpicky --doctree-dir target/doctrees -c docs ."
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: a warning of any kind fails the build."""
    out = tmp_path_factory.mktemp("site")
    flags = SPHINX.split()
    flags[flags.index("target/doctrees")] = str(tmp_path_factory.mktemp("doctrees"))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-m", *flags, str(out)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@dataclass
class Page(HTMLParser):
    """What a page names: its anchors, its links, and what a browser would fetch for it."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.tags.append(tag)
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links += [values["href"]] if "href" in values else []
        else:
            named = ("src", "href", "data", "srcset", "xlink:href", "poster", "action")
            self.fetched += [values[name] for name in named if name in values]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    read = {}
    for path in sorted(site.rglob("*.html")):
        read[path] = Page()
        read[path].feed(path.read_text(encoding="utf-8"))
    return read


def is_elsewhere(address: str) -> bool:
    return address.startswith(("http:", "https:", "//", "mailto:"))


def test_make_docs_builds_what_is_tested() -> None:
    """`make docs` runs the command that these tests run."""
    assert f"$(PYTHON) -m {SPHINX} site\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_document_is_a_page(pages: dict[Path, Page], site: Path) -> None:
    """Each notebook and each document of docs/ is a page that the start page leads to."""
    sources = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    wanted = {path.relative_to(ROOT).with_suffix(".html") for path in sources}
    wanted |= {Path(f"{name}.html") for name in ("DESIGN", "CHANGELOG", "CONTRIBUTING", "SECURITY")}
    start = site / "docs" / "index.html"
    led = {(start.parent / link.partition("#")[0]).resolve() for link in pages[start].links}
    assert len(wanted) >= 25
    assert {path for path in wanted if site / path not in pages} == set()
    # Sphinx writes `#` for the page itself
    assert {path for path in wanted if (site / path).resolve() not in led | {start.resolve()}} == set()
    assert 'url=docs/index.html"' in (site / "index.html").read_text(encoding="utf-8")
    print(f"{len(pages)} pages")


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    """Each link within the site names a file that is there, and an anchor in it."""
    broken, seen, elsewhere = [], 0, set()
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            if is_elsewhere(link):
                elsewhere.add(link)
                continue
            if link.startswith(("data:", "javascript:")):
                continue
            seen += 1
            name, _, anchor = link.partition("#")
            target = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            known = pages[target].anchors if target in pages else set()
            if not target.exists() or (anchor and target in pages and unquote(anchor) not in known):
                broken.append(f"{path.name}: {link}")
    print(f"{seen} links within the site, {len(elsewhere)} that lead out of it and are not followed")
    assert seen > 1000
    assert broken == []


def test_nothing_is_fetched(pages: dict[Path, Page], site: Path) -> None:
    """No page and no style sheet names a font, script, style or picture of another server."""
    assert sum(len(page.fetched) for page in pages.values()) > 100
    foreign = {address for page in pages.values() for address in page.fetched if is_elsewhere(address)}
    assert foreign == set()
    sheets = sorted(site.rglob("*.css"))
    assert len(sheets) >= 3
    for path in [*sheets, *pages]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import\s+['\"]?(?:url|http)", text), path.name


def test_notebooks_show_what_they_gave(pages: dict[Path, Page], site: Path) -> None:
    """The pages of the notebooks have outputs, as tables and pictures, and nobody's logs."""
    notebooks = [path for path in pages if path.parent == site / "notebooks"]
    assert len(notebooks) >= 4
    assert all(pages[path].tags.count("table") >= 1 for path in notebooks)
    for path in notebooks:
        text = path.read_text(encoding="utf-8")
        assert "cell_output" in text
        assert "output stderr" not in text
        shown = re.sub(
            r"<details.*?</details>", "", text, flags=re.DOTALL
        )  # failures fold tracebacks of jobs
        assert "Traceback (most recent" not in shown or "raises-exception" in shown


def public_names() -> Iterator[tuple[str, str, object]]:
    """Module, name and object of everything public."""
    for module in PUBLIC:
        for name in module.__all__:
            yield module.__name__, name, getattr(module, name)


def test_every_public_name_is_a_link_target(site: Path) -> None:
    """Every public name is in the inventory of the site, under a module that has it."""
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, name: base + name)
    listed = {name for role, items in inventory.items() if role.startswith("py:") for name in items}
    names = list(public_names())
    missing = [
        f"{module}.{name}"
        for module, name, thing in names
        if not any(
            f"{other.__name__}.{name}" in listed for other in PUBLIC if getattr(other, name, None) is thing
        )
    ]
    print(f"{len(names)} of {len(names)} public names, {len(listed)} names with methods")
    assert len(names) >= 55
    assert missing == []


def test_every_public_name_has_an_example() -> None:
    """Each public name has an example, in the reference or in its docstring; test_docs.py runs them."""
    shown: dict[str, str] = {}
    for page in REFERENCE:
        text = page.read_text(encoding="utf-8")
        starts = list(DIRECTIVE.finditer(text))
        ends = [*(start.start() for start in starts), len(text)][1:]
        for start, end in zip(starts, ends, strict=True):
            assert start[1] not in shown, f"{start[1]} is documented twice"
            shown[start[1]] = text[start.end() : end]
    bare = []
    for module, name, thing in public_names():
        below = [
            text
            for label, text in shown.items()
            if label.rpartition(".")[2] == name and (label.startswith(module) or module != "xpframe.errors")
        ]
        if not any(">>>" in text for text in [*below, thing.__doc__ or ""]):
            bare.append(f"{module}.{name}")
    assert len(shown) >= 55
    assert bare == []


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_in_a_browser(
    theme: str, width: int, pages: dict[Path, Page], site: Path, tmp_path: Path
) -> None:
    """No page is wider than the window, requests anything, or logs an error; both themes have contrast."""
    binary = chromium()
    if binary is None:
        assert os.environ.get("XPFRAME_BROWSER") != "required"
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    artifacts = Path(os.environ.get("XPFRAME_ARTIFACTS", tmp_path))
    artifacts.mkdir(parents=True, exist_ok=True)
    troubles: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
        page = context.new_page()
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(("file:", "data:", "blob:")) else troubles.append(asked.url)
            ),
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        for path in pages:
            if path == site / "index.html":
                continue
            page.goto(path.as_uri())
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wider > 0:
                troubles.append(f"{path.relative_to(site)} is {wider} px wider than {width}")
            if "docs/index" in str(path) or path.parent.name in {"notebooks", "reference"}:
                page.screenshot(path=artifacts / f"site-{path.stem}-{theme}-{width}.png")
        page.goto((site / "docs" / "index.html").as_uri())
        assert page.evaluate(CONTRAST) > 7
        browser.close()
    assert troubles == []


# the contrast of text and background as WCAG 2 counts it
CONTRAST = """() => {
    const light = color => {
        const part = n => { n /= 255; return n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4; };
        const [r, g, b] = color.match(/[0-9.]+/g).map(Number);
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const style = getComputedStyle(document.body);
    const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
}"""
