"""The reference projection: fastavro, field by field, slow and obvious. It defines what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidings.checks import Checker, FolderLists
from tidings.errors import Finding, ReasonCode, Reject
from tidings.keys import KeyRing
from tidings.masks.pseudonym import UUID
from tidings.policy.model import Inbox, Protection, View
from tidings.projection import ids
from tidings.projection.contract import InboxProjector, Projected, Scan
from tidings.projection.derive import flags_shown, hold_to_schema, tail_schema, visible_paths
from tidings.projection.plan import make_plan
from tidings.projection.read_event import readers_of
from tidings.projection.run_plan import Program
from tidings.projection.types import TypeTable, read_types
from tidings.projection.where import compile_where
from tidings.projection.write_avro import writer_of

_UUIDS = ("event_id", "supersedes", "life_event_id")
_TIMES = ("recorded_at", "received_at")
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""0001-01-01 to 9999-12-31: beyond, a subscriber's library cannot read the time."""


@dataclass(frozen=True, slots=True)
class ReferenceScan:
    """See `contract.Scan`. Its repr holds nothing of the event."""

    record: Mapping[str, Any] = field(repr=False)
    event_id: str = field(repr=False)
    change: str
    record_version: int | None = field(repr=False)
    received_at_ms: int
    subject: tuple[str, str] = field(repr=False)
    protection: str = field(repr=False)
    environment: str
    source_agency: str = field(repr=False)


def reference_projector(inbox: Inbox, views: Sequence[View], keys: KeyRing, policy_version: int) -> InboxProjector:
    """The projector of one inbox under one policy, for those of `views` that belong to it.

    Raises RuleError where a view, Fatal where a check cannot be compiled: such a policy is not to be run.
    """
    return _Reference(inbox, views, keys, policy_version)


class _Reference:
    def __init__(self, inbox: Inbox, views: Sequence[View], keys: KeyRing, policy_version: int) -> None:
        table = read_types(inbox.reader_schema)
        self._checker = Checker(inbox.checks, FolderLists())
        self._readers = readers_of(inbox.writer_schemas, table)
        self._views = {
            view.feed: _CompiledView(view, table, keys, inbox.agency, policy_version)
            for view in views
            if view.inbox == inbox.topic
        }

    def scan(self, schema_id: int, body: bytes) -> Scan:
        """See `InboxProjector.scan`."""
        reader = self._readers.get(schema_id)
        if reader is None:
            raise Reject([Finding(ReasonCode.SCHEMA_UNKNOWN)])
        record = reader(body)
        wrong = [Finding(ReasonCode.EVENT_ID_INVALID, name) for name in _UUIDS if not _is_uuid(record[name])]
        wrong += [
            Finding(ReasonCode.UNDECODABLE, name)
            for name in ("recorded_at", "received_at")
            if not _in_time(record[name])
        ]
        if wrong:
            raise Reject(wrong)
        subject = record["subject"]
        return ReferenceScan(
            record, record["event_id"], record["change"], record["record_version"], record["received_at"],
            (subject["scheme"], subject["value"]), record["protection"], record["environment"],
            record["source"]["agency"],
        )  # fmt: skip

    def findings(self, scan: Scan, now_ms: int) -> tuple[Finding, ...]:
        """See `InboxProjector.findings`."""
        return self._checker.run(_own(scan).record, now_ms)

    def decide(self, scan: Scan, view: View, flags: Sequence[Finding]) -> Projected:
        """See `InboxProjector.decide`."""
        return self._views[view.feed].decide(_own(scan), flags)


class _CompiledView:
    def __init__(self, view: View, table: TypeTable, keys: KeyRing, agency: str, policy_version: int) -> None:
        plan, errors = make_plan(table, view.fields)
        if errors:
            raise errors[0]
        self._view, self._keys, self._policy_version = view, keys, policy_version
        self._interest = None if view.interest is None else frozenset(view.interest)
        self._passes = compile_where(view.where, table)
        self._program = Program(plan, table, keys, view.key_group, agency)
        hold_to_schema(view, plan)
        self._write = writer_of(tail_schema(view.view_schema))
        self._visible = {protected: visible_paths(plan, protected=protected) for protected in (False, True)}

    def decide(self, scan: ReferenceScan, flags: Sequence[Finding]) -> Projected:
        protected = scan.protection != "NONE"
        if protected and self._view.protected == Protection.NONE:
            return Projected("filtered")
        key = ids.feed_key(self._keys, self._view.key_group, scan.subject)
        if self._interest is not None and key.decode() not in self._interest:
            return Projected("filtered")
        hidden = protected and self._view.protected == Protection.WITHOUT_LOCATION
        if self._passes(scan.record):
            fields = self._program.live(scan.record, protected=hidden)
            return Projected("delivered", key, self._tail("LIVE", fields, flags_shown(flags, self._visible[hidden])))
        if scan.change == "CREATED":
            return Projected("filtered")
        return Projected(
            "withdrawn", key, self._tail("WITHDRAWN", self._program.withdrawn(scan.record, protected=hidden), [])
        )

    def _tail(self, kind: str, fields: Mapping[str, Any], flags: list[str]) -> bytes:
        record = {"kind": kind, "policy_version": self._policy_version, **fields}
        if self._view.include_flags:
            record["flags"] = flags
        return self._write(record)


def _own(scan: Scan) -> ReferenceScan:
    if not isinstance(scan, ReferenceScan):
        raise TypeError("a scan is only good for the projector that made it")
    return scan


def _is_uuid(value: str | None) -> bool:
    return value is None or UUID.match(value) is not None


def _in_time(value: int | None) -> bool:
    return value is None or _FIRST_MS <= value <= _LAST_MS
