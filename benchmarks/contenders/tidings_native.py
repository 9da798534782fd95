"""The exchange as shipped, native executor: checks, deduplication, decision blocks and metrics on."""

from __future__ import annotations

import sys

from benchmarks.contender import Contender
from benchmarks.contenders._tidings import run_exchange
from benchmarks.task import read_task
from tidings.projection.native import native_version


def built() -> str | None:
    """Whether the extension is there, shipped or measuring build."""
    return None if native_version() else "the native extension is not built: `make native`"


CONTENDER = Contender(
    name="tidings-native",
    what="the exchange as shipped, native executor",
    events=1_000_000,
    order=1,
    prepare=built,
    smoke=True,
)

if __name__ == "__main__":
    sys.exit(run_exchange(read_task(sys.argv[1]), "native"))
