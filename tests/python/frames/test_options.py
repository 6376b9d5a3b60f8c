"""The keyword arguments of the public calls: written once, and real for `help`, `inspect` and Python."""

from __future__ import annotations

import ast
import inspect
import pickle
import pydoc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xpframe
from xpframe import _core, options
from xpframe.errors import InvalidArgumentError
from xpframe.request import table_request

RUN, COLUMN, NAME, REPORT = (
    options.RUN_DEFAULTS,
    options.COLUMN_DEFAULTS,
    options.NAME_DEFAULTS,
    options.REPORT_DEFAULTS,
)
CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (xpframe.xp_frame, {**RUN, **COLUMN, **NAME, **REPORT, "backend": "pandas"}),
    (xpframe.xp_table, {**RUN, **COLUMN, **NAME, **REPORT}),
    (xpframe.scan_xp, {**RUN, **COLUMN, **NAME, **REPORT, "keep_bytes": 256 << 20}),
    (xpframe.ExperimentInfo.frame, {**COLUMN, **NAME, **REPORT, "backend": "pandas"}),
    (xpframe.ExperimentInfo.table, {**COLUMN, **NAME, **REPORT}),
]
COLUMNS_HINT = "the name of a column, a glob, a dict from new names to columns, or a list of them"
names = pytest.mark.parametrize(("call", "keywords"), CALLS, ids=[call.__qualname__ for call, _ in CALLS])


@names
def test_signatures_show_all_keywords(call: Callable[..., Any], keywords: dict[str, Any]) -> None:
    """`inspect.signature` has each keyword with its default, and no `**options`."""
    parameters = list(inspect.signature(call).parameters.values())
    assert parameters[0].name in ("experiment", "self")
    assert {parameter.name: parameter.default for parameter in parameters[1:]} == keywords
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters[1:])


@names
def test_unknown_keywords_are_refused(call: Callable[..., Any], keywords: dict[str, Any]) -> None:
    """A misspelt keyword is Python's own TypeError."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'colums'"):
        call("grid-search", **keywords, colums=["lr"])


@names
def test_source_and_help_are_found(call: Callable[..., Any], keywords: dict[str, Any]) -> None:
    """Editors find the source, and `help` shows the signature and the docstring."""
    del keywords
    assert f"def {call.__name__}(" in inspect.getsource(call)
    text = pydoc.plain(pydoc.render_doc(call))
    assert "max_columns=2000" in text
    assert "Unpack" not in text


@pytest.mark.parametrize("call", [xpframe.xp_frame, xpframe.scan_xp])
def test_docstrings_describe_every_keyword(call: Callable[..., Any]) -> None:
    """Each parameter has a line in `Args`, and no entry of it breaks in mid-sentence."""
    doc = inspect.getdoc(call) or ""
    arguments = doc.partition("Args:\n")[2].partition("\n\n")[0]
    described = [line.strip().partition(":")[0] for line in arguments.splitlines() if line[4] != " "]
    assert described == list(inspect.signature(call).parameters)
    ends = [line for line in doc.split("\n\n") if line.strip() and line.rstrip()[-1] not in ".:`"]
    assert ends == []


def test_types_and_defaults_agree() -> None:
    """Each group of options has a default for each of its types."""
    tree = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    types = {
        node.name: [
            *(
                name
                for base in node.bases
                if ast.unparse(base) == "JobOptions"
                for name in options.JOB_DEFAULTS
            ),
            *(ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)),
        ]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    groups = {"RunOptions": RUN, "ColumnOptions": COLUMN, "NameOptions": NAME, "ReportOptions": REPORT}
    assert {name: types[name] for name in groups} == {name: list(group) for name, group in groups.items()}


def test_engine_has_no_default_of_its_own() -> None:
    """A request needs every argument: defaults stand in one place."""
    with pytest.raises(TypeError, match="missing 7 required keyword arguments"):
        _core.TableRequest()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"task": 5}, "task=5 (it is the name of a task, a glob, or a list of them)"),
        ({"task": [5]}, "task=[5] (it is the name of a task, a glob, or a list of them)"),
        (
            {"columns": {"a": 1}},
            f"columns={{'a': 1}} (it is {COLUMNS_HINT})",
        ),
        ({"names": "long"}, "names='long' (it is 'full', 'short' or 'identifier')"),
        ({"naive_times": "no"}, "naive_times='no' (it is True or False)"),
        ({"max_columns": -1}, "max_columns=-1 (it is a number of columns, 0 or more)"),
        ({"max_columns": "5"}, "max_columns='5' (it is a number of columns, 0 or more)"),
        ({"timezone": 1}, "timezone=1 (it is the IANA name of a zone, as 'Europe/Paris')"),
    ],
)
def test_wrong_types_are_errors(arguments: dict[str, Any], text: str) -> None:
    """An argument of a wrong type is an error that names it and says what it may be."""
    with pytest.raises(InvalidArgumentError) as raised:
        table_request(arguments)
    assert str(raised.value) == text


def test_requests_are_pickled() -> None:
    """A lazy query carries its request to other processes."""
    request = table_request({"columns": {"lr": "tags.lr"}, "task": ("a", "b")})
    assert repr(pickle.loads(pickle.dumps(request))) == repr(request)
    assert "columns={'lr': 'tags.lr'}" in repr(request)
