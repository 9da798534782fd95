"""Finds the derived processors: every file of `stream_processors/derived`, by its name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from stream_processors.host.declaration import Processor
from tidings.errors import Fatal
from tidings.topics import is_id

FOLDER = Path(__file__).resolve().parents[1] / "derived"
_PACKAGE = "stream_processors.derived"


def processor_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every processor's name, in order; none is imported. What begins with an underscore is a part of another."""
    stems = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return tuple(stem.replace("_", "-") for stem in stems)


def load_module(name: str) -> ModuleType:
    """The file of a processor. Raises Fatal where there is none."""
    if not is_id(name) or name not in processor_names():
        raise Fatal(f"there is no processor {name!r}: it would be a file of stream_processors/derived")
    return import_module(f"{_PACKAGE}.{name.replace('-', '_')}")


def load_processor(name: str) -> Processor:
    """The processor of a name. Raises Fatal where there is none, or its file does not hold it."""
    found = getattr(load_module(name), "PROCESSOR", None)
    if not isinstance(found, Processor) or found.name != name:
        raise Fatal(f"the file of {name!r} holds no PROCESSOR of that name")
    return found


def load_processors() -> tuple[Processor, ...]:
    """Every processor, by name. Raises Fatal where a file does not hold one."""
    return tuple(load_processor(name) for name in processor_names())
