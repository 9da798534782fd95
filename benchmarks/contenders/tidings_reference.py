"""The exchange as shipped, reference executor: checks, deduplication, decision blocks and metrics on."""

from __future__ import annotations

import sys

from benchmarks.contender import Contender
from benchmarks.contenders._tidings import run_exchange
from benchmarks.task import read_task

CONTENDER = Contender(
    name="tidings-reference",
    what="the exchange as shipped, reference executor (fastavro, field by field)",
    events=40_000,
    order=4,
)

if __name__ == "__main__":
    sys.exit(run_exchange(read_task(sys.argv[1]), "reference"))
