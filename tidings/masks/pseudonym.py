"""The mask `pseudonym`: the same identifier is always the same text to one subscriber, and another to the next.

Text is `v<key version>.<base32>`: 20 bytes of keyed BLAKE2b over scheme and normalised value (`normalise`), in
lower-case base32 (32 characters, no padding). A uuid is one block of AES-128 instead: a keyed permutation, written as
a uuid, which the holder of the keys can undo for an audit. Sources: RFC 7693 (BLAKE2, keyed mode), RFC 4648 section
6, FIPS 197.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import BaseModel, ConfigDict

from tidings.keys import KeyRing
from tidings.masks.base import AvroType, Mask, MaskContext, field_kinds, kind_of, logical_of
from tidings.masks.normalise import normalise

DIGEST_BYTES = 20
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
"""A uuid as RFC 9562 writes it: lower case, with hyphens."""

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


class PseudonymSettings(BaseModel):
    """`scheme`: how to read a plain text (`nhs_number`…); a record with its own scheme needs none."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scheme: str = ""


class Pseudonym(Mask[PseudonymSettings]):
    """Takes strings, uuids and records with the text fields `scheme` and `value`, of which nothing else is shown."""

    name = "pseudonym"
    settings_type = PseudonymSettings

    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """A string."""
        self.settings(params)
        fields = field_kinds(input_schema)
        if kind_of(input_schema) == "string" or (fields.get("scheme") == fields.get("value") == "string"):
            return "string"
        raise self.refuse(input_schema)

    def apply(self, value: Any, context: MaskContext) -> Any:
        """The pseudonym; a uuid field whose text is no uuid takes the text form; a record without a value gives an
        empty value's."""
        keys, group = context.keys, context.group
        if isinstance(value, Mapping):
            return pseudonym(keys, group, str(value["scheme"] or ""), str(value["value"] or ""))
        if logical_of(context.schema) == "uuid" and UUID.match(value):
            return pseudonym_uuid(keys, group, value)
        return pseudonym(keys, group, context.settings.scheme or context.scheme, value)

    def describe(self, params: Mapping[str, Any]) -> str:  # noqa: ARG002 - the contract of all masks
        """See `Mask.describe`."""
        return (
            "Pseudonym: the same identifier has the same text in all feeds of this agreement (or of its linkage group),"
            " and another in every other; it cannot be turned back without the exchange's key."
        )


def pseudonym(keys: KeyRing, group: str, scheme: str, value: str, purpose: str = "pseudonym") -> str:
    """The text pseudonym of `value` under `scheme` for `group`; another `purpose` has another key."""
    name = scheme.encode()
    message = len(name).to_bytes(4, "big") + name + normalise(scheme, value).encode()
    return tagged(
        keys, hashlib.blake2b(message, digest_size=DIGEST_BYTES, key=keys.derive("group", group, purpose)).digest()
    )


def tagged(keys: KeyRing, digest: bytes) -> str:
    """`v<key version>.<lower-case base32, no padding>`."""
    return f"v{keys.version}.{_base32(digest)}"


def _base32(digest: bytes) -> str:
    """Lower-case base32 without padding; whole groups of 5 bytes go by a table, two characters at a time."""
    if len(digest) % 5:
        return base64.b32encode(digest).decode().rstrip("=").lower()
    number = int.from_bytes(digest, "big")
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(len(digest) * 8 - 10, -1, -10)])


def pseudonym_uuid(keys: KeyRing, group: str, value: str, purpose: str = "uuid") -> str:
    """The uuid that stands for the uuid `value` (lower case, with hyphens) in `group`."""
    encryptor = _cipher(keys.derive("group", group, purpose, length=16)).encryptor()
    return _uuid_text(encryptor.update(bytes.fromhex(value.replace("-", ""))))


def unpseudonym_uuid(keys: KeyRing, group: str, value: str, purpose: str = "uuid") -> str:
    """What `pseudonym_uuid` was given, for an audit by the holder of the keys."""
    decryptor = _cipher(keys.derive("group", group, purpose, length=16)).decryptor()
    return _uuid_text(decryptor.update(bytes.fromhex(value.replace("-", ""))))


@lru_cache(maxsize=256)
def _cipher(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - one block exactly: a permutation, not a mode


def _uuid_text(block: bytes) -> str:
    text = block.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
