"""What a mask makes of one value, from its bytes to the view's bytes: a function for each place of a view.

The common types and masks go by bytes; any other value is decoded and given to the mask itself, so that there is one
meaning of every mask that there is or will be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tidings.keys import KeyRing
from tidings.masks import MaskContext
from tidings.masks.encrypt import FORMAT, encryption_key
from tidings.masks.generalise import POSTCODE, POSTCODE_PARTS
from tidings.masks.partial import STAR
from tidings.partial_dates import DAY_MS
from tidings.projection.generate_notes import Types
from tidings.projection.generate_runtime import (
    ENCODED_UUID_BYTES,
    UUID_AT,
    base32,
    keyed,
    long_at,
    message,
    permuted,
    raw_uuid,
    text_at,
    uuid_text,
)
from tidings.projection.generate_types import is_partial_date
from tidings.projection.plan import Step
from tidings.projection.program import Op
from tidings.projection.structure import read_long
from tidings.projection.types import read_types
from tidings.projection.write_avro import writer_of
from tidings.wire import sized, zigzag

Leaf = Callable[[bytes, int, int, bytes, bytes], bytes]
"""From the body, where a value begins and ends, its path and the event id as this feed delivers it, to what the view
has, with the index byte of its union where the mask's output may be null."""

_REMEMBERED = 16_384
_STARS = STAR.encode()


def leaf(op: Op, types: Types, row: int, step: Step, keys: KeyRing, group: str) -> Leaf:
    """The function for the mask of `op` on elements of type `row`. `step` is the plan's."""
    kind = types[row]
    if op.how == "encrypt":
        return _encrypt(keys, group)
    if op.how == "pseudonym" and kind.kind == "string":
        return _pseudonym(keys, group, str(step.settings.scheme or op.scheme), uuid=kind.logical == "uuid")
    if op.how == "pseudonym" and _is_subject(types, row):
        return _pseudonym_of_record(keys, group)
    if op.how == "partial" and kind.kind == "string":
        return _partial(step.settings.first, step.settings.last)
    if op.how == "generalise":
        return _generalise(types, row, step, keys, group)
    return _by_the_mask(step, keys, group)


def runs_on_bytes(op: Op, types: Types, row: int) -> bool:
    """Whether `leaf` reads the value without decoding it, most times."""
    kind = types[row].kind
    if op.how in ("encrypt", "keep", "redact") or (op.how in ("pseudonym", "partial") and kind == "string"):
        return True
    return (op.how == "pseudonym" and _is_subject(types, row)) or (
        op.how == "generalise" and is_partial_date(types, row)
    )


def _is_subject(types: Types, row: int) -> bool:
    kind = types[row]
    return (
        kind.kind == "record"
        and kind.names[:2] == ("scheme", "value")
        and all(types[of].kind == "string" for of in kind.of[:2])
    )


def tag(keys: KeyRing) -> bytes:
    """What stands before the 32 characters of a pseudonym."""
    return f"v{keys.version}.".encode()


def _pseudonym(keys: KeyRing, group: str, scheme: str, *, uuid: bool) -> Leaf:
    hash_of, name, before = keyed(keys, group, "pseudonym"), scheme.encode(), _before_pseudonym(keys)
    permute = permuted(keys, group, "uuid") if uuid else None

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        del path, event_id
        if permute is not None and end - start == ENCODED_UUID_BYTES + 1 and UUID_AT(body, start + 1):
            return b"H" + uuid_text(permute(raw_uuid(body, start + 1)))
        made = hash_of()
        made.update(message(name, text_at(body, start)))
        return before + base32(made.digest())

    return make


def _pseudonym_of_record(keys: KeyRing, group: str) -> Leaf:
    hash_of, before = keyed(keys, group, "pseudonym"), _before_pseudonym(keys)

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        del end, path, event_id
        scheme = text_at(body, start)
        after = start + len(scheme) + (1 if len(scheme) < 64 else len(zigzag(len(scheme))))
        made = hash_of()
        made.update(message(scheme, text_at(body, after)))
        return before + base32(made.digest())

    return make


def _before_pseudonym(keys: KeyRing) -> bytes:
    return sized(tag(keys) + bytes(32))[:-32]


def _partial(first: int, last: int) -> Leaf:
    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        del end, path, event_id
        raw = text_at(body, start)
        # Of ASCII a byte is a character; of other texts the characters count.
        value = raw if raw.isascii() else raw.decode()
        hidden = len(value) - first - last
        if hidden < first + last:
            return sized(_STARS * len(value))
        if value is raw:
            return sized(raw[:first] + _STARS * hidden + raw[len(raw) - last :])
        text = raw.decode()
        return sized((text[:first] + STAR * hidden + text[len(text) - last :]).encode())

    return make


def _encrypt(keys: KeyRing, group: str) -> Leaf:
    seal = AESSIV(encryption_key(keys, group)).encrypt
    prefix = bytes([FORMAT]) + keys.version.to_bytes(2, "big")

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        return sized(prefix + seal(body[start:end], [path, event_id]))

    return make


def _by_the_mask(step: Step, keys: KeyRing, group: str) -> Leaf:
    """Decodes the value, asks the mask, encodes what it made."""
    mask = step.mask
    if mask is None:
        raise ValueError("a plan with errors was run")
    types = read_types(step.element)
    plain = fastavro.parse_schema(types.standalone(types.root, logical=False))
    made = read_types(mask.output_type(step.element, step.params))
    write = writer_of(made.standalone(made.root, logical=False))

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        value: Any = fastavro.schemaless_reader(BytesIO(body[start:end]), plain, None)
        context = MaskContext(
            keys, group, path.decode(), event_id.decode(), step.element, plain, step.settings, step.scheme
        )
        return write(mask.apply(value, context))

    return make


def _generalise(types: Types, row: int, step: Step, keys: KeyRing, group: str) -> Leaf:
    """The mask `generalise`, which looks at nothing but the value: texts and numbers go to it undressed."""
    kind, to = types[row].kind, step.settings.to
    slow = _by_the_mask(step, keys, group)
    if is_partial_date(types, row):
        return _remembering(slow)
    if kind == "string" and to in POSTCODE_PARTS:
        return _postcode(POSTCODE_PARTS[to], slow)
    if kind not in ("string", "int", "long") or step.mask is None:
        return slow
    apply = step.mask.apply
    context = MaskContext(keys, group, "", "", step.element, None, step.settings, step.scheme)

    def made_of(value: str | int) -> bytes:
        made = apply(value, context)
        if made is None:
            return b"\0"
        return b"\2" + (sized(made.encode()) if to == "month" else zigzag(made))

    if types[row].logical == "timestamp-millis":
        return _of_its_day(made_of)
    read: Callable[[bytes, int], Any] = _text if kind == "string" else long_at

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        del end, path, event_id
        return made_of(read(body, start))

    return make


def _of_its_day(made_of: Callable[[int], bytes]) -> Leaf:
    """For what depends on a moment's day alone."""
    known: dict[int, bytes] = {}

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        del end, path, event_id
        day = long_at(body, start) // DAY_MS
        found = known.get(day)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[day] = made_of(day * DAY_MS)
        return found

    return make


def _text(body: bytes, at: int) -> str:
    return text_at(body, at).decode()


def _postcode(group: int, slow: Leaf) -> Leaf:
    """A part of a postcode that is written as it should be."""
    match = re.compile(POSTCODE.pattern.encode()).match

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        found = match(body, start + 1, end) if body[start] < 0x80 else None
        return slow(body, start, end, path, event_id) if found is None else b"\2" + sized(found[group])

    return make


def _remembering(slow: Leaf) -> Leaf:
    """For what depends on the year and month of a partial date alone, where they are in the first four bytes."""
    known: dict[bytes, bytes] = {}

    def make(body: bytes, start: int, end: int, path: bytes, event_id: bytes) -> bytes:
        key = body[start : start + 4]
        found = known.get(key)
        if found is None:
            found = slow(body, start, end, path, event_id)
            after = read_long(body, start)[1]
            if (body[after + 1] if body[after] else 0) < 0x80 and after + 2 <= start + 4:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[key] = found
        return found

    return make
