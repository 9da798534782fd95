"""A small catalogue in a temporary folder, to be spoilt one way at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tidings.catalogue import default_catalogue_dir
from tidings.catalogue.render import render


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The checked-in shared types and one event type, as a copy."""
    real = default_catalogue_dir()
    shutil.copytree(real / "types", tmp_path / "types")
    shutil.copy(real / "death-registered.avsc", tmp_path)
    return tmp_path


@pytest.fixture
def spoil(folder: Path) -> Callable[[str, Callable[[dict[str, Any]], Any]], Path]:
    """Changes one file of the folder by a function of its JSON, and gives the folder."""

    def change(file: str, how: Callable[[dict[str, Any]], Any]) -> Path:
        path = folder / file
        document = json.loads(path.read_text("utf-8"))
        how(document)
        path.write_text(render(document), "utf-8")
        return folder

    return change
