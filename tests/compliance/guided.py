"""`python -m tests.compliance.guided CONNECTOR FOLDER [libFuzzer's options]`: as `fuzz`, guided by branches.

Needs atheris (`pip install atheris`), which is no dependency: it counts the branches of `connectors/` that a file
reaches and damages on whatever reached a new one, which it keeps in FOLDER. `-max_total_time=600`
ends it after ten minutes.
Source: google/atheris, README, "Custom mutators"; LLVM, "libFuzzer".
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _damage(fuzz: ModuleType, good: list[bytes]) -> Any:
    """libFuzzer's damage, or our own, which knows the formats' words."""

    def custom(content: bytes, most_bytes: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311 - no secret comes of it
        made: bytes = fuzz.damaged(content, chance, good)
        return made[:most_bytes]

    return custom


def main(name: str, folder: Path, options: list[str]) -> None:
    """Damage files until the connector breaks a promise or libFuzzer's options end it."""
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["connectors"]):
        from tests.compliance import fuzz
    good = fuzz.seeds(name, [])
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(good):
        (folder / f"seed-{number}").write_bytes(content)
    fuzzed = fuzz.Fuzzed(name, [])

    def one(content: bytes) -> None:
        try:
            fuzzed.judge(content)
        except Exception:
            fuzz.add(fuzz.Finding(name, content))
            raise

    atheris.Setup([sys.argv[0], str(folder), "-max_len=20000", *options], one, custom_mutator=_damage(fuzz, good))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
