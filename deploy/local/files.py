"""Writes files that only their owner may read: mode 0600 from the first byte, folders 0700, put in place whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PASSWORD_BYTES = 24


def private_dir(path: Path) -> Path:
    """Make `path` (and what is missing above it) with mode 0700 and return it."""
    for each in (*reversed([parent for parent in path.parents if not parent.exists()]), path):
        each.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would make those above with the umask's mode
        each.chmod(0o700)
    return path


def write_private(path: Path, content: str | bytes) -> Path:
    """Put `content` at `path` with mode 0600, atomically: a reader sees the old file or the new one."""
    data = content.encode() if isinstance(content, str) else content
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        staging.replace(path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    return path


def make_password(path: Path) -> str:
    """The password at `path`; made at random and written there with mode 0600 where there is none yet."""
    if path.exists():
        return path.read_text("ascii").strip()
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    write_private(path, password + "\n")
    return password
