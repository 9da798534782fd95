"""The root hash of a register, kept while its entries are read: one hash for each level of the tree, whatever its size.

Source: RFC 6962, section 2.1 (Merkle tree hash); openregister/openregister-java, V1EntryMerkleLeafStore and EntryView:
a leaf is the entry's JSON as the register serves it, of user entries only, numbered from 1.
"""

from __future__ import annotations

import hashlib

import orjson

_LEAF, _NODE = b"\x00", b"\x01"


class RootHash:
    """The tree over the entries that were appended so far."""

    def __init__(self) -> None:
        self._levels: list[bytes | None] = []
        self._entries = 0

    def append(self, key: str, time: str, item_hash: str) -> None:
        """Add a user entry: its key, its time as written and `sha-256:` with its item's hash."""
        self._entries += 1
        node = hashlib.sha256(_LEAF + _leaf(self._entries, key, time, item_hash)).digest()
        for level, left in enumerate(self._levels):
            if left is None:
                self._levels[level] = node
                return
            self._levels[level] = None
            node = _join(left, node)
        self._levels.append(node)

    def value(self) -> str:
        """`sha-256:` and the root of the tree; that of no entry is the hash of nothing."""
        node: bytes | None = None
        for left in self._levels:
            if left is not None:
                node = left if node is None else _join(left, node)
        root = hashlib.sha256(b"").digest() if node is None else node
        return f"sha-256:{root.hex()}"


def _leaf(number: int, key: str, time: str, item_hash: str) -> bytes:
    return orjson.dumps(
        {
            "index-entry-number": str(number),
            "entry-number": str(number),
            "entry-timestamp": time,
            "key": key,
            "item-hash": [item_hash],
        }
    )


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
