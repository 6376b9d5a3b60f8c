"""`unsafe` stands in one file, with its proofs beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = next(above for above in Path(__file__).parents if (above / "Cargo.toml").is_file())
CAPSULE = "src/python/capsule.rs"


def test_unsafe_is_in_one_file() -> None:
    """Cargo denies `unsafe`, one small file allows it, and each use there has its proof above it."""
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["lints"]["rust"]
    assert lints["unsafe_code"] == "deny"
    texts = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in ROOT.glob("src/**/*.rs")
    }
    code = {name: re.sub(r"//.*", "", text) for name, text in texts.items()}
    assert [name for name, text in code.items() if re.search(r"\bunsafe\b", text)] == [CAPSULE]
    allowed = [name for name, text in code.items() for _ in re.findall(r"allow\(\s*unsafe_code", text)]
    assert allowed == [CAPSULE]
    lines = texts[CAPSULE].splitlines()
    uses = [number for number, line in enumerate(lines) if re.search(r"\bunsafe \{", line)]
    assert 0 < len(uses) <= 4
    assert len(lines) < 150
    for number in uses:
        above = number - 1
        while lines[above].lstrip().startswith("//") and "SAFETY:" not in lines[above]:
            above -= 1
        assert "// SAFETY: " in lines[above], number + 1
