"""Keeps Cargo's lock without the registry's address: `packages.lock` is `Cargo.lock` with a word in its place.

    python native/lock.py restore    writes Cargo.lock, for `cargo build --locked`
    python native/lock.py save       after `cargo update`: writes packages.lock

The address is the one that this machine's cargo writes by itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK, KEPT = HERE / "Cargo.lock", HERE / "packages.lock"
WORD = "the-registry"
_SOURCE = re.compile(r'^source = "(registry\+[^"]+)"$', re.MULTILINE)
_PROBE = '[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[dependencies]\n{}\n'


def save() -> None:
    """Write packages.lock from Cargo.lock. Raises OSError where there is none."""
    KEPT.write_text(_SOURCE.sub(f'source = "{WORD}"', LOCK.read_text()))


def restore() -> None:
    """Write Cargo.lock from packages.lock, unless it stands there already. Raises SystemExit where cargo fails."""
    kept = KEPT.read_text()
    if LOCK.exists() and _SOURCE.sub(f'source = "{WORD}"', LOCK.read_text()) == kept:
        return
    LOCK.write_text(kept.replace(f'source = "{WORD}"', f'source = "{_address()}"'))


def _address() -> str:
    """What this machine's cargo calls its registry: read from a lock that it makes for one small package."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Cargo.toml").write_text(_PROBE.format('itoa = "1"'))
        (Path(folder) / "lib.rs").touch()
        made = subprocess.run(["cargo", "generate-lockfile"], cwd=folder, check=False)  # noqa: S607
        found = _SOURCE.search((Path(folder) / "Cargo.lock").read_text()) if made.returncode == 0 else None
    if found is None:
        raise SystemExit("cargo cannot resolve a package: is the registry of crates reachable?")
    return found[1]


if __name__ == "__main__":
    {"save": save, "restore": restore}[sys.argv[1]]()
