"""The executors of the projection beside the reference, and what is the same for all of them: everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tidings.errors import Finding, ReasonCode, Reject, Severity
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection import InboxProjector, reference_projector
from tidings.projection.generate_projector import generated_projector

Factory = Callable[[Inbox, Sequence[View], KeyRing, int], InboxProjector]

EXECUTORS: dict[str, Factory] = {
    "python": generated_projector,
}
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
