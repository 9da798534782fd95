"""Avro by splicing: a record is written once with slots left open, and then many times by joining the pieces.

What is between two slots is encoded when the splice is made; what goes into a slot is Avro already, made by another
splice or by a table of pieces. Filling one costs a tenth of writing the record's dictionary. The bytes are fastavro's,
by test. Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producers._writer import compile_writer
from tidings.catalogue.fields import full_name
from tidings.wire import zigzag

NULL, SOME = b"\x00", b"\x02"
"""Which branch of a union of null and one other type follows."""
COUNTS = tuple(map(zigzag, range(4096)))
"""Longs, for the lengths of what the simulator writes."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place left open. Whoever fills it gives the whole value there as Avro, a union's branch included, and the
    values of the fields after it that are `TAKEN`."""

    name: str


class _Taken:
    """Marks a field that the slot before it holds as well."""


TAKEN = _Taken()
"""In the place of a value: the slot before it holds this field too."""


class Splice:
    """A value of one schema with slots. `slots` names them in the order in which `fill` takes their bytes.

    `fill` raises ValueError where it is given more or fewer. Not for two threads at once.
    """

    def __init__(self, schema: Any, value: Any, named: Mapping[str, Any]) -> None:
        """`value` is what fastavro would write, with a `Slot` in any place; a field that it does not name has its
        default. `named` holds the types that the schema names. Raises KeyError for an unknown field or symbol,
        ValueError for a type beyond those of event types."""
        pieces = _Pieces(named)
        pieces.write(schema, value)
        self.parts, self.slots = pieces.interleaved()

    def fill(self, values: Sequence[bytes]) -> bytes:
        """The value with its slots filled."""
        parts = self.parts
        parts[1::2] = values
        return b"".join(parts)


def text(value: str) -> bytes:
    """A string of less than 4096 bytes."""
    encoded = value.encode()
    return COUNTS[len(encoded)] + encoded


def array(items: Sequence[bytes]) -> bytes:
    """An array of items that are Avro already, in one block as fastavro writes it."""
    return b"%b%b\x00" % (COUNTS[len(items)], b"".join(items)) if items else b"\x00"


def named_types(schema: Any, found: dict[str, Any]) -> None:
    """Note every record and enum of a schema by its full name."""
    if isinstance(schema, list):
        for each in schema:
            named_types(each, found)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum"):
            found.setdefault(full_name(schema), schema)
        for inner in ("items", "fields", "type"):
            if isinstance(schema.get(inner), dict | list):
                named_types(schema[inner], found)


class _Pieces:
    """Collects bytes and slots in the order in which they are written."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._found: list[bytes | Slot] = []

    def interleaved(self) -> tuple[list[bytes], tuple[str, ...]]:
        """Bytes at even places, a slot's at each odd one; and the slots' names."""
        parts, names = [b""], []
        for each in self._found:
            if isinstance(each, Slot):
                names.append(each.name)
                parts += [b"", b""]
            else:
                parts[-1] += each
        return parts, tuple(names)

    def write(self, schema: Any, value: Any) -> None:
        """Write one value."""
        if isinstance(schema, str):
            schema = self._named.get(schema, schema)
        if value is TAKEN:
            return
        if isinstance(value, Slot):
            self._found.append(value)
        elif isinstance(schema, list):
            self._found.append(NULL if value is None else SOME)
            if value is not None:
                self.write(schema[1], value)
        elif isinstance(schema, dict) and isinstance(schema["type"], dict | list):
            self.write(schema["type"], value)
        elif isinstance(schema, dict) and schema["type"] == "record":
            self._record(schema["fields"], dict(value))
        elif isinstance(schema, dict) and schema["type"] == "array":
            self._array(schema["items"], value)
        elif isinstance(schema, dict) and schema["type"] == "enum":
            self._found.append(zigzag({symbol: at for at, symbol in enumerate(schema["symbols"])}[value]))
        else:
            out = bytearray()
            compile_writer(schema)(out, value)
            self._found.append(bytes(out))

    def _record(self, fields: Sequence[Mapping[str, Any]], value: dict[str, Any]) -> None:
        for field in fields:
            name = field["name"]
            self.write(field["type"], value.pop(name) if name in value else field["default"])
        if value:
            raise KeyError(f"the schema has no field {min(value)}")

    def _array(self, items: Any, value: Sequence[Any]) -> None:
        if value:
            self._found.append(zigzag(len(value)))
            for each in value:
                self.write(items, each)
        self._found.append(NULL)
