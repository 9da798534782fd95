"""The derived ids of a view's head: each feed (or linkage group) has its own, so two feeds cannot be joined.

| field | how | purpose of the key |
| --- | --- | --- |
| event_id, supersedes | one AES-128 block, so that supersedes still finds event_id inside the feed | `event-id` |
| life_event_id | one AES-128 block | `life-event-id` |
| record_id | keyed BLAKE2b over the publishing agency and the id as it is written | `record-id` |
| feed key | the pseudonym of the subject | `pseudonym` |
"""

from __future__ import annotations

import hashlib

from tidings.keys import KeyRing
from tidings.masks.pseudonym import DIGEST_BYTES, pseudonym, pseudonym_uuid, tagged, unpseudonym_uuid

EVENT_ID = "event-id"
LIFE_EVENT_ID = "life-event-id"
RECORD_ID = "record-id"


def event_id(keys: KeyRing, group: str, value: str) -> str:
    """The derived id of an event (`event_id` or `supersedes`): a uuid for a uuid."""
    return pseudonym_uuid(keys, group, value, EVENT_ID)


def original_event_id(keys: KeyRing, group: str, value: str) -> str:
    """The event behind a derived id, for an audit."""
    return unpseudonym_uuid(keys, group, value, EVENT_ID)


def life_event_id(keys: KeyRing, group: str, value: str) -> str:
    """The derived id of a happening: a uuid for a uuid."""
    return pseudonym_uuid(keys, group, value, LIFE_EVENT_ID)


def record_id(keys: KeyRing, group: str, agency: str, value: str) -> str:
    """The derived id of an authority's record: not normalised, for an authority's ids are exact."""
    name = agency.encode()
    message = len(name).to_bytes(4, "big") + name + value.encode()
    key = keys.derive("group", group, RECORD_ID)
    return tagged(keys, hashlib.blake2b(message, digest_size=DIGEST_BYTES, key=key).digest())


def feed_key(keys: KeyRing, group: str, subject: tuple[str, str]) -> bytes:
    """The Kafka key of a feed's record: the subject's pseudonym in UTF-8."""
    return pseudonym(keys, group, *subject).encode()
