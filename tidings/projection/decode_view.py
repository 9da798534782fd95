"""Reads one record of a feed, for tests and commands."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro

from tidings.errors import Finding, ReasonCode, Reject
from tidings.policy.model import JsonObject
from tidings.projection.structure import Malformed, structure_of
from tidings.projection.types import read_types
from tidings.wire import HEADER_BYTES, schema_id_of


def decode_view(view_schema: JsonObject, value: bytes) -> dict[str, Any]:
    """A feed's record (wire header and all) as a dict, logical types left as numbers and texts. Raises Reject."""
    schema_id_of(value)
    table = read_types(view_schema)
    plain = table.standalone(table.root, logical=False)
    body = value[HEADER_BYTES:]
    try:
        structure_of(plain)(body)
    except Malformed:
        raise Reject([Finding(ReasonCode.UNDECODABLE)]) from None
    found: Any = fastavro.schemaless_reader(BytesIO(body), fastavro.parse_schema(plain), None)
    return dict(found)
