"""experimaestro's own load of a run whose code is not here: generated classes have the recorded names.

Run as a program: ``own_load.py RUN DIRECTORY`` writes the classes and a copy of the run into the directory
and prints what experimaestro loads, as JSON. Each field takes anything.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

HEAD = """
from enum import Enum

from experimaestro import Action, Config, LightweightTask, Param, Task, field
from experimaestro.core.types import Any, TypeProxy


class Anything(TypeProxy):
    def __call__(self):
        return Any


ANYTHING = Anything()
"""


def classes(objects: list[dict[str, Any]], jobs: set[str], actions: set[str]) -> dict[str, str]:
    """The source of each module, by its name."""
    bodies: dict[tuple[str, str], dict[str, None]] = {}
    bases: dict[tuple[str, str], str] = {}
    enums: dict[tuple[str, str], set[str]] = {}
    by_id = {one["id"]: one for one in objects}
    tasks = {by_id[one["task"]]["typename"] for one in objects if one.get("task") in by_id}
    initial = {
        by_id[task]["typename"] for one in objects for task in one.get("init-tasks", []) if task in by_id
    }

    def note_enums(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("type") == "enum":
                enums.setdefault((value["module"], value["enum"]), set()).add(value["value"])
            for item in value.values():
                note_enums(item)
        elif isinstance(value, list):
            for item in value:
                note_enums(item)

    for one in objects:
        name = (one["module"], one["type"])
        bodies.setdefault(name, {}).update(dict.fromkeys(one["fields"]))
        note_enums(one["fields"])
        if one["identifier"] in actions:
            bases[name] = "Action"
        elif one["typename"] in initial:
            bases[name] = "LightweightTask"
        elif one["identifier"] in jobs or one["typename"] in tasks:
            bases[name] = "Task"
    sources: dict[str, list[str]] = {}
    for (module, enum), members in enums.items():
        lines = [f"class {enum}(Enum):", *(f"    {member} = {member!r}" for member in sorted(members))]
        sources.setdefault(module, []).extend(lines)
    for (module, class_name), fields in bodies.items():
        base = bases.get((module, class_name), "Config")
        lines = [
            f"class {class_name}({base}):",
            "    def execute(self, *_): ...",
            "    def describe(self): return ''",
        ]
        lines += [f"    {field}: Param[ANYTHING] = field(ignore_default=None)" for field in fields]
        sources.setdefault(module, []).extend(lines)
    return {module: "\n".join([HEAD, *lines, ""]) for module, lines in sources.items()}


def prepare(run: Path, home: Path) -> Path:
    """Writes the modules, and a copy of the run whose objects name no source files."""
    copy = home / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("jobs", "data", "results"))
    objects = [json.loads(line) for line in (run / "objects.jsonl").read_text().splitlines()]
    for one in objects:
        one.pop("file", None)
    (copy / "objects.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    rows = (json.loads(line) for line in (run / "jobs.jsonl").read_text().splitlines())
    actions = set(json.loads((run / "status.json").read_text()).get("actions", {}))
    for module, source in classes(objects, {row["job_id"] for row in rows}, actions).items():
        *packages, last = module.split(".")
        directory = home / "code"
        for package in packages:
            directory /= package
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "__init__.py").touch()
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / last
        file = path / "__init__.py" if path.is_dir() else directory / f"{last}.py"
        file.write_text(source)
    # a module that is a package too
    for file in list((home / "code").rglob("*.py")):
        beside = file.with_suffix("")
        if file.name != "__init__.py" and beside.is_dir():
            (beside / "__init__.py").write_text(file.read_text())
            file.unlink()
    return copy


def dumped(value: Any) -> Any:
    """A value as JSON: configs with class, identifier and fields; paths and enums marked."""
    from enum import Enum

    from experimaestro import Config

    if isinstance(value, Config):
        xpm = value.__xpm__
        fields = {name: dumped(inner) for name, inner in xpm.values.items()}
        return {
            "@": type(value).__qualname__.removesuffix(".XPMConfig"),
            "id": xpm.identifier.all.hex(),
            "fields": fields,
        }
    if isinstance(value, Enum):
        return {"enum": value.name}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, dict):
        return {"dict": {str(key): dumped(inner) for key, inner in value.items()}}
    if isinstance(value, (list, tuple)):
        return [dumped(item) for item in value]
    return value


def main(run: Path, home: Path) -> None:
    copy = prepare(run, home)
    sys.path.insert(0, str(home / "code"))
    from experimaestro import load_xp_info

    info = load_xp_info(copy)
    print(json.dumps({job_id: dumped(job) for job_id, job in info.jobs.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
