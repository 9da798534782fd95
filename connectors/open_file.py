"""Opens what an agency hands over, and nothing that only looks like a file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from tidings.errors import BadInput, Problem

_KINDS = (
    (stat.S_ISDIR, "directory", "is a folder; name the files in it"),
    (stat.S_ISFIFO, "not-a-file", "is a pipe, which cannot be read a second time; write it to a file first"),
    (stat.S_ISSOCK, "not-a-file", "is a socket"),
    (stat.S_ISBLK, "not-a-file", "is a device"),
    (stat.S_ISCHR, "not-a-file", "is a device"),
)


def open_source_file(path: Path) -> BinaryIO:
    """A regular file, opened for reading; the caller closes it.

    Raises BadInput, which names the file and the rule, on a link (whoever may write the folder could point it
    at a file that is not theirs to publish), a folder, a pipe, a socket, a device, and what cannot be opened. Never
    waits for a pipe's writer. What was looked at is what was opened: the kind is asked of the open file.
    Source: open(2), O_NOFOLLOW and O_NONBLOCK.
    """
    name = path.name or str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise BadInput([_unopened(name, error)]) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        rule, message = next(
            ((rule, message) for is_kind, rule, message in _KINDS if is_kind(mode)), ("not-a-file", "is no file")
        )
        raise BadInput([Problem(name, 0, "(file)", rule, message)])
    return os.fdopen(descriptor, "rb")


def _unopened(name: str, error: OSError | ValueError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(name, 0, "(file)", "no-such-file", "there is no such file")
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return Problem(name, 0, "(file)", "symbolic-link", "is a link; name the file itself")
    reason = error.strerror if isinstance(error, OSError) else "the name holds a NUL"
    return Problem(name, 0, "(file)", "unreadable", f"cannot be opened ({reason})")
