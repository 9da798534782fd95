"""Kafka Streams 4.3.1, exactly_once_v2, one stream thread: `benchmarks/kafka_streams`, built with Maven.

GenericRecord by position, texts left as bytes, records used again, one Avro encoder a view: what SpecificRecord would
save over it is the look-up of fields by name, which it does not do either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from benchmarks.contender import BUILD, CHECKOUT, Contender
from deploy.local.java import java_binary

TARGET = BUILD / "kafka-streams"
_SOURCE = CHECKOUT / "benchmarks" / "kafka_streams"
_BUILD_S = 600
BEST = ("-Xmx1g", "-XX:+UseParallelGC")
"""What `benchmarks.tune_kafka_streams` found to be best; the clients' settings stand in `Main.java`."""


@cache
def prepare() -> str | None:
    """Build the jar. Returns why that cannot be done here, or None."""
    if shutil.which("mvn") is None:
        return "no mvn: Kafka Streams' jar cannot be built"
    return build(TARGET)


def build(target: Path, *options: str) -> str | None:
    """Build the jar into `target`. Returns why that cannot be done here, or None."""
    command = ["mvn", "-q", "-B", "-f", str(_SOURCE / "pom.xml"), f"-Dbench.build={target}", *options, "package"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_BUILD_S)
    except subprocess.TimeoutExpired:
        return f"mvn did not end within {_BUILD_S} s"
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    return f"mvn failed: {lines[0] if lines else 'no reason given'}" if done.returncode else None


def command(task: Path, *options: str, target: Path = TARGET) -> list[str]:
    """The process, on the packaged Java; with `options` in place of the collector and the heap that are best."""
    path = os.pathsep.join([str(target / "kafka-streams.jar"), str(target / "lib" / "*")])
    return [java_binary(), *(options or BEST), "-cp", path, "uk.tidings.bench.Main", str(task)]


CONTENDER = Contender(
    name="kafka-streams",
    what="Kafka Streams 4.3.1 (Java), GenericRecord, exactly_once_v2, one stream thread",
    events=500_000,
    order=8,
    prepare=prepare,
    command=command,
)
