"""The documentation site, made by Sphinx: `make docs` writes it into site/.

The sources are where GitHub shows them: docs/, notebooks/ and the documents at the root. New pages in docs/
and notebooks/ appear by themselves. Nothing is fetched, by the build or by the pages.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import xpframe
from xpframe.cli.parser import top_parser

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parent.parent

project = "xpframe"
author = "the xpframe authors"
release = version = xpframe.__version__
root_doc = "docs/index"
include_patterns = ["docs/**/*.md", "docs/*.md", "notebooks/*.ipynb", "*.md", "tests/*/README.md"]
# README.md is the page of the repository, docs/index.md that of the site
exclude_patterns = ["README.md", "target", ".venv", "site", "bench-data", "**/.ipynb_checkpoints"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

# --- Markdown ---

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
# single backticks in Rust's doc comments, which are docstrings of _core
default_role = "code"
highlight_language = "text"
nitpicky = True
# the libraries are not installed with their inventories, which would have to be fetched
FOREIGN = {
    "pandas",
    "polars",
    "pyarrow",
    "narwhals",
    "IPython",
    "collections",
    "os",
    "typing",
    "datetime",
    "pathlib",
}

# --- notebooks: each in a fresh kernel and an empty directory, without the settings of whoever runs it ---

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 240
# logs and warnings of libraries, with paths of this machine
nb_output_stderr = "remove"
nb_merge_streams = True
nb_kernel_rgx_aliases = {".*": "python3"}
os.environ.pop("XPFRAME_WORKSPACE", None)
os.environ["PYTHONWARNINGS"] = "ignore::DeprecationWarning"
os.environ["HOME"] = os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="xpframe-docs-")

# --- reference ---

autodoc_member_order = "groupwise"
autodoc_default_options = {"members": True, "undoc-members": False}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False
toc_object_entries_show_parents = "hide"

# --- pages ---

html_theme = "furo"
html_title = f"xpframe {release}"
html_static_path = ["_static"]
html_css_files = ["xpframe.css"]
# the site's own index.html, which leads to docs/index.html
html_extra_path = ["redirect"]
html_show_sphinx = False
html_show_copyright = False
pygments_style = "default"
pygments_dark_style = "github-dark"
html_copy_source = False
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def stub_signatures() -> dict[str, str]:
    """The signatures in _core.pyi, by qualified name: those that the module itself gives have no types."""
    tree = ast.parse((ROOT / "python" / "xpframe" / "_core.pyi").read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for member in members:
            if isinstance(member, ast.FunctionDef):
                arguments = member.args
                if prefix:
                    # autodoc does not show self
                    bound = arguments.posonlyargs or arguments.args
                    del bound[:1]
                returned = f" -> {ast.unparse(member.returns)}" if member.returns else ""
                found[prefix + member.name] = f"({ast.unparse(arguments)}){returned}"
    return found


SIGNATURES = stub_signatures()


def typed_signature(
    _app: Sphinx, what: str, name: str, thing: Any, _options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """The signature of the stubs for what Rust defines."""
    module = getattr(thing, "__module__", None) or getattr(
        getattr(thing, "__objclass__", None), "__module__", ""
    )
    qualified = name.removeprefix("xpframe.")
    if str(module).startswith("xpframe._core") and qualified in SIGNATURES and what != "class":
        arguments, _, result = SIGNATURES[qualified].partition(" -> ")
        return arguments, result or None
    return signature, returned


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.reference | nodes.TextElement | None:
    """Links a name by its last part, as docstrings write it; names of other libraries stay text."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip("~.")
    domain = env.domains.python_domain
    same = [name for name in domain.objects if name.rpartition(".")[2] == target.rpartition(".")[2]]
    ours = [name for name in same if name.endswith(target.removeprefix("xpframe."))] or (
        same if target.startswith("xpframe") else []
    )
    if ours:
        found = domain.objects[min(ours, key=len)]
        return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, shown, ours[0])
    if target.partition(".")[0] in FOREIGN or "." not in target or node.get("refspecific") is not None:
        return shown if node.get("reftype") in {"class", "obj", "data", "exc"} else None
    return None


class CommandHelp(SphinxDirective):
    """The help of the command line and of each of its commands, as they are now."""

    def run(self) -> list[nodes.Node]:
        parser = top_parser()
        subcommands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
        shown: list[nodes.Node] = [self.block(parser)]
        public = {name: command for name, command in subcommands.choices.items() if not name.startswith("_")}
        for name, command in public.items():
            section = nodes.section(ids=[f"xpframe-{name}"])
            section += nodes.title("", f"xpframe {name}")
            section += self.block(command)
            shown.append(section)
        return shown

    def block(self, parser: argparse.ArgumentParser) -> nodes.Node:
        text = parser.format_help()
        return nodes.literal_block(text, text, language="text")


def without_overloads() -> None:
    """Shows the real keyword parameters of functions whose overloads say `**options`."""
    public = (getattr(xpframe, name) for name in xpframe.__all__)
    modules = {thing.__module__ for thing in public if inspect.isfunction(thing)}
    for module in sorted(modules):
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        analyzer.overloads.clear()


def setup(app: Sphinx) -> None:
    without_overloads()
    os.environ["COLUMNS"] = "88"
    app.add_directive("xpframe-help", CommandHelp)
    app.connect("autodoc-process-signature", typed_signature)
    app.connect("missing-reference", resolve)
