"""A register in Register Serialisation Format, written: items, entries and root hashes.

Source: openregister/openregister-java, "Register Serialisation Format"; RFC 6962, section 2.1, for the root hash over
the entries' JSON as the register serves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import orjson

from producers.simulation.legacy.base import Event, LegacyFormat, iso_date

_FIELDS = {
    "country": ("country", "name", "official-name", "citizen-names", "start-date", "end-date"),
    "local-authority": (
        "local-authority-eng", "local-authority-type", "name", "official-name", "start-date", "end-date",
    ),
}  # fmt: skip


def write(file: BinaryIO, events: Iterable[tuple[str, Event]]) -> int:
    """Write one register's entries, from its first one on. Returns how many. Raises ValueError where the events are of
    two registers."""
    leaves: list[bytes] = []
    register = ""
    _line(file, "assert-root-hash", _root([]))
    for event_type, event in events:
        if not register:
            register = event["subject"]["scheme"]
            _describe(file, register, _FIELDS[event_type], event["recorded_at"])
        if event["subject"]["scheme"] != register:
            raise ValueError("a file is about one register")
        item = orjson.dumps(dict(_item(event_type, event)), option=orjson.OPT_SORT_KEYS)
        key, at, digest = event["record_id"], _time(event["recorded_at"]), hashlib.sha256(item).hexdigest()
        _line(file, "add-item", item.decode())
        _line(file, "append-entry", "user", key, at, f"sha-256:{digest}")
        leaves.append(hashlib.sha256(b"\x00" + _leaf(len(leaves) + 1, key, at, digest)).digest())
    _line(file, "assert-root-hash", _root(leaves))
    return len(leaves)


def _describe(file: BinaryIO, register: str, fields: tuple[str, ...], first_ms: int) -> None:
    described = {"fields": fields, "phase": "alpha", "register": register, "text": "A register that is nobody's."}
    item = orjson.dumps(described, option=orjson.OPT_SORT_KEYS)
    _line(file, "add-item", item.decode())
    digest = f"sha-256:{hashlib.sha256(item).hexdigest()}"
    _line(file, "append-entry", "system", f"register:{register}", _time(first_ms), digest)


def _item(event_type: str, event: Event) -> Iterator[tuple[str, str]]:
    for name in _FIELDS[event_type]:
        value = event[name.replace("-", "_")]
        if value is not None:
            yield name, iso_date(value) if name.endswith("-date") else value


def _line(file: BinaryIO, *parts: str) -> None:
    file.write("\t".join(parts).encode() + b"\n")


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _leaf(number: int, key: str, at: str, digest: str) -> bytes:
    return orjson.dumps(
        {
            "index-entry-number": str(number),
            "entry-number": str(number),
            "entry-timestamp": at,
            "key": key,
            "item-hash": [f"sha-256:{digest}"],
        }
    )


def _root(leaves: list[bytes]) -> str:
    """The Merkle tree hash: a tree's left half is the largest power of two below its size."""
    return f"sha-256:{_tree(leaves, 0, len(leaves)).hex()}"


def _tree(leaves: list[bytes], first: int, end: int) -> bytes:
    if end - first == 0:
        return hashlib.sha256(b"").digest()
    if end - first == 1:
        return leaves[first]
    half = first + (1 << (end - first - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _tree(leaves, first, half) + _tree(leaves, half, end)).digest()


REGISTER_RSF = LegacyFormat(
    name="register-rsf",
    event_types=("country", "local-authority"),
    write=write,
    losses=(),
    together=False,
)
