"""The mask `redact`: says that there is a value, and nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.masks.base import AvroType, Mask, MaskContext, NoSettings

REDACTED = "REDACTED"


class Redact(Mask[NoSettings]):
    """Present becomes one constant, absent stays null. An array is one value: how many it holds is not shown, and an
    empty one is absent, as is a record without fields."""

    name = "redact"
    whole = True

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:  # noqa: ARG002 - takes all
        """A nullable string, whatever the input is."""
        self.settings(params)
        return ["null", "string"]

    def apply(self, value: Any, context: MaskContext) -> Any:  # noqa: ARG002 - the contract of all masks
        """The constant, or null for an empty array or map, or a record without fields."""
        return None if isinstance(value, (list, dict)) and not value else REDACTED

    def describe(self, params: Mapping[str, Any]) -> str:  # noqa: ARG002 - the contract of all masks
        """See `Mask.describe`."""
        return f"Redacted: {REDACTED} where the publisher gave a value, null where it gave none."
