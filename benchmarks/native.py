"""The measuring build of the native extension: the shipped one and, behind cargo's feature `bench`, the floor's
`Constant` and the projection without evidence (`native/src/floor.rs`, `bare.rs`).

It is built beside the shipped one and never installed: a process that measures has it first on its path, as the same
module. No wheel has what the feature adds, so nothing can turn the evidence off in production.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from typing import Any

from benchmarks.contender import BUILD, CHECKOUT

FOLDER = BUILD / "native"
_CRATE = CHECKOUT / "native"
_MODULE = "tidings_native.abi3.so"
_BUILD_S = 900


def measuring_build() -> Any:
    """The module, where this process has it; else None."""
    try:
        module = importlib.import_module("tidings_native")
    except ImportError:
        return None
    return module if hasattr(module, "Bare") else None


def build() -> str | None:
    """Build it. Returns why that cannot be done here, or None."""
    if shutil.which("cargo") is None:
        return "no cargo: the native extension's measuring build cannot be made"
    lock = subprocess.run([sys.executable, "lock.py", "restore"], cwd=_CRATE, capture_output=True, check=False)
    if lock.returncode:
        return f"native/lock.py failed: {_last_line(lock.stderr)}"
    command = ["cargo", "build", "--release", "--locked", "--features", "bench", "--target-dir", str(BUILD / "cargo")]
    env = {**os.environ, "PYO3_BUILD_EXTENSION_MODULE": "1", "PYO3_PYTHON": sys.executable}
    try:
        done = subprocess.run(command, cwd=_CRATE, env=env, capture_output=True, check=False, timeout=_BUILD_S)
    except subprocess.TimeoutExpired:
        return f"cargo did not end within {_BUILD_S} s"
    if done.returncode:
        return f"cargo failed: {_last_line(done.stderr)}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    built = BUILD / "cargo" / "release" / "libtidings_native.so"
    shutil.copy2(built, FOLDER / _MODULE)
    return None


def why_not_built() -> str | None:
    """None where a build is there to be used."""
    return None if (FOLDER / _MODULE).exists() else "there is no measuring build of the native extension"


def environment() -> dict[str, str]:
    """That of a process that is to have the measuring build, where there is one."""
    path = [str(CHECKOUT)]
    if why_not_built() is None:
        path.insert(0, str(FOLDER))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _last_line(text: bytes) -> str:
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
