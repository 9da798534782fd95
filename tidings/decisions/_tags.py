"""Subject tags: keyed, per epoch, so that entries about one person can be found by whoever holds the epoch's key."""

from __future__ import annotations

import hashlib

from tidings.clock import utc_date
from tidings.keys import KeyRing

TAG_BYTES = 16


def epoch_of(now_ms: int) -> str:
    """The epoch of a reading: its month in UTC, as `2026-06`."""
    return utc_date(now_ms).strftime("%Y-%m")


def tag_key(keys: KeyRing, epoch: str) -> bytes:
    """The 32 bytes that make the tags of `epoch`."""
    return keys.derive("decisions", "subject-tag", epoch)


def subject_tag(keys: KeyRing, epoch: str, scheme: str, value: str) -> bytes:
    """A subject's 16-byte tag: BLAKE2b (RFC 7693), keyed for the epoch, over scheme (length-prefixed) and value."""
    key = tag_key(keys, epoch)
    name = scheme.encode()
    return hashlib.blake2b(
        len(name).to_bytes(4, "big") + name + value.encode(), digest_size=TAG_BYTES, key=key
    ).digest()
