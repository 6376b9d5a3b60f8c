"""Fuzzes each target for some seconds: `python tests/fuzz/fuzz.py SECONDS [LOG…]`, from the project.

What libFuzzer says of executions and time is added to target/reliability/fuzz-NAME.json, from which
`make reliability` makes its page. With logs of libFuzzer, named `…-NAME-…`, only those are added.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import seeds

TARGETS = ("json", "graph", "run", "events", "tables", "logs", "schemas")
BUILT = Path("target")
LIMITS = ("-timeout=20", "-rss_limit_mb=4000", "-max_len=140000", "-print_final_stats=1")


def main(seconds: int, logs: list[Path]) -> int:
    """Fuzzes, or reads logs; 1 if something was found."""
    for log in logs:
        name = next(part for part in log.name.split("-") if part in TARGETS)
        add(name, log.read_text(errors="replace"))
    if logs:
        return 0
    seeds.main(BUILT / "fuzz-seeds")
    return max(fuzz(name, seconds) for name in TARGETS)


def fuzz(name: str, seconds: int) -> int:
    """Fuzzes one target; what it says is shown as it comes."""
    corpus, crashes = BUILT / "fuzz-corpus" / name, BUILT / "fuzz-crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    command = ["cargo", "fuzz", "run", "--fuzz-dir", "tests/fuzz", "--target-dir", str(BUILT / "fuzz"), name]
    command += [str(corpus), str(BUILT / "fuzz-seeds" / name), "--", f"-max_total_time={seconds}", *LIMITS]
    command += ["-dict=tests/fuzz/words.dict", f"-artifact_prefix={crashes}/{name}-"]
    # libFuzzer needs flags that only nightly has, or a stable compiler that is told to allow them
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    log = []
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stderr=pipe, text=True, errors="replace", env=environment) as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            log.append(line)
    add(name, "".join(log))
    return int(process.returncode != 0)


def add(name: str, log: str) -> None:
    """Adds what a log tells to the figures of a target."""
    file = BUILT / "reliability" / f"fuzz-{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    figures = json.loads(file.read_text()) if file.exists() else {"executions": 0, "seconds": 0, "crashes": 0}
    units = (
        re.findall(r"stat::number_of_executed_units:\s*(\d+)", log)
        or re.findall(r"^#(\d+)\s", log, re.MULTILINE)[-1:]
    )
    figures["executions"] += sum(map(int, units))
    figures["seconds"] += sum(map(int, re.findall(r"^Done \d+ runs in (\d+) second", log, re.MULTILINE)))
    figures["crashes"] += len(re.findall(r"^SUMMARY: ", log, re.MULTILINE))
    file.write_text(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
