"""Processes that tests start and kill, forked from one that has imported what they need: a fork takes milliseconds, and
importing takes a second or two of the processor each time.

A module that is run so says `forks(__name__)` and has `main(argument) -> int | None`: the exit code, 0 for None. The
server of forks is started with the first process; it runs one thread and has opened nothing.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_modules: list[str] = []


def forks(module: str) -> None:
    """Have the server import `module` before it forks, where it is not running yet."""
    if module != "__main__" and module not in _modules:
        _modules.append(module)
        _context.set_forkserver_preload(_modules)


class Forked:
    """A process that runs `main(argument)` of a module. It has what tests use of `subprocess.Popen`."""

    def __init__(self, module: str, argument: str, output: Path | None = None) -> None:
        """Start it. What it writes goes to the end of the file `output`, where one is given."""
        self._name = module
        self._process = _context.Process(target=_run, args=(module, argument, output), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code (minus a signal's number where one ended it), or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired where that takes more seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._name, timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()


def _run(module: str, argument: str, output: Path | None) -> None:
    if output is not None:
        with output.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    sys.exit(importlib.import_module(module).main(argument))
