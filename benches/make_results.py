"""Result files for the jobs of a run that gen.py made: metrics.json, results.csv and an event file each.

There are few different files of each kind: most jobs get a hard link. Event files are written byte by byte,
so that no library is needed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import struct
from pathlib import Path

TAGS = (b"train/loss", b"train/acc", b"val/loss", b"val/ndcg@10", b"lr")
CSV_ROWS = 200
DIFFERENT = 8


def crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x82F63B78 if crc & 1 else crc >> 1
        table.append(crc)
    return table


TABLE = crc_table()


def checksum(data: bytes) -> bytes:
    """The masked CRC-32C of event files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def scalar(wall: float, step: int, tag: bytes, value: float) -> bytes:
    """An event with one scalar."""
    content = b"\x0a" + varint(len(tag)) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + varint(len(content)) + content
    event = b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step)
    return record(event + b"\x2a" + varint(len(summary)) + summary)


def event_file(scalars: int, dice: random.Random) -> bytes:
    """An event file with so many scalars, of five tags in turn."""
    version = b"brain.Event:2"
    head = record(b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a" + varint(len(version)) + version)
    steps = range(scalars // len(TAGS))
    body = (scalar(1.7e9 + step, step * 10, tag, dice.random()) for step in steps for tag in TAGS)
    return head + b"".join(body)


def csv_file(dice: random.Random) -> bytes:
    """A table of six columns."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["epoch", "step", "train_loss", "val_loss", "accuracy", "phase"])
    for row in range(CSV_ROWS):
        numbers = [round(dice.random(), 6), round(dice.random(), 6), round(dice.random(), 4)]
        rows.writerow([row // 20, row, *numbers, dice.choice(["warm", "main"])])
    return text.getvalue().encode()


def metrics(job: int, dice: random.Random) -> str:
    """A JSON object; that of each fiftieth job has a NaN."""
    best = float("nan") if job % 50 == 0 else dice.random()
    per_class = {"a": dice.random(), "b": dice.random()}
    return json.dumps(
        {
            "loss": dice.random(),
            "accuracy": dice.random(),
            "n": dice.randrange(1000),
            "per_class": per_class,
            "best": best,
        }
    )


def make(run: Path, scalars: int = 500) -> None:
    """Writes the files of each job, its markers and logs."""
    dice = random.Random(1)
    workspace = run.parents[2]
    templates = workspace / "templates"
    templates.mkdir(exist_ok=True)
    for index in range(DIFFERENT):
        (templates / f"{index}.events").write_bytes(event_file(scalars, dice))
        (templates / f"{index}.csv").write_bytes(csv_file(dice))
    with (run / "jobs.jsonl").open() as lines:
        for number, line in enumerate(lines):
            job = json.loads(line)
            directory = workspace / "jobs" / job["task_id"] / job["job_id"]
            (directory / "runs").mkdir(parents=True, exist_ok=True)
            (directory / "metrics.json").write_text(metrics(number, dice))
            template = number % DIFFERENT
            events = directory / "runs" / f"events.out.tfevents.{1_700_000_000 + number}.node1.{number}.0"
            rows = directory / "results.csv"
            for source, target in ((f"{template}.events", events), (f"{template}.csv", rows)):
                if not target.exists():
                    os.link(templates / source, target)
            name = job["task_id"].rpartition(".")[2]
            for suffix, text in (("done", ""), ("lock", ""), ("out", "step\n" * 20), ("err", "INFO\n" * 30)):
                (directory / f"{name}.{suffix}").write_text(text)
