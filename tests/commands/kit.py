"""Commands as a user calls them, and a running exchange, for tests on the real stack."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from commands import main
from tidings import topics
from tidings.decisions import Block, decode_block
from tidings.kafka.client_settings import client_settings
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader
from tidings.log import Partition

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """What a command ended with and wrote."""

    code: int
    out: str
    err: str


def tidings(*arguments: str | Path) -> Said:
    """Run `tidings ARGUMENTS` in this process, on a wide terminal."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["tidings", *map(str, arguments)]),
        mock.patch.dict(os.environ, {"COLUMNS": "250", "NO_COLOR": "1"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def running_exchange(
    cluster_file: Path, log: Path, targets: Path, part: str = "exchange", checkout: Path = CHECKOUT
) -> Iterator[subprocess.Popen[bytes]]:
    """`tidings run exchange` with one worker, or another part, with the code of `checkout`; it is drained at the end,
    and must have ended well."""
    with at_work(("run", part), cluster_file, log, targets, checkout) as process:
        yield process


@contextlib.contextmanager
def at_work(
    words: Sequence[str], cluster_file: Path, log: Path, targets: Path, checkout: Path = CHECKOUT
) -> Iterator[subprocess.Popen[bytes]]:
    """`tidings WORDS`, which goes on until it is told to end: at the end, and it must have ended well."""
    where = ["--cluster", str(cluster_file), "--targets", str(targets)]
    command = [sys.executable, "-c", "from commands import main; main()", *words, *where]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=checkout, stdout=file, stderr=file, env={**os.environ, "PYTHONPATH": str(checkout)}
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            for child in children(process.pid):
                os.kill(child, signal.SIGKILL)
            process.kill()
            raise
    assert code == 0, log.read_text()


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class _Decisions:
    """The decision blocks of a cluster, each read and decoded once, by one client: tests ask many times a second."""

    def __init__(self, cluster: Cluster) -> None:
        self._reader = LogReader(cluster, "admin")
        self._next: dict[Partition, int] = {}
        self._blocks: list[Block] = []

    def so_far(self) -> list[Block]:
        """All of them, in order within each inbox partition."""
        for partition, end in self._reader.ends(self._reader.partitions(topics.DECISIONS)).items():
            first = self._next.get(partition, 0)
            if first < end:
                records = self._reader.read_range(partition, first, end)
                self._blocks += [decode_block(record.value) for record in records if record.value is not None]
                self._next[partition] = end
        return list(self._blocks)


_decisions = cache(_Decisions)


def decided(cluster: Cluster) -> list[Block]:
    """Every decision block so far."""
    return _decisions(cluster).so_far()


def decided_events(cluster: Cluster) -> int:
    """How many events were decided so far."""
    return sum(len(block.entries) for block in decided(cluster))


def reader_of(cluster: Cluster, agency: str, **more: object) -> Consumer:
    """A stock consumer with the settings that `tidings client-config` gives, and the agency's own password."""
    settings = client_settings(cluster, agency)
    password = Path(settings["password_file"]).read_text().strip()
    return Consumer({**settings["consumer"], "sasl.password": password, "log_level": 0, **more})


def refused_reads(cluster: Cluster, agency: str, names: list[str]) -> dict[str, str]:
    """What the broker answers a reader of each topic with: an error's name, or `read`."""
    consumer = reader_of(cluster, agency)
    try:
        return {name: _refusal(consumer, name) for name in names}
    finally:
        consumer.close()


def _refusal(consumer: Consumer, name: str) -> str:
    error = consumer.list_topics(name, timeout=10).topics[name].error
    return "read" if error is None else str(error.name())


def first_error(consumer: Consumer, seconds: float = 20.0) -> str | None:
    """The name of the first error that a consumer hears of, or None where it gets a record or nothing at all."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            message = consumer.poll(0.5)
            if message is not None:
                error = message.error()
                return None if error is None else str(error.name())
    except KafkaException as exception:
        return str(exception.args[0].name())
    finally:
        consumer.close()
    return None


def group_error(cluster: Cluster, agency: str, group: str, topic: str) -> str | None:
    """The name of the error on joining a group, or None."""
    consumer = reader_of(cluster, agency, **{"group.id": group})
    consumer.subscribe([topic])
    return first_error(consumer)


def fetch_error(cluster: Cluster, agency: str, topic: str) -> str | None:
    """The name of the error on reading a topic from its start, or None where it is given."""
    consumer = reader_of(cluster, agency, **{"enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    error = first_error(consumer)
    return None if error == "_PARTITION_EOF" else error


def write_error(cluster: Cluster, agency: str, topic: str, **more: object) -> str | None:
    """The name of the error that the broker answers a write with, or None where it takes it."""
    settings = client_settings(cluster, agency)
    password = Path(settings["password_file"]).read_text().strip()
    producer = Producer(
        {**settings["producer"], "sasl.password": password, "log_level": 0, "message.timeout.ms": 10_000, **more}
    )
    errors: list[str | None] = []
    producer.produce(
        topic, key=b"k", value=b"v", partition=0, on_delivery=lambda error, _: errors.append(error and error.name())
    )
    producer.flush(15)
    [error] = errors
    return error


def transaction_error(cluster: Cluster, agency: str, transactional_id: str) -> str | None:
    """The name of the error on taking a transactional id, or None where the broker gives it."""
    settings = client_settings(cluster, agency)
    password = Path(settings["password_file"]).read_text().strip()
    producer = Producer(
        {**settings["producer"], "sasl.password": password, "transactional.id": transactional_id, "log_level": 0}
    )
    try:
        producer.init_transactions(10)
    except KafkaException as exception:
        return str(exception.args[0].name())
    return None


def system_topics() -> list[str]:
    """The exchange's own topics."""
    return [topics.DECISIONS, topics.NONCES, topics.POLICY, topics.QUARANTINE, topics.REPLAYS]
