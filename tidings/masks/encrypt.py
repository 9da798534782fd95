"""The mask `encrypt`: the whole value, for the holder of the agreement's key alone.

AES-SIV with a 512-bit key for each agreement (or linkage group) and key version. The plaintext is the value's Avro
body; the associated data are its path and the event id as the feed delivers it, so that equal values do not show
equal, and a value moved to another field or event does not decrypt. At rest: one byte 1 (the format), two bytes key
version (big-endian), then the 16 bytes SIV and the ciphertext. What still shows is the value's length.
Source: RFC 5297 (SIV).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

import fastavro
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tidings.keys import KeyRing
from tidings.masks.base import AvroType, Mask, MaskContext, NoSettings, kind_of

FORMAT = 1
KEY_BYTES = 64
_PREFIX = struct.Struct(">BH")


class Encrypt(Mask[NoSettings]):
    """Takes every type but null; elements of an array one by one, each under its own place in it."""

    name = "encrypt"

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """Bytes."""
        self.settings(params)
        if kind_of(input_schema) in ("null", "union"):
            raise self.refuse(input_schema)
        return "bytes"

    def apply(self, value: Any, context: MaskContext) -> Any:
        """Format, key version, SIV and ciphertext."""
        out = BytesIO()
        fastavro.schemaless_writer(out, context.plain, value)
        data = _associated(context.path, context.event_id)
        sealed = _siv(encryption_key(context.keys, context.group)).encrypt(out.getvalue(), data)
        return _PREFIX.pack(FORMAT, context.keys.version) + sealed

    def describe(self, params: Mapping[str, Any]) -> str:  # noqa: ARG002 - the contract of all masks
        """See `Mask.describe`."""
        return "Encrypted: only who holds this agreement's key can read it; its length shows."


class Undecryptable(ValueError):
    """The bytes are not what this key sealed for this path and event."""


def encryption_key(keys: KeyRing, group: str) -> bytes:
    """The 64 bytes that the subscriber is handed, for one group and the ring's key version."""
    return keys.derive("group", group, "encrypt", length=KEY_BYTES)


def key_version(value: bytes) -> int:
    """Which key version opens `value`. Raises Undecryptable where it is not of this format."""
    if len(value) <= _PREFIX.size or value[0] != FORMAT:
        raise Undecryptable("not a value of format 1")
    return int(_PREFIX.unpack_from(value)[1])


def decrypt(key: bytes, value: bytes, path: str, event_id: str, encrypted_type: AvroType) -> Any:
    """The clear value, for the subscriber.

    `path` is the event's path with array positions (`related[1].names[0].family`), `event_id` and `encrypted_type` (the
    field's property) are as the view gives them. Raises Undecryptable; it holds nothing of the value.
    """
    key_version(value)
    try:
        body = _siv(key).decrypt(value[_PREFIX.size :], _associated(path, event_id))
    except (InvalidTag, ValueError):
        raise Undecryptable("sealed under another key, path or event") from None
    return fastavro.schemaless_reader(BytesIO(body), _plain(encrypted_type), None)


@lru_cache(maxsize=64)
def _siv(key: bytes) -> AESSIV:
    return AESSIV(key)


def _associated(path: str, event_id: str) -> list[bytes | bytearray | memoryview]:
    return [path.encode(), event_id.encode()]


def _plain(schema: AvroType) -> AvroType:
    if isinstance(schema, list):
        return [_plain(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key != "logicalType"}
    for inner in ("items", "values", "type"):
        if isinstance(made.get(inner), (dict, list)):
            made[inner] = _plain(made[inner])
    if "fields" in made:
        made["fields"] = [{**item, "type": _plain(item["type"])} for item in made["fields"]]
    return made
