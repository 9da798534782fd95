"""The executors of the projection beside the reference, and what is the same for all of them: everything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from tidings.errors import Finding, ReasonCode, Reject, Severity
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection import InboxProjector, Projected, reference_projector
from tidings.projection.generate_projector import generated_projector
from tidings.projection.native import native_inbox, native_version
from tidings.projection.program import inbox_program

Factory = Callable[[Inbox, Sequence[View], KeyRing, int], InboxProjector]


class ByNative:
    """The native executor behind the face of a projector: what it does not decide is the reference's."""

    def __init__(self, inbox: Inbox, views: Sequence[View], keys: KeyRing, policy_version: int) -> None:
        self._reference = reference_projector(inbox, views, keys, policy_version)
        mine = [view for view in views if view.inbox == inbox.topic]
        program = inbox_program(inbox, mine, "SYNTHETIC", policy_version)
        self._current = {reader.schema_id for reader in program.readers if reader.same}
        made = native_inbox(program, keys)
        self._engine = None if isinstance(made, str) else made
        self._numbers = {view.feed: at for at, view in enumerate(mine)}
        self._bodies: dict[int, tuple[Any, bytes]] = {}
        self.decided = self.resolved = 0

    def scan(self, schema_id: int, body: bytes) -> Any:
        """The reference's scan, where the extension refuses nothing; a refusal is the extension's own. An event of
        another version goes on as what the extension makes of it."""
        own: bytes | None = body
        if self._engine is not None and schema_id not in self._current:
            own = self._engine.resolve(schema_id, body)
            self.resolved += own is not None
            own = None if own is None or self._engine.refusal(own) is not None else own
        elif self._engine is not None and (refused := self._engine.refusal(body)) is not None:
            raise Reject([Finding(ReasonCode(code), path) for code, path in refused])
        scan = self._reference.scan(schema_id, body)
        self._bodies = {} if self._engine is None or own is None else {id(scan): (scan, own)}
        return scan

    def findings(self, scan: Any, now_ms: int) -> tuple[Finding, ...]:
        """The reference's; what the extension proves to pass has none."""
        found = self._reference.findings(scan, now_ms)
        if id(scan) in self._bodies and self._engine.proves(self._bodies[id(scan)][1], now_ms):
            assert found == ()
        return found

    def decide(self, scan: Any, view: View, flags: Sequence[Finding]) -> Projected:
        """The extension's where it decides: an event without flags, of the current version."""
        made = None
        if id(scan) in self._bodies and not flags:
            made = self._engine.project(self._bodies[id(scan)][1], self._numbers[view.feed])
        if made is None:
            return self._reference.decide(scan, view, flags)
        self.decided += 1
        return Projected(("delivered", "withdrawn", "filtered")[made[0]], made[1], made[2])


EXECUTORS: dict[str, Factory] = {
    "python": generated_projector,
} | ({"native": ByNative} if native_version() or "TIDINGS_REQUIRE_NATIVE" in os.environ else {})
"""Add an executor here, and it is held to the reference by every test of this folder that takes `factory`."""

_SEEN = (
    "event_id",
    "change",
    "record_version",
    "received_at_ms",
    "subject",
    "protection",
    "environment",
    "source_agency",
)


class Pair:
    """An executor and the reference for one inbox under one policy."""

    def __init__(
        self, factory: Factory, inbox: Inbox, views: Sequence[View], keys: KeyRing, policy_version: int = 3
    ) -> None:
        self.views = [view for view in views if view.inbox == inbox.topic]
        self.made = factory(inbox, views, keys, policy_version)
        self.reference = reference_projector(inbox, views, keys, policy_version)

    def outcome(self, schema_id: int, body: bytes, now_ms: int, flags: Sequence[Finding] = ()) -> str:
        """`refused` or `projected`, the same of both in every respect. Raises AssertionError."""
        made, right = _scanned(self.made, schema_id, body), _scanned(self.reference, schema_id, body)
        if isinstance(right, Reject) or isinstance(made, Reject):
            assert isinstance(right, Reject) == isinstance(made, Reject)
            assert made.findings == right.findings
            assert made.__cause__ is None
            return "refused"
        assert [getattr(made, name) for name in _SEEN] == [getattr(right, name) for name in _SEEN]
        findings = self.made.findings(made, now_ms)
        assert findings == self.reference.findings(right, now_ms)
        shown = [*flags, *(finding for finding in findings if finding.severity is Severity.FLAG)]
        for given in ((), shown):
            for view in self.views:
                projected = self.made.decide(made, view, given)
                assert projected == self.reference.decide(right, view, given)
                assert type(projected.tail) is type(projected.key) is bytes
        return "projected"


def _scanned(projector: InboxProjector, schema_id: int, body: bytes) -> Any:
    try:
        return projector.scan(schema_id, body)
    except Reject as refusal:
        return refusal


SOME_FLAGS = (
    Finding(ReasonCode.CODE_UNKNOWN, "note", Severity.FLAG),
    Finding(ReasonCode.DATE_ORDER, "", Severity.FLAG),
    Finding(ReasonCode.DATE_ORDER, "person.born", Severity.FLAG),
    Finding(ReasonCode.DATE_ORDER, "note", Severity.REJECT),
)
