"""Compares what the engine reads of result files with an oracle made by independent readers.

`python judge.py WORKSPACE ORACLE BINARY`: BINARY is `examples/results`. Prints each difference and "N of N".
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def plain(value: Any) -> Any:
    """A value of the oracle or of the engine as a Python value; lists and objects inside too."""
    if isinstance(value, dict):
        if "f" in value:
            return float(value["f"])
        if "i" in value:
            return int(value["i"])
        return {key: plain(inner) for key, inner in value["o"].items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def same(a: Any, b: Any) -> bool:
    """Equal and of the same type; NaN equals NaN, -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, str):
        return escaped(a) == escaped(b)
    return bool(a == b)


def escaped(text: str) -> str:
    """The text with unpaired surrogates as the engine shows them."""
    return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def summary(values: list[Any]) -> Entry:
    """Count, first, last, sum and number of NaN of some values, as the oracle gives them."""
    there = [v for v in values if v is not None]
    numbers = [v for v in there if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return {
        "count": len(there),
        "first": values[0] if values else None,
        "last": values[-1] if values else None,
        "sum": math.fsum(v for v in numbers if math.isfinite(v)),
        "nan": sum(isinstance(v, float) and math.isnan(v) for v in numbers),
    }


class Judge:
    """Collects what was compared and what differs."""

    def __init__(self) -> None:
        self.compared = 0
        self.wrong: list[str] = []

    def check(self, name: str, engine: Any, oracle: Any, ok: bool | None = None) -> None:
        self.compared += 1
        if not (same(engine, oracle) if ok is None else ok):
            self.wrong.append(f"{name}: {engine!r:.300}, expected {oracle!r:.300}")

    def entry(self, name: str, engine: Entry, oracle: Entry) -> None:
        """One job and handle."""
        states = [oracle["state"], *oracle.get("also_ok", [])]
        state = {"elsewhere": "not_own"}.get(engine["state"], engine["state"])
        self.check(f"{name} state", state, states, state in states)
        if state not in {"read", "cut"}:
            self.check(
                f"{name} scalars", engine["scalars"], None, state == "several" or not engine["scalars"]
            )
        if state in {"missing", "unreadable", "empty", "not_own"}:
            self.check(f"{name} series", engine["series"], [])
            needs_error = state == "unreadable"
            self.check(f"{name} errors", engine["errors"], "", bool(engine["errors"]) or not needs_error)
            return
        if state != oracle["state"] and state in oracle.get("alt", {}):
            oracle = oracle["alt"][state]
        if "dirs" in oracle:
            self.boards(name, engine, oracle)
        elif "files" in oracle:
            self.files(name, engine, oracle)
        else:
            self.scalars(name, engine, oracle)
            self.rows(name, engine["series"], oracle)
        if oracle.get("bad_rows") or state == "cut":
            self.check(f"{name} loss", engine["errors"], "", bool(engine["errors"]))
            self.check(f"{name} loss of series", engine["series_errors"], "", bool(engine["series_errors"]))
        if oracle.get("bad_rows") is not None and state == "read":
            skipped = sum("skipped" in error for error in engine["errors"])
            self.check(f"{name} bad rows", skipped, len(oracle["bad_rows"]))

    def scalars(self, name: str, engine: Entry, oracle: Entry) -> None:
        if "scalars" not in oracle:
            return
        read = {json.dumps(path): [kind, plain(value)] for path, kind, value in engine["scalars"] or []}
        expected = {}
        for scalar in oracle["scalars"]:
            path = [key.strip() for key in scalar["path"]] if "col" in scalar else scalar["path"]
            expected[json.dumps([escaped(key) for key in path])] = scalar
        read = {json.dumps([escaped(key) for key in json.loads(path)]): v for path, v in read.items()}
        self.check(f"{name} names", list(read), list(expected))
        for path, scalar in expected.items():
            self.check(f"{name} {path}", read.get(path), [scalar["type"], plain(scalar["value"])])

    def files(self, name: str, engine: Entry, oracle: Entry) -> None:
        """Several files: their rows are told apart."""
        for file in oracle["files"]:
            rows = [batch for batch in engine["series"] if batch["file"] == file["path"]]
            if "series" in file:
                self.rows(f"{name} {file['path']}", rows, file)
            elif file.get("scalars"):
                columns = [{**s, "first": s["value"], "last": s["value"]} for s in file["scalars"]]
                self.rows(f"{name} {file['path']}", rows, {"series": {"rows": 1, "columns": columns}})

    def boards(self, name: str, engine: Entry, oracle: Entry) -> None:
        if "scalars" in oracle:
            self.scalars(name, engine, oracle)
        else:
            tags = [tag for board in oracle["dirs"].values() for tag in board["tags"]]
            read = {path[0]: value for path, _, value in engine["scalars"] or []}
            self.check(f"{name} names", sorted(read), sorted(set(tags)))
            for tag in set(tags):
                boards = [board for board in oracle["dirs"].values() if tag in board["tags"]]
                alone = plain(boards[0]["tags"][tag]["last_by_step"][2]) if len(boards) == 1 else None
                self.check(f"{name} {tag}", plain(read.get(tag)), alone)
        points: dict[tuple[str, str], list[Any]] = {}
        for batch in engine["series"]:
            for tag, step, wall, value in batch["rows"]:
                points.setdefault((batch["file"], tag), []).append([step, plain(wall), plain(value)])
        expected = {
            (d, tag): told for d, board in oracle["dirs"].items() for tag, told in board["tags"].items()
        }
        self.check(f"{name} metrics", sorted(points), sorted(expected))
        for key, told in expected.items():
            series = points.get(key, [])
            where = f"{name} {key}"
            values = summary([value for _, _, value in series])
            self.check(f"{where} count", len(series), told["count"])
            self.check(f"{where} first", series[:1], [plain(told["first"])])
            self.check(f"{where} last", series[-1:], [plain(told["last"])])
            self.check(f"{where} sum", values["sum"], plain(told["sum_finite"]))
            self.check(f"{where} nan", values["nan"], told["nan"])
            if "all" in told:
                self.check(f"{where} all", series, plain(told["all"]))

    def rows(self, name: str, batches: list[Entry], oracle: Entry) -> None:
        """The rows of one file."""
        if "series" not in oracle:
            return
        series = oracle["series"]
        kind = batches[0]["kind"] if batches else None
        if "all" in series and "measures" not in series:
            self.each_row(name, batches, series["all"])
        if "measures" in series:
            rows = [row for batch in batches for row in batch["rows"]]
            self.measures(name, rows, series)
            return
        columns: dict[str, list[Any]] = {}
        count = 0
        for batch in batches:
            if kind == "table":
                for column, cells in batch["rows"]["columns"]:
                    columns.setdefault(json.dumps([column]), []).extend(map(plain, cells))
                count += batch["rows"]["rows"]
            else:
                for row in batch["rows"]:
                    for path, _, value in row:
                        columns.setdefault(json.dumps(path), []).append(plain(value))
                    count += 1
        self.check(f"{name} rows", count, series["rows"])
        stripped = kind == "table"
        expected = {}
        for column in series["columns"]:
            path = [key.strip() for key in column["path"]] if stripped else column["path"]
            expected[json.dumps([escaped(key) for key in path])] = column
        columns = {json.dumps([escaped(key) for key in json.loads(path)]): v for path, v in columns.items()}
        self.check(f"{name} columns", sorted(columns), sorted(expected))
        for path, told in expected.items():
            self.column(f"{name} {path}", columns.get(path, []), told)

    def each_row(self, name: str, batches: list[Entry], told: list[Any]) -> None:
        """Short tables, row by row; an object's keys in their order."""
        rows: list[Any] = []
        for batch in batches:
            if batch["kind"] == "table":
                cells = [[plain(cell) for cell in column] for _, column in batch["rows"]["columns"]]
                rows += [list(row) for row in zip(*cells, strict=True)]
            else:
                rows += [[[path, plain(value)] for path, _, value in row] for row in batch["rows"]]
        self.check(f"{name} all", rows, plain(told))

    def column(self, name: str, values: list[Any], told: Entry) -> None:
        values = [v for v in values if v is not None]
        read = summary(values)
        self.check(f"{name} count", read["count"], told.get("count", read["count"]))
        first, last = plain(told["first"]), plain(told["last"])
        if first is not None and values:
            self.check(f"{name} first", values[0], first)
        if last is not None and values:
            self.check(f"{name} last", values[-1], last)
        if "sum_finite" in told:
            self.check(f"{name} sum", read["sum"], plain(told["sum_finite"]))
            self.check(f"{name} nan", read["nan"], told["nan"])
        if "types" in told:
            kinds = {"bool": bool, "int": int, "float": float, "str": str, "list": list}
            types = {kind: sum(type(v) is cls for v in values) for kind, cls in kinds.items()}
            types = {kind: count for kind, count in types.items() if count}
            expected = {
                kind: count for kind, count in told["types"].items() if kind not in {"null", "object"}
            }
            self.check(f"{name} types", types, expected, types == expected)

    def measures(self, name: str, rows: list[Any], series: Entry) -> None:
        self.check(f"{name} rows", len(rows), series["rows"])
        by_name: dict[str, list[Any]] = {}
        queries: dict[str, set[str]] = {}
        for measure, query, value in rows:
            by_name.setdefault(measure, []).append(plain(value))
            queries.setdefault(measure, set()).add(query)
        self.check(f"{name} measures", sorted(by_name), sorted(series["measures"]))
        for measure, told in series["measures"].items():
            self.column(f"{name} {measure}", by_name.get(measure, []), told)
            self.check(f"{name} {measure} queries", len(queries.get(measure, [])), told["queries"])
        if "all" in series:
            self.check(f"{name} all", [[m, q, plain(v)] for m, q, v in rows], plain(series["all"]))


def recorded(field: Entry, directory: Path, workspace: Path, root: str) -> Path:
    """Where a path field leads now."""
    base = {"job": directory, "workspace": workspace}.get(field.get("base", ""), Path())
    path = base / field["value"]
    return workspace / path.relative_to(root) if path.is_relative_to(root) else path


def requests(oracle: Entry, workspace: Path) -> list[tuple[str, Entry, Entry]]:
    """The jobs and handles of an oracle: a name, what the engine is asked, the oracle's entry."""
    asked = []
    for experiment, told in oracle["experiments"].items():
        for handle, entries in told["handles"].items():
            for job, entry in entries.items():
                task = told["jobs"][job]["task"]
                directory = workspace / "jobs" / task / job
                name = f"{experiment} {handle} {job[:8]} {told['jobs'][job]['tags']}"
                request = {"job": name, "directory": str(directory)}
                if any(mark in handle for mark in "./*"):
                    request["glob"] = handle
                else:
                    params = directory / "params.json"
                    fields = (
                        json.loads(params.read_text())["objects"][-1]["fields"] if params.is_file() else {}
                    )
                    field = fields.get(handle)
                    path = recorded(field, directory, workspace, oracle["root"]) if field else None
                    if path is None and entry.get("path"):
                        path = directory / entry["path"]
                    if path is None:
                        path = directory / handle
                    request["path"] = str(path)
                asked.append((name, request, entry))
    return asked


def judge(workspace: Path, oracle: Entry, binary: Path, *, as_root: bool) -> Judge:
    """Reads all files of an oracle by the engine and compares."""
    asked = requests(oracle, workspace)
    lines = "".join(json.dumps(request) + "\n" for _, request, _ in asked)
    done = subprocess.run([binary], input=lines.encode(), capture_output=True, check=True)
    # at \n only: texts hold other line ends
    read = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    assert len(read) == len(asked)
    result = Judge()
    for (name, _, entry), engine in zip(asked, read, strict=True):
        told = entry.get("alt", {}).get("as_root", entry) if as_root else entry
        result.entry(name, engine, told)
    return result


def main(workspace: str, oracle: str, binary: str) -> int:
    import os

    told = json.loads(Path(oracle).read_text(encoding="utf-8"))
    result = judge(Path(workspace), told, Path(binary), as_root=os.geteuid() == 0)
    print(*result.wrong, sep="\n")
    print(f"{result.compared - len(result.wrong)} of {result.compared}")
    return bool(result.wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
