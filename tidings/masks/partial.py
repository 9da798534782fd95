"""The mask `partial`: the first or last characters of a text, stars for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tidings.masks.base import AvroType, Mask, MaskContext, kind_of

STAR = "*"


class PartialSettings(BaseModel):
    """How many characters stay visible at either end; at least one in all."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    first: int = Field(default=0, ge=0, le=16)
    last: int = Field(default=0, ge=0, le=16)

    @model_validator(mode="after")
    def _something_is_shown(self) -> PartialSettings:
        if self.first + self.last == 0:
            raise ValueError("first and last are both 0: use redact")
        return self


class Partial(Mask[PartialSettings]):
    """A text of which at least half stays hidden: one shorter than twice what would be shown is stars throughout."""

    name = "partial"
    settings_type = PartialSettings

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """A string, from a string."""
        self.settings(params)
        if kind_of(input_schema) != "string":
            raise self.refuse(input_schema)
        return "string"

    def apply(self, value: Any, context: MaskContext) -> Any:
        """The text with stars, as long as it was."""
        first, last = context.settings.first, context.settings.last
        hidden = len(value) - first - last
        if hidden < first + last:
            return STAR * len(value)
        return value[:first] + STAR * hidden + value[len(value) - last :]

    def describe(self, params: Mapping[str, Any]) -> str:
        """See `Mask.describe`."""
        settings = self.settings(params)
        ends = [f"the {end} {count}" for end, count in (("first", settings.first), ("last", settings.last)) if count]
        return (
            f"In part: {' and '.join(ends)} characters, {STAR} for each other;"
            " a text of which that would be more than half is stars throughout."
        )
