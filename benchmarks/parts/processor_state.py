"""What `life-event-journey` keeps of each subject: the rows of many subjects' births and deaths in RocksDB as the host
opens it and as the changelog has them, and how long a sweep of them takes.

The other processors' states do not follow subjects: `processors` has their rows. Sizes are of what a compaction leaves.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from faust.stores.rocksdb import RocksDBOptions

from benchmarks.contender import BUILD
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import make_country_policy
from stream_processors.derived._journey_steps import LIFE_EVENTS
from stream_processors.host.core import Core, parts_of
from stream_processors.host.declaration import Event
from stream_processors.host.discover import load_processor
from stream_processors.host.needs import reads_of, writes_of
from stream_processors.host.on_faust.tables import ROCKSDB_OPTIONS
from tidings.clock import StillClock
from tidings.keys import ROOT_BYTES, KeyRing
from tidings.partitions import partition_of
from tidings.policy.model import Policy
from tidings.topics import parse_feed

NAME = "life-event-journey"
SUBJECTS = 200_000
TEN_MILLION = 10_000_000
_SHARES = (0.25, 0.5, 1.0)
_HOUR_MS = 3_600_000


class _Place:
    """Implements `stream_processors.host.rows.Store` for one place, on disk."""

    def __init__(self, folder: Path, tables: list[str]) -> None:
        self._folder = folder
        self._databases = {}
        for table in tables:
            (folder / table).mkdir(parents=True)
            self._databases[table] = RocksDBOptions(**ROCKSDB_OPTIONS).open(folder / table)

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store.get`."""
        found: bytes | None = self._databases[table].get(key)
        return found

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        """See `Store.put`."""
        if row is None:
            del self._databases[table][key]
        else:
            self._databases[table][key] = row

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        yield from self._databases[table].items()

    def record_bytes(self) -> tuple[int, int]:
        """How many rows there are, and the bytes of their keys and values: what a compacted changelog holds."""
        sizes = [len(key) + len(value) for each in self._databases.values() for key, value in each.items()]
        return len(sizes), sum(sizes)

    def disk_bytes(self) -> int:
        """What stands on disk, compacted."""
        for each in self._databases.values():
            each.flush()
            each.compact_range(None, None)
        return sum(path.stat().st_size for path in self._folder.rglob("*.sst"))

    def close(self) -> None:
        """Close the databases."""
        for each in self._databases.values():
            each.close()


def run(settings: Settings, results: Results) -> None:
    """One state that grows; a point at a quarter, at a half and at the whole of it."""
    points = results.points("processor_state")
    folder = BUILD / "state" / "processor-state"
    shutil.rmtree(folder, ignore_errors=True)
    processor = load_processor(NAME)
    policy = make_country_policy(KeyRing(bytes(ROOT_BYTES)))
    core = Core(processor, frozenset(writes_of(processor, policy)), StillClock(), policy)
    tables = [*(table.name for table in processor.tables), "time"]
    places = [_Place(folder / str(number), tables) for number in range(processor.partitions)]
    subjects, done, offset = settings.events(SUBJECTS), 0, 0
    try:
        for share in _SHARES:
            began, parts = time.monotonic(), 0
            for number in range(done, int(subjects * share)):
                for event in _events(number, policy, StillClock().now_ms() - 100 * 24 * _HOUR_MS):
                    for part in parts_of(processor, event):
                        offset, parts = offset + 1, parts + 1
                        core.apply(part, places[partition_of(part.key.encode(), processor.partitions)], offset)
            took, done = time.monotonic() - began, int(subjects * share)
            points.append(
                {"subjects": done, "us_a_part_on_disk": round(took / max(1, parts) * 1e6, 1)}
                | _sizes(places, core, done)
            )
            typer.echo(str(points[-1]))
            results.save()
    finally:
        for place in places:
            place.close()
        shutil.rmtree(folder, ignore_errors=True)


def _sizes(places: list[_Place], core: Core, subjects: int) -> dict[str, Any]:
    counted = [place.record_bytes() for place in places]
    rows, changelog = sum(each[0] for each in counted), sum(each[1] for each in counted)
    disk = sum(place.disk_bytes() for place in places)
    began = time.monotonic()
    seen = sum(1 for place in places for _ in core._sweep(place, 0))  # noqa: SLF001 - as `advance`, and it writes nothing
    swept = time.monotonic() - began
    return {
        "rows": rows,
        "changelog_bytes_a_subject": round(changelog / subjects, 1),
        "disk_bytes_a_subject": round(disk / subjects, 1),
        "sweep_us_a_subject": round(swept / subjects * 1e6, 2),
        "overdue": seen,
        "changelog_gb_of_ten_million": round(changelog / subjects * TEN_MILLION / 1e9, 2),
        "disk_gb_of_ten_million": round(disk / subjects * TEN_MILLION / 1e9, 2),
    }


def _events(number: int, policy: Policy, began_ms: int) -> Iterator[Event]:
    """The views of one subject: every step of a birth, or of a death that was first told informally."""
    reads = reads_of(load_processor(NAME), policy)
    feeds = {parse_feed(topic).event_type: topic for topic in reads}
    subject = base64.urlsafe_b64encode(hashlib.sha256(b"%d" % number).digest()).rstrip(b"=")
    life = "birth" if number % 2 else "death"
    began_ms += number % 1_000_000
    for step_number, step in enumerate(step for step in LIFE_EVENTS[life] if step.name != "removed"):
        if step.event_type not in feeds:
            continue
        named = uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{step.event_type}")
        at_ms = began_ms + step_number * 12 * _HOUR_MS
        value = {
            "kind": "LIVE", "change": "CREATED", "event_id": str(named), "record_id": named.hex, "status": step.status,
            "recorded_at": datetime.fromtimestamp(at_ms / 1000 - 60, UTC), "life_event_id": str(named),
        }  # fmt: skip
        yield Event(feeds[step.event_type], number % 3, number, at_ms, value, b"1." + subject)
