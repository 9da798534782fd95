"""Writes files that only their owner may read: mode 0600 from the first byte, folders 0700, put in place whole; and
looks at what was there before: who owns it, who else may get at it. A folder that was there is never changed."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from tidings.errors import Fatal

PASSWORD_BYTES = 24


def private_dir(path: Path) -> Path:
    """Make `path` (and what is missing above it) with mode 0700 and return it.

    One that was there stays as it is. Raises Fatal where it belongs to another, or others may look into it.
    """
    for each in (*reversed([parent for parent in path.parents if not parent.exists()]), path):
        try:
            each.mkdir(mode=0o700)  # `parents=True` would make those above with the umask's mode
        except FileExistsError:
            continue
        each.chmod(0o700)  # the umask may have taken some of it
    _refuse(path, 0o077, "others may look into it", "name a folder that is not there yet, or chmod 700 this one")
    return path


def trusted(path: Path) -> Path:
    """`path` itself, where nobody but its owner, this user or root, may change it: what is run may be read from there.

    Raises Fatal where others may, or where it is a link. It does not look below a folder.
    """
    _refuse(path, 0o022, "others may change it", "remove it, or chmod go-w it where you know what is in it")
    return path


def _refuse(path: Path, forbidden: int, why: str, remedy: str) -> None:
    found = path.lstat()
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        raise Fatal(f"{path} is neither a folder nor a file of its own; name another")
    if found.st_uid not in {0, os.geteuid()}:
        raise Fatal(f"{path} belongs to another user; name another")
    if found.st_mode & forbidden:
        raise Fatal(f"{path} has mode {stat.S_IMODE(found.st_mode):o}: {why}; {remedy}")


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
