"""Pseudonyms of many messages at once are those of each by itself."""

from __future__ import annotations

import hashlib

import pytest

from tests.tidings.projection import local
from tidings.masks.pseudonym import pseudonym_uuid, tagged
from tidings.projection.generate_runtime import AT_ONCE, permuted, pseudonyms, raw_uuid, uuid_texts


@pytest.mark.parametrize("count", [0, 1, 2, 7, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1])
def test_texts_of_many_digests(count: int) -> None:
    """However many there are."""
    key = bytes(range(32))
    messages = [b"%d" % at for at in range(count)]
    alone = [hashlib.blake2b(each, digest_size=20, key=key).digest() for each in messages]
    assert pseudonyms(hashlib.blake2b(digest_size=20, key=key).copy, messages, b"v1.") == [
        tagged(local.KEYS, digest).encode() for digest in alone
    ]


def test_uuids_of_many_blocks() -> None:
    """One permutation under one key, one after the other."""
    given = [f"0000000{at}-0000-4000-8000-00000000000{at}" for at in range(5)]
    made = uuid_texts(permuted(local.KEYS, "group", "uuid"), [raw_uuid(each.encode(), 0) for each in given])
    assert made == [pseudonym_uuid(local.KEYS, "group", each).encode() for each in given]
    assert uuid_texts(permuted(local.KEYS, "group", "uuid"), []) == []
