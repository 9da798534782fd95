"""What the correction window reads and writes of a view: its head, up to `record_id`. The rest is copied as it is.

The head is the same in every feed (`tidings.projection.heads`); an agreement that holds views back tells `change` and
`record_id` whole. Source of the bytes: Avro 1.12 specification, "Binary Encoding": a record is its fields in a row, so
that the head is itself a record.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import fastavro

from tidings.errors import Fatal
from tidings.policy.model import JsonObject
from tidings.projection.types import read_types
from tidings.wire import HEADER_BYTES, schema_id_of

_LAST = "record_id"
CORRECTED = "CORRECTED"


@dataclass(frozen=True, slots=True)
class HeldHead:
    """The head of a view that waits. `change` is None in a withdrawal; `record_id` is the feed's own."""

    sequence: int
    kind: str
    change: str | None
    record_id: str | None = field(repr=False)


class HeldViews:
    """Reads and numbers the views of one feed."""

    def __init__(self, view_schema: JsonObject) -> None:
        """Raises Fatal where the schema has no view's head: no such view was ever written."""
        table = read_types(view_schema)
        whole = table.standalone(table.root, logical=False)
        names = [each["name"] for each in whole["fields"]]
        if names[:1] != ["sequence"] or _LAST not in names:
            raise Fatal("a feed's schema has not the head of a view")
        self._head: Any = fastavro.parse_schema({**whole, "fields": whole["fields"][: names.index(_LAST) + 1]})

    def head(self, value: bytes | None) -> HeldHead:
        """The head of a held value, wire header and all. Raises Fatal where it is none: only the exchange writes
        there."""
        read, _ = self._read(value)
        return HeldHead(read["sequence"], read["kind"], read["change"], read[_LAST])

    def numbered(self, value: bytes, sequence: int, *, corrected: bool = False) -> bytes:
        """The value as it goes to the feed, with its sequence there; with `corrected`, as a correction."""
        read, end = self._read(value)
        read["sequence"] = sequence
        if corrected:
            read["change"] = CORRECTED
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._head, read)
        return value[:HEADER_BYTES] + out.getvalue() + value[end:]

    def _read(self, value: bytes | None) -> tuple[dict[str, Any], int]:
        try:
            schema_id_of(value or b"")
            stream = io.BytesIO(value or b"")
            stream.seek(HEADER_BYTES)
            read: Any = fastavro.schemaless_reader(stream, self._head, None)
        except Exception:  # noqa: BLE001 -- whatever is wrong with the bytes, the answer is the same
            raise Fatal("a view that waits cannot be read") from None
        return dict(read), stream.tell()
