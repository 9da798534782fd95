"""Compiles (schema, agreement) to a view over Avro bytes; pure. What others use:

- `derive_view_schema`, `rule_errors`, `RuleError`: when agreements are planned;
- `InboxProjector`, `Scan`, `Projected`: when events are decided, by `reference_projector`, which defines what is right,
  or by `generated_projector`, which is the same and many times faster;
- `derived_ids` functions in `ids`, `decode_view`: for audits, commands and tests.
"""

from __future__ import annotations

from tidings.projection.contract import InboxProjector, Projected, Scan
from tidings.projection.decode_view import decode_view
from tidings.projection.derive import derive_view_schema, rule_errors
from tidings.projection.generate_projector import generated_projector
from tidings.projection.reference import reference_projector
from tidings.projection.rules import RuleError
from tidings.projection.view_head import ViewHead, view_head

__all__ = [
    "InboxProjector",
    "Projected",
    "RuleError",
    "Scan",
    "ViewHead",
    "decode_view",
    "derive_view_schema",
    "generated_projector",
    "reference_projector",
    "rule_errors",
    "view_head",
]
