"""One processor on Faust in a process of its own, as `tidings run` has it, with the test's policy, clock and schemas.

It is told the path of its settings. With `kill_after` it kills itself (SIGKILL) when
that many parts were worked in, their rows written and what follows them not sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from stream_processors.host.discover import load_processor
from stream_processors.host.on_faust.connection import Connection
from stream_processors.host.on_faust.host import Host
from stream_processors.host.pipeline import Outgoing, Pipeline
from stream_processors.host.rows import Store
from tests.forked import forks
from tidings.clock import SystemClock
from tidings.errors import Fatal, TidingsError
from tidings.log import InboxRecord
from tidings.logs import configure
from tidings.metrics import PROCESSOR_METRICS, MetricStore
from tidings.policy.model import Policy


class _Clock(SystemClock):
    """The test's day, going on as the machine's clock does not."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms

    def now_ms(self) -> int:
        return self._at_ms


class _Dying(Pipeline):
    """Kills its process in the middle."""

    left: int | None = None

    def work(self, record: InboxRecord, store: Store) -> list[Outgoing]:
        out = super().work(record, store)
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return out


def main(path: str) -> int:
    """Run until SIGTERM."""
    settings = json.loads(Path(path).read_bytes())
    configure(settings["name"])
    processor = replace(load_processor(settings["name"]), version=settings["version"])
    schemas = {int(number): schema for number, schema in settings["schemas"].items()}

    def ask(number: int) -> Any:
        if number not in schemas:
            raise Fatal("no such schema")
        return schemas[number]

    store, clock = MetricStore(PROCESSOR_METRICS), _Clock(settings["now_ms"])
    pipeline = _Dying(processor, Policy.model_validate(settings["policy"]), ask, clock, store, "test")
    pipeline.left = settings["kill_after"]
    going_on = True

    def stop(_number: int, _frame: object) -> None:
        nonlocal going_on
        going_on = False

    signal.signal(signal.SIGTERM, stop)
    connection = Connection(
        settings["bootstrap_servers"], Path(settings["ca_file"]), settings["principal"],
        Path(settings["password_file"]).read_text().strip(), Path(settings["data"]),
    )  # fmt: skip
    host = Host(pipeline, connection, clock, store, beat=lambda _ready: None, going_on=lambda: going_on, tick_s=3_600.0)
    try:
        asyncio.run(host.run())
    except TidingsError as failure:
        sys.stderr.write(f"{failure}\n")
        return failure.exit_code
    return 0


forks(__name__)
