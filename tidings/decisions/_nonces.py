"""Nonces and commitments: a block proves what was delivered only to whoever is given the event's nonce.

Destroy the nonce, and the commitment says nothing any more about the person.
"""

from __future__ import annotations

import hashlib

NONCE_BYTES = 16
COMMITMENT_BYTES = 16


def nonce_key(inbox: str, partition: int, first_offset: int) -> bytes:
    """The key in `exchange.nonces` of the nonces of one part; the value is 16 bytes an entry, in the part's order."""
    return f"{inbox}/{partition}/{first_offset}".encode()


def commitment(nonce: bytes, value: bytes) -> bytes:
    """BLAKE2b-128 (RFC 7693) of a feed's value, keyed with the event's nonce."""
    return hashlib.blake2b(value, digest_size=COMMITMENT_BYTES, key=nonce).digest()
