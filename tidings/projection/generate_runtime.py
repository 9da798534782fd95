"""What generated code calls: the uncommon halves of reading, and the arithmetic of pseudonyms, several times faster
than the reference's and equal to it.

Reading functions raise Malformed, IndexError or UnicodeDecodeError where bytes are no record; generated code makes one
refusal of all three.
"""

from __future__ import annotations

import hashlib
import re
import struct
from array import array
from binascii import hexlify, unhexlify
from collections.abc import Callable, Iterable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tidings.errors import Finding
from tidings.keys import KeyRing
from tidings.masks.normalise import normalise
from tidings.masks.pseudonym import DIGEST_BYTES
from tidings.projection.derive import flags_shown
from tidings.projection.structure import Malformed, read_long
from tidings.wire import zigzag

UUID_AT = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").match
"""Whether a lower-case uuid stands at a position; the caller has seen that the text ends after it."""
ENCODED_UUID_BYTES = 36

UUID_GROUPS = struct.Struct("8s4s4s4s12s").unpack
"""The five groups of a uuid in hexadecimal digits."""
STEP = tuple(0 if length & 129 else 1 + (length >> 1) for length in range(256))
"""How far a text goes by the first byte of its length; 0 where that is not all of its length, or a negative one."""
HIGH = bytes(1 if byte > 127 else 0 if byte else 2 for byte in range(256))
SIX_BYTES = b"\1\1\1\1\1\0"
"""What a number of six bytes is translated to by `HIGH`: five that go on and one, not zero, that does not."""
UUID_FORM = bytes(
    ord("0") if chr(byte) in "0123456789abcdef" else byte if chr(byte) in "-H" else ord("!") for byte in range(256)
)
FORMED_UUID = b"H00000000-0000-0000-0000-000000000000"
"""What a lower-case uuid, with the byte of its length before it, is translated to by `UUID_FORM`."""
_WORDS = struct.Struct("<HHH").unpack_from
_FOURTEEN = array("H", ((word & 0x7F) | (word >> 1 & 0x3F80) for word in range(1 << 16)))
_NHS = b"nhs_number"
_NHS_PREFIX = len(_NHS).to_bytes(4, "big") + _NHS


def text(body: bytes, at: int, unread: int) -> int:
    """Where the text at `at`, whose length is no one-byte number, ends. `unread` is where bytes begin of which nobody
    has yet seen that they are UTF-8; none are left of them before the end."""
    body[unread:at].decode()
    length, start = read_long(body, at)
    end = start + length
    if not start <= end <= len(body):
        raise Malformed("a length is out of range")
    body[start:end].decode()
    return end


def number(body: bytes, at: int, bits: int) -> int:
    """Where the number at `at` ends."""
    return read_long(body, at, bits)[1]


def block(body: bytes, at: int, odd: list[int]) -> tuple[int, int, int]:
    """How many items the block at `at` says that it has, where the first begins, and where the last must end (0 where
    it does not say). A block with its size in bytes is written into `odd`."""
    count, at = read_long(body, at)
    if count >= 0:
        return count, at, 0
    size, at = read_long(body, at)
    odd.append(at)
    if not 0 <= size <= len(body) - at:
        raise Malformed("a block has not the size that it says")
    return -count, at, at + size


def opaque(body: bytes, at: int) -> int:
    """Where the bytes at `at` end."""
    length, at = read_long(body, at)
    if not 0 <= length <= len(body) - at:
        raise Malformed("a length is out of range")
    return at + length


def symbol(body: bytes, at: int, symbols: int) -> int:
    """Where the index at `at` of an enum of many symbols ends."""
    index, at = read_long(body, at, 32)
    if not 0 <= index < symbols:
        raise Malformed("an index is out of range")
    return at


def spend(budget: list[int]) -> None:
    """One more item without bytes; there may be so many."""
    budget[0] -= 1
    if budget[0] < 0:
        raise Malformed("too many items without bytes")


def text_at(body: bytes, at: int) -> bytes:
    """The text (or the bytes) at `at` of sound bytes."""
    length = body[at]
    if length < 0x80:
        return body[at + 1 : at + 1 + (length >> 1)]
    length, at = read_long(body, at)
    return body[at : at + length]


def long_at(body: bytes, at: int) -> int:
    """The number at `at` of sound bytes; fastest for the times of our age, which take six."""
    if len(body) - at >= 6:
        low, middle, high = _WORDS(body, at)
        if low & middle & 0x8080 != 0x8080 or high & 0x8080 != 0x80:
            return read_long(body, at)[0]
        raw: int = _FOURTEEN[low] | _FOURTEEN[middle] << 14 | _FOURTEEN[high] << 28
        return raw >> 1 if not raw & 1 else ~(raw >> 1)
    return read_long(body, at)[0]


def message(scheme: bytes, value: bytes) -> bytes:
    """What a pseudonym is made of; see `masks.pseudonym`. Digits of an NHS number are as they will be."""
    if scheme == _NHS and value.isdigit():
        return _NHS_PREFIX + value
    return len(scheme).to_bytes(4, "big") + scheme + normalise(scheme.decode(), value.decode()).encode()


def keyed(keys: KeyRing, group: str, purpose: str) -> Callable[[], hashlib.blake2b]:
    """A hash that has taken its key, to be copied for each message."""
    key = keys.derive("group", group, purpose)
    return hashlib.blake2b(digest_size=DIGEST_BYTES, key=key).copy


def permuted(keys: KeyRing, group: str, purpose: str) -> Callable[[bytes], bytes]:
    """One AES block after another under one key. Single blocks in ECB are a permutation, not a mode."""
    key = keys.derive("group", group, purpose, length=16)
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305 - see the docstring


def raw_uuid(body: bytes, at: int) -> bytes:
    """The 16 bytes of the uuid whose text begins at `at`."""
    return unhexlify(body[at : at + ENCODED_UUID_BYTES].replace(b"-", b""))


def uuid_text(block: bytes) -> bytes:
    """A uuid as text of 36 characters."""
    return b"-".join(UUID_GROUPS(hexlify(block)))


def uuid_texts(permute: Callable[[bytes], bytes], blocks: Iterable[bytes]) -> list[bytes]:
    """The texts of the uuids that stand for others, given as 16 bytes each."""
    return list(map(b"-".join, _UUIDS_GROUPS(hexlify(permute(b"".join(blocks))))))


_UUIDS_GROUPS = struct.Struct("8s4s4s4s12s").iter_unpack
_DIGITS = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")
_FIVES = struct.Struct("5s5s5s5s").unpack


def _lanes(bits: int, width: int, count: int) -> tuple[int, int]:
    """Masks of the lower and the upper half of each of `count` lanes, `bits` wide together and `width` apart."""
    low = sum(((1 << bits // 2) - 1) << (width * at) for at in range(count))
    return low, low << bits // 2


_L40, _H40 = _lanes(40, 64, 4)
_L20, _H20 = _lanes(20, 32, 8)
_L10, _H10 = _lanes(10, 16, 16)


def base32(digest: bytes) -> bytes:
    """20 bytes in lower-case base32: 32 characters. Five bits go into each byte of a long number, all at once."""
    bits = int.from_bytes(b"\0\0\0".join(_FIVES(digest)), "big")
    bits = bits & _L40 | (bits & _H40) << 12
    bits = bits & _L20 | (bits & _H20) << 6
    bits = bits & _L10 | (bits & _H10) << 3
    return bits.to_bytes(32, "big").translate(_DIGITS)


AT_ONCE = 256
"""So many digests are written in base32 in one go."""


def _halves(bits: int, width: int) -> tuple[int, int, int]:
    """Masks of the halves of lanes of `bits`, `width` apart, for `AT_ONCE` digests, and how far the upper ones go."""
    lane = ((1 << bits // 2) - 1).to_bytes(width // 8, "big")
    low = int.from_bytes(lane * (256 * AT_ONCE // width), "big")
    return low, low << bits // 2, width // 2 - bits // 2


_APART = bytes(32 - DIGEST_BYTES)
_HALVES = [_halves(160 >> by, 256 >> by) for by in range(5)]


def pseudonyms(hash_of: Callable[[], hashlib.blake2b], messages: Sequence[bytes], before: bytes = b"") -> list[bytes]:
    """`before`, then what `base32` makes of each message's keyed digest: of many digests in one long number."""
    digests = []
    for each in messages:
        made = hash_of()
        made.update(each)
        digests.append(made.digest())
    texts: list[bytes] = []
    for first in range(0, len(digests), AT_ONCE):
        some = digests[first : first + AT_ONCE]
        bits = int.from_bytes(_APART.join(some), "big")
        for low, high, by in _HALVES:
            bits = bits & low | (bits & high) << by
        text = bits.to_bytes(32 * len(some), "big").translate(_DIGITS)
        texts += [before + text[at : at + 32] for at in range(0, len(text), 32)]
    return texts


def shown_flags(flags: Iterable[Finding], visible: tuple[str, ...]) -> bytes:
    """The array of flags of a view that names the fields at `visible`."""
    made = [zigzag(len(text)) + text for text in (each.encode() for each in flags_shown(flags, visible))]
    return b"".join((zigzag(len(made)), *made, b"\0")) if made else b"\0"
