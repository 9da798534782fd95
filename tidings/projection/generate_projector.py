"""The projector whose scan and views are generated Python: one module of source for each inbox and policy.

It does on bytes what is common, and leaves the rest to the reference, one event or one view at a time: events of other
versions that it cannot resolve, bytes in an uncommon form, checks that are not surely passed, protected people whose
view has locations. So it equals the reference by construction wherever it does not know better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tidings.errors import Finding, ReasonCode, Reject
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection.contract import InboxProjector, Projected, Scan
from tidings.projection.generate_source import Generated, generate
from tidings.projection.generated_scan import GeneratedScan, refusals
from tidings.projection.program import inbox_program
from tidings.projection.reference import reference_projector
from tidings.projection.run_moves import mover_of
from tidings.projection.structure import Malformed

UNSOUND = (Malformed, IndexError, UnicodeDecodeError)
"""What a generated scan raises for bytes that are no event."""


def generated_projector(
    inbox: Inbox, views: Sequence[View], keys: KeyRing, policy_version: int, *, environment: str = ""
) -> InboxProjector:
    """The projector of one inbox under one policy, for those of `views` that belong to it; the reference where the
    event type's schema is none that is generated for.

    Raises RuleError where a view, Fatal where a check cannot be compiled: such a policy is not to be run.
    """
    reference = reference_projector(inbox, views, keys, policy_version)
    program = inbox_program(inbox, views, environment, policy_version)
    made = generate(program, inbox, [view for view in views if view.inbox == inbox.topic], keys)
    if made is None:
        return reference
    movers = {reader.schema_id: mover for reader in program.readers if (mover := mover_of(reader)) is not None}
    return GeneratedProjector(reference, made, movers)


class GeneratedProjector:
    """See `generated_projector`. `made` is its code, for whoever works on many events at once; `movers` make events of
    other versions, by schema id, ones of the current version."""

    def __init__(
        self, reference: InboxProjector, made: Generated, movers: Mapping[int, Callable[[bytes], bytes | None]]
    ) -> None:
        self._reference, self._head, self.movers = reference, made.head, movers
        self.made = made
        self._scan, self._proves = made.scan, made.proves
        self._same, self._views = made.same, made.views
        self._nothing = [None] * made.shared

    def scan(self, schema_id: int, body: bytes) -> Scan:
        """See `InboxProjector.scan`."""
        if schema_id not in self._same:
            return self._scan_other(schema_id, body)
        try:
            places, odd, again = self._scan(body)
        except UNSOUND:
            raise Reject([Finding(ReasonCode.UNDECODABLE)]) from None
        if again and (wrong := refusals(body, places, self._head)):
            raise Reject(wrong)
        return GeneratedScan(body, places, self._nothing[:], self._head, schema_id, not odd)

    def _scan_other(self, schema_id: int, body: bytes) -> Scan:
        """An event of another version, as one of the current; the reference's scan where it does not become one."""
        mover = self.movers.get(schema_id)
        moved = None if mover is None else mover(body)
        if moved is not None:
            try:
                places, odd, again = self._scan(moved)
            except UNSOUND:
                return self._reference.scan(schema_id, body)
            if not again or not refusals(moved, places, self._head):
                scan = GeneratedScan(moved, places, self._nothing[:], self._head, schema_id, not odd)
                scan.given = body
                return scan
        return self._reference.scan(schema_id, body)

    def findings(self, scan: Scan, now_ms: int) -> tuple[Finding, ...]:
        """See `InboxProjector.findings`."""
        if isinstance(scan, GeneratedScan) and self._proves(scan.body, scan.places, now_ms):
            return ()
        return self._reference.findings(self._known(scan), now_ms)

    def decide(self, scan: Scan, view: View, flags: Sequence[Finding]) -> Projected:
        """See `InboxProjector.decide`."""
        made = self._views[view.feed]
        if made is not None and isinstance(scan, GeneratedScan) and scan.common:
            (projected,) = made([(scan.body, scan.places, scan.made)], flags)
            if projected is not None:
                return projected
        return self._reference.decide(self._known(scan), view, flags)

    def _known(self, scan: Scan) -> Scan:
        """The reference's own scan of the same event, made once."""
        if not isinstance(scan, GeneratedScan):
            return scan
        if scan.decoded is None:
            scan.decoded = self._reference.scan(scan.schema_id, scan.given)
        return scan.decoded
