"""The tutorial of derived processors, followed in a copy of the checkout."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from commands._new_processor import write_processor

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = CHECKOUT / "docs" / "guides" / "processors.md"
ROOMS = (
    "commands",
    "connectors",
    "deploy",
    "producers",
    "stream_processors",
    "tests",
    "tidings",
    "schemas",
    "agreements",
)
_BLOCK = re.compile(r"^```python (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def checkout(folder: Path) -> Path:
    """A copy of what is written into, or finds files by its own place; what is only read is linked."""
    for room in ROOMS:
        if room in ("commands", "stream_processors", "tests"):
            shutil.copytree(CHECKOUT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "acceptance"))
        else:
            (folder / room).symlink_to(CHECKOUT / room)
    shutil.copytree(CHECKOUT / "docs", folder / "docs")
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    return folder


def follow(folder: Path) -> None:
    """Write the tutorial's processor and its test as it says."""
    write_processor("slow-decisions", folder)
    blocks = dict(_BLOCK.findall(GUIDE.read_text("utf-8")))
    (folder / "stream_processors" / "derived" / "slow_decisions.py").write_text(blocks["processor"])
    (folder / "tests" / "stream_processors" / "derived" / "test_slow_decisions.py").write_text(blocks["test"])


def commands() -> list[list[str]]:
    """The words of each command that takes it to the broker."""
    [block] = _COMMANDS.findall(GUIDE.read_text("utf-8"))
    return [line.split() for line in block.splitlines()]
