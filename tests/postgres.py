"""A real PostgreSQL cluster of the tests' own, in a folder of its own, as a user that is not root: Debian's package."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

_DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 60.0


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    return folders[-1].parent if folders else None


class Postgres:
    """One cluster on a socket of its own, reached by nobody else. `start` it, and `remove` it at the end."""

    def __init__(self, *, fsync: bool = False) -> None:
        folder = binaries()
        assert folder is not None
        self._bin = folder
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-pg-"))
        self._data = self.folder / "data"
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:
            who = next(each for each in pwd.getpwall() if each.pw_name in ("postgres", "nobody"))
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            self._user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        self.folder.chmod(0o755)
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> Postgres:
        """Start it and wait until it answers."""
        command = [
            str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self.folder),
            "-c", "listen_addresses=", "-c", f"fsync={'on' if self._fsync else 'off'}",
            "-c", "max_connections=60", "-c", "shared_buffers=128MB",
        ]  # fmt: skip
        end = time.monotonic() + _START_SECONDS
        while True:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._user)  # type: ignore[call-overload]
            while self._process.poll() is None:
                try:
                    psycopg.connect(self.dsn("postgres")).close()
                except psycopg.OperationalError:
                    assert time.monotonic() < end, "PostgreSQL does not start"
                    time.sleep(0.02)
                else:
                    return self
            # After a kill, the children of the one before hold its memory for a moment.
            assert time.monotonic() < end, "PostgreSQL ends at its start"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The postmaster's process, once it was started."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9: the postmaster ends at once, and its children with it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Fast shutdown: sessions are ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder)

    def dsn(self, database: str, user: str = "owner") -> str:
        """A libpq connection string."""
        return f"host={self.folder} dbname={database} user={user}"

    def connect(self, database: str, user: str = "owner") -> psycopg.Connection[tuple[object, ...]]:
        """A session in autocommit."""
        return psycopg.connect(self.dsn(database, user), autocommit=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._bin / name), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._user)  # type: ignore[call-overload]
