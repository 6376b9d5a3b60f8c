"""The jobs of a report: a table whose rows are data, which the page turns into cells of text."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpframe.request import read_table, table_request
from xpframe.text import at_microseconds, html, value_text

if TYPE_CHECKING:
    from xpframe._core import Run, Table

__all__ = ["ReportJobs", "read_jobs", "table_parts"]

MAX_COLUMNS = 400
SHOWN_COLUMNS = 16
MAX_TEXT = 300
LEFT_OUT = ("path", "submitted_at", "ended_at")
LAST = ("failure", "duration_s", "started_at", "job_id")
# of more jobs only so much of an identifier
SHORT_ID, JOBS_WITH_WHOLE_ID = 16, 2_000
MAX_SAFE_INTEGER = 1 << 53


@dataclass
class ReportJobs:
    """The jobs of a run, read once for all sections.

    Args:
        table: All columns.
        constants: The columns with one value in all jobs that have one, and that value.
        varying: The other columns, in the order of the page.
    """

    table: Table
    constants: dict[str, Any] = field(default_factory=dict)
    varying: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[Any]:
        return self.table.errors

    @property
    def warnings(self) -> list[str]:
        return self.table.warnings

    def group(self, name: str) -> str:
        """The group of a column: system, tag, parameter, fact or result."""
        return self.table.column_metadata(name).get("xpframe.group", "")


def read_jobs(run: Run, results: Any, *, quiet: bool) -> ReportJobs:
    """Reads the jobs, and tells which columns say something."""
    options = {"results": results, "timezone": "UTC", "max_columns": 1_000_000}
    table = read_table([run], table_request(options), backend="pyarrow", quiet=quiet)
    jobs = ReportJobs(table)
    groups: dict[str, list[str]] = {}
    for name, kind in table.schema:
        group = jobs.group(name)
        if name in LEFT_OUT:
            continue
        if group in ("tag", "parameter", "fact") and len(table) > 1:
            values = table.column_values(name)
            present = {value_text(value) for value in values if value is not None}
            if len(present) <= 1 and (not present or None not in values):
                if present:
                    jobs.constants[name] = values[0]
                continue
        if kind == "Null":
            continue
        groups.setdefault("last" if name in LAST else group, []).append(name)
    order = ["system", "tag", "result", "parameter", "fact"]
    jobs.varying = [name for group in order for name in groups.get(group, [])]
    jobs.varying = [*jobs.varying[:MAX_COLUMNS], *(name for name in LAST if name in groups.get("last", []))]
    return jobs


def table_parts(jobs: ReportJobs) -> tuple[str, str]:
    """The head of the table as HTML, and its rows as JSON that cannot end a script."""
    types = dict(jobs.table.schema)
    kinds = {name: _kind(types[name]) for name in jobs.varying}
    texts = {name: _cells(jobs, name, types[name]) for name in jobs.varying}
    shown = _shown(jobs, texts)
    heads = "".join(f'<th scope="col">{html(_title(jobs, name, types[name]))}</th>' for name in jobs.varying)
    columns = [{"kind": kinds[name], "shown": name in shown, **_packed(texts[name])} for name in jobs.varying]
    data = json.dumps(
        {"rows": len(jobs.table), "columns": columns},
        ensure_ascii=True,
        allow_nan=False,
        separators=(",", ":"),
    )
    head = f"<thead><tr>{heads}</tr></thead>"
    table = f'<div class="wide"><table id="table" class="display compact">{head}</table></div>'
    note = '<noscript><p class="o">This table needs scripts: allow them for this file.</p></noscript>'
    return note + table, data.replace("<", "\\u003c").replace("&", "\\u0026")


def _kind(type_: str) -> str:
    if type_.startswith(("Int", "UInt", "Float", "Decimal")):
        return "number"
    return "time" if type_.startswith("Timestamp") else "text"


def _title(jobs: ReportJobs, name: str, type_: str) -> str:
    for prefix in ("tags.", "config."):
        short = name.removeprefix(prefix)
        if (
            short != name
            and [each.removeprefix("tags.").removeprefix("config.") for each in jobs.varying].count(short)
            == 1
        ):
            name = short
    return f"{name} (UTC)" if type_.startswith("Timestamp") else name


def _shown(jobs: ReportJobs, texts: dict[str, list[Any]]) -> set[str]:
    """The columns that are shown at first: none that repeats an earlier one, and not too many."""
    seen, shown = set[tuple[Any, ...]](), list[str]()
    for name in jobs.varying:
        codes: dict[Any, int] = {}
        pattern = tuple(codes.setdefault(value, len(codes)) for value in texts[name])
        group = jobs.group(name)
        if (group == "parameter" and pattern in seen) or group == "fact":
            continue
        if not name.startswith("result") and len(codes) == 1 and name != "state":
            continue
        seen.add(pattern)
        shown.append(name)
    last = [name for name in shown if name in LAST]
    return {*[name for name in shown if name not in LAST][:SHOWN_COLUMNS], *last}


def _cells(jobs: ReportJobs, name: str, type_: str) -> list[Any]:
    """The values of a column as JSON has them."""
    values = jobs.table.column_values(name)
    if name == "job_id" and len(values) > JOBS_WITH_WHOLE_ID:
        return [value and value[:SHORT_ID] for value in values]
    if type_.startswith("Timestamp"):
        return [None if value is None else f"{at_microseconds(value):%Y-%m-%d %H:%M:%S}" for value in values]
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value if value is None else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return value if abs(value) < MAX_SAFE_INTEGER else str(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… ({len(value)} characters)"
    return value_text(value, MAX_TEXT)


def _packed(values: list[Any]) -> dict[str, Any]:
    """A column of few values as those, and a number for each row."""
    codes: dict[tuple[type, Any], int] = {}
    numbers = [codes.setdefault((type(value), value), len(codes)) for value in values]
    if 2 * len(codes) > len(values):
        return {"values": values}
    return {"values": [value for _, value in codes], "codes": numbers}
