"""What a wheel holds: every package, and every file beside the code."""

from __future__ import annotations

import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
ROOMS = sorted({package.partition(".")[0] for package in SETUPTOOLS["packages"]})


def files() -> list[Path]:
    """Every file of the rooms with code, relative to the checkout."""
    found = (path for room in ROOMS for path in (CHECKOUT / room).rglob("*") if path.is_file())
    return [path.relative_to(CHECKOUT) for path in found if "__pycache__" not in path.parts]


def test_every_package_is_listed() -> None:
    """A folder with Python in it that setuptools is not told of would be missing from the wheel."""
    assert sorted({".".join(path.parent.parts) for path in files() if path.suffix == ".py"}) == sorted(
        SETUPTOOLS["packages"]
    )


def test_every_file_beside_the_code_is_listed() -> None:
    """The lock of the jars is read at run time: without it a wheel could start no stack."""
    listed = {
        path.relative_to(CHECKOUT)
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in CHECKOUT.joinpath(*package.split(".")).glob(pattern)
    }
    packages = {Path(*package.split(".")) for package in SETUPTOOLS["packages"]}
    assert listed == {path for path in files() if path.suffix != ".py" and packages & set(path.parents)}
