"""Register Serialisation Format: a register's items and entries, each item held against its SHA-256.

Source: openregister/openregister-java, "Register Serialisation Format" (commands add-item, append-entry and
assert-root-hash, fields separated by tabs, one command a line, UTF-8).
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, ClassVar

import orjson

from connectors.sources._registers import MAPPING, REGISTERS, Register, change_of
from connectors.sources._root_hash import RootHash
from connectors.sources._spill import Spill
from connectors.sources.base import (
    Outcome,
    RecordError,
    RefusedRecord,
    SetAsideRecord,
    SourceContext,
    SourceRecord,
    SourceSpec,
    finish_event,
    new_head,
)
from tidings.errors import Problem

MAX_LINE_BYTES = 1024 * 1024
_HASH = re.compile(r"sha-256:[0-9a-f]{64}\Z")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
_REGISTER = "register:"
_ENTRY = b"append-entry"


class RegisterRsf:
    """Makes one event of each `user` entry; `system` entries, which describe the register itself, are set aside.

    A record is an `append-entry` line. Items and the last state of each key are kept on disk, not in memory. Each root
    hash is held against the user entries above it; a file that begins with the root of a register that is not empty
    continues it, and cannot tell what its entries change: they are refused.
    """

    spec: ClassVar[SourceSpec] = SourceSpec(
        name="register-rsf",
        version="1",
        summary="Entries of an open register in Register Serialisation Format.",
        event_types=tuple(register.event_type for register in REGISTERS.values()),
        time_zone="UTC (entries are stamped with Z)",
        extensions=(".rsf",),
        signatures=(b"add-item\t", b"append-entry\t", b"assert-root-hash\t"),
        mapping=MAPPING,
    )

    def read(self, file: BinaryIO, context: SourceContext) -> Iterator[Outcome]:
        """See `Source.read`."""
        with Spill() as spill:
            reading = _Reading(context, spill)
            for line, raw in _lines(file):
                try:
                    outcome = reading.take(line, raw)
                except RecordError as error:
                    number = reading.number if raw is not None and raw.partition(b"\t")[0] == _ENTRY else 0
                    outcome = RefusedRecord(number, Problem(context.file, line, error.field, error.rule, error.message))
                if outcome is not None:
                    yield outcome
            for line in spill.unused():
                message = "no entry names this item's SHA-256: it was altered, or its entry is missing"
                yield RefusedRecord(0, Problem(context.file, line, "add-item", "item-unreferenced", message))


class _Reading:
    """One pass over one file."""

    def __init__(self, context: SourceContext, spill: Spill) -> None:
        self._context = context
        self._spill = spill
        self._register: Register | None = None
        self._root = RootHash()
        self._continues = False
        self.number = 0

    def take(self, line: int, raw: bytes | None) -> Outcome | None:
        """What one line is; None for an item. Raises RecordError."""
        if raw is None:
            raise RecordError("(line)", "line-too-long", f"a line is longer than {MAX_LINE_BYTES} bytes")
        command, _, rest = raw.partition(b"\t")
        if command == _ENTRY:
            self.number += 1
        try:
            text = rest.decode("utf-8")
        except UnicodeDecodeError:
            raise RecordError("(line)", "encoding", "the line is not UTF-8") from None
        if command == b"add-item":
            self._spill.add_item(hashlib.sha256(rest).hexdigest(), line, rest)
            return None
        if command == _ENTRY:
            return self._entry(line, text)
        if command == b"assert-root-hash":
            return self._root_hash(line, text)
        raise RecordError("(command)", "unknown-command", "a line is add-item, append-entry or assert-root-hash")

    def _root_hash(self, line: int, text: str) -> Outcome:
        if _HASH.match(text) is None:
            raise RecordError("assert-root-hash", "hash-form", "a hash is sha-256: and 64 hexadecimal digits")
        if text != self._root.value():
            self._continues = self._continues or self.number == 0
            message = "the root hash is not that of the user entries above: one was altered, is missing or was added"
            raise RecordError("assert-root-hash", "root-hash", message)
        return SetAsideRecord(0, line, "root-hash")

    def _entry(self, line: int, text: str) -> Outcome:
        parts = text.split("\t")
        if len(parts) != 4:
            raise RecordError("append-entry", "fields", "an entry has region, key, time and item hash")
        region, key, time, name = parts
        if region not in ("user", "system") or not key:
            raise RecordError("append-entry.region", "region", "a region is user or system, and a key is not empty")
        if _HASH.match(name) is None:
            raise RecordError("append-entry.hash", "hash-form", "a hash is sha-256: and 64 hexadecimal digits")
        recorded_at = _instant(time)
        if region == "user":
            self._root.append(key, time, name)
        content = self._spill.item(name.removeprefix("sha-256:"))
        if content is None:
            raise RecordError("append-entry.hash", "item-hash", "no item above this line has this SHA-256")
        item = _item(content)
        if region == "system":
            self._describe(key, item)
            return SetAsideRecord(self.number, line, "system")
        return self._event(line, key, recorded_at, item, name)

    def _describe(self, key: str, item: dict[str, Any]) -> None:
        if not key.startswith(_REGISTER) and key != "name":
            return
        register = REGISTERS.get(item.get("register" if key != "name" else "name", ""))
        if self._register is not None and register is not self._register:
            raise RecordError("append-entry.key", "one-register", "a file is about one register")
        self._register = register

    def _event(self, line: int, key: str, recorded_at: int, item: dict[str, Any], item_hash: str) -> SourceRecord:
        if self._continues:
            message = "the file continues a register whose earlier entries are not in it; publish the whole register"
            raise RecordError("append-entry", "register-incomplete", message)
        register = self._register
        if register is None:
            known = ", ".join(sorted(REGISTERS))
            raise RecordError(
                "append-entry", "register-unknown", f"no system entry above names a known register: {known}"
            )
        body = register.body(key, item)
        version, before = self._spill.state(key)
        change = change_of(body, before)
        system = f"register/{register.name}"
        event = new_head(self._context, system, f"entry {self.number}") | {
            "change": change,
            "record_id": key,
            "record_version": version + 1,
            "recorded_at": recorded_at,
            "occurred_on": body["end_date"]
            if change == "ENDED"
            else body["start_date"]
            if change == "CREATED"
            else None,
            "subject": {"scheme": register.name, "value": key},
        }
        event |= body
        finish_event(system, f"{self.number}/{item_hash}", event)  # no entry annuls, so nothing is left out
        self._spill.set_state(key, version + 1, body)
        return SourceRecord(self.number, line, register.event_type, event)


def _item(content: bytes) -> dict[str, Any]:
    try:
        item = orjson.loads(content)
    except orjson.JSONDecodeError:
        item = None
    if not isinstance(item, dict):
        raise RecordError("add-item", "item-json", "the entry's item is not a JSON object")
    return item


def _instant(text: str) -> int:
    at = None
    if _TIME.match(text) is not None:
        try:
            at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            at = None
    if at is None:
        raise RecordError("append-entry.time", "date-time", "a time is of the form YYYY-MM-DDThh:mm:ssZ")
    return int(at.timestamp()) * 1000


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines without their line feed, counted from 1; None for one that is too long. Blank lines are passed over."""
    line = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        line += 1
        if line == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        too_long = len(raw) > MAX_LINE_BYTES
        while too_long and raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
        if too_long:
            yield line, None
        elif raw.strip():
            yield line, raw.removesuffix(b"\n")
