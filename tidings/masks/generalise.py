"""The mask `generalise`: the same fact, less exactly. A date to its year, month or decade; a postcode to its area.

Source of the postcode's parts: Royal Mail, "Programmers' Guide", postcode format: area (letters), district, then the
inward code of a digit and two letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tidings.masks.base import AvroType, Mask, MaskContext, field_kinds, kind_of, logical_of

_KNOWN_MAX = 4_096
_DATES = ("year", "month", "decade")
_ISO = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?:[T ].*)?\Z", re.DOTALL)
POSTCODE = re.compile(r"(([A-Z]{1,2})[0-9][0-9A-Z]?) *[0-9][A-Z]{2}\Z")
POSTCODE_PARTS = {"postcode_area": 2, "postcode_district": 1}
"""A whole postcode, and which group of it is which part."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class GeneraliseSettings(BaseModel):
    """`to`: what is left of the value."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    to: Literal["year", "month", "decade", "postcode_area", "postcode_district"]


class Generalise(Mask[GeneraliseSettings]):
    """Takes PartialDate records, whole ISO 8601 dates as text, dates and timestamps (in UTC); and whole postcodes as
    text. What it cannot read becomes null: a text that is no date may be anything."""

    name = "generalise"
    settings_type = GeneraliseSettings

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """A nullable int for year and decade (its first year), else a nullable string."""
        to = self.settings(params).to
        if to not in _DATES:
            if kind_of(input_schema) != "string" or logical_of(input_schema):
                raise self.refuse(input_schema)
            return ["null", "string"]
        if _reader(input_schema) is None:
            raise self.refuse(input_schema)
        return ["null", "string" if to == "month" else "int"]

    def apply(self, value: Any, context: MaskContext) -> Any:
        """The year, `YYYY-MM`, the decade's first year, or the part of the postcode; null where there is none."""
        to = context.settings.to
        if to not in _DATES:
            match = POSTCODE.match(value.strip().upper())
            return match and match.group(POSTCODE_PARTS[to])
        read = _known_reader(context.schema)
        year, month = read(value) if read else (None, None)
        if year is None:
            return None
        if to == "month":
            return None if month is None else f"{year:04d}-{month:02d}"
        return year if to == "year" else year // 10 * 10

    def describe(self, params: Mapping[str, Any]) -> str:
        """See `Mask.describe`."""
        what = {
            "year": "the year",
            "month": "the year and month (YYYY-MM)",
            "decade": "the first year of the decade",
            "postcode_area": "the postcode's area (SW)",
            "postcode_district": "the postcode's district (SW1A)",
        }[self.settings(params).to]
        return f"Generalised: {what} only; null where the publisher's value has none."


def _partial_date(value: Mapping[str, Any]) -> tuple[int | None, int | None]:
    year, month = value["year"], value["month"]
    if year is None or not 1 <= year <= 9999:
        return None, None
    return year, month if month is None or 1 <= month <= 12 else None


def _iso(value: str) -> tuple[int | None, int | None]:
    match = _ISO.match(value)
    return (int(match.group(1)), int(match.group(2))) if match else (None, None)


def _millis(value: int) -> tuple[int | None, int | None]:
    try:
        moment = _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None, None
    return moment.year, moment.month


def _days(value: int) -> tuple[int | None, int | None]:
    return _millis(value * 86_400_000)


_Reader = Callable[[Any], tuple[int | None, int | None]]
_KNOWN: dict[int, tuple[AvroType, _Reader | None]] = {}
"""Readers by the identity of their schema, which is kept so that the identity stays its own: a few a policy."""


def _known_reader(schema: AvroType) -> _Reader | None:
    """`_reader`, asked once for a schema rather than once for a value."""
    known = _KNOWN.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_KNOWN) >= _KNOWN_MAX:
            _KNOWN.clear()
        known = _KNOWN[id(schema)] = (schema, _reader(schema))
    return known[1]


def _reader(schema: AvroType) -> _Reader | None:
    """How to read year and month from a value of this type; None where it holds no date."""
    kind, logical, fields = kind_of(schema), logical_of(schema), field_kinds(schema)
    if fields.get("year") == fields.get("month") == "int":
        return _partial_date
    if kind == "string" and not logical:
        return _iso
    if kind == "long" and logical == "timestamp-millis":
        return _millis
    return _days if kind == "int" and logical == "date" else None
