"""What an approval is about (the compiled agreement's hash) and who has approved. Both sides must, or nothing flows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tidings.agreements.compiled import compiled_terms
from tidings.agreements.model import Agreement
from tidings.catalogue import Catalogue
from tidings.policy.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Who has approved this very content; whose approval is missing; whose is of other content (`stale`)."""

    approved_by: tuple[str, ...]
    pending: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def approved(self) -> bool:
        """Whether both sides have."""
        return not self.pending


def agreement_hash(agreement: Agreement, catalogue: Catalogue) -> str:
    """The SHA-256 of all clauses but the approvals, and of what they compile to: each event type's filter (with the
    catalogue's default lines) and feed schema. The words of documentation are not in it: to mend a typing error in a
    field's doc discloses nothing, and must not void an approval."""
    views = {
        name: {"where": [line.model_dump(mode="json") for line in terms.where], "schema": _bare(terms.view_schema)}
        for name, terms in compiled_terms(agreement, catalogue).items()
    }
    return hashlib.sha256(canonical_json({"clauses": agreement.clauses(), "views": views})).hexdigest()


def approval_state(agreement: Agreement, content_hash: str) -> ApprovalState:
    """Who has approved the content that `content_hash` names."""
    sides = (agreement.provider, agreement.subscriber)
    by = {part.agency for part in agreement.approvals if part.hash == content_hash}
    other = {part.agency for part in agreement.approvals if part.hash != content_hash}
    return ApprovalState(
        approved_by=tuple(side for side in sides if side in by),
        pending=tuple(side for side in sides if side not in by),
        stale=tuple(side for side in sides if side in other and side not in by),
    )


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key != "doc"}
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema
