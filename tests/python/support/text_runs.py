"""A run whose text a spreadsheet or a terminal would act on."""

from __future__ import annotations

import json
from pathlib import Path

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'quoted",
    '"quoted"',
    "a\x00b",
    "a\tb",
    "a\nb",
    "\u202ertl",
    "",
    "plain",
    "é",
]


def hostile_run(root: Path) -> Path:
    """A run whose jobs have text that a spreadsheet or a terminal would act on."""
    run = root / "ws" / "experiments" / "x" / "20260101_000000"
    run.mkdir(parents=True)
    rows, objects = [], []
    for at, text in enumerate(HOSTILE):
        job_id = f"{at:064x}"
        rows.append({"job_id": job_id, "task_id": "lab.t", "tags": {"text": text}, "timestamp": 1.5})
        names = {"id": at, "module": "lab", "type": "T", "typename": "lab.T", "identifier": job_id}
        objects.append({**names, "fields": {"text": text, "many": [text], "n": at}})
    (run / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "objects.jsonl").write_text("".join(json.dumps(o) + "\n" for o in objects))
    return run
