"""Says where a process serves its metrics, in a file that Prometheus watches, so that no port has to be agreed on.

Source: Prometheus, "Configuration", `file_sd_config`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidings.errors import Fatal


@contextmanager
def announced(folder: Path | None, name: str, port: int) -> Iterator[None]:
    """While the block runs, `folder` holds `<name>.json` with this process's address on loopback, labelled `worker`.

    It is written whole or not at all, and taken away at the end. What a killed process leaves says where somebody is
    missing; its successor replaces it. Without a folder nothing is said. Raises Fatal where it cannot be written.
    """
    if folder is None:
        yield
        return
    path = folder / f"{name}.json"
    content = [{"targets": [f"127.0.0.1:{port}"], "labels": {"worker": name}}]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f".{name}.tmp"  # Prometheus watches *.json
        scratch.write_text(json.dumps(content) + "\n", "utf-8")
        scratch.replace(path)
    except OSError as error:
        raise Fatal(f"{path} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
