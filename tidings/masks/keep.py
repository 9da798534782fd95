"""The mask `keep`: the value as it is. It has to be written: nothing is kept by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.masks.base import AvroType, Mask, MaskContext, NoSettings


class Keep(Mask[NoSettings]):
    """Passes the value on; a nested record keeps everything below it."""

    name = "keep"
    whole = True

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """The input's own type."""
        self.settings(params)
        return input_schema

    def apply(self, value: Any, context: MaskContext) -> Any:  # noqa: ARG002 - the contract of all masks
        """The value."""
        return value

    def describe(self, params: Mapping[str, Any]) -> str:  # noqa: ARG002 - the contract of all masks
        """See `Mask.describe`."""
        return "Given in full."
