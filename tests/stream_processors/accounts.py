"""What tests read out of the topics: decisions, notices, views, and the account that has to balance."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.stream_processors.world import INBOX, PARTITIONS, World
from tidings import topics
from tidings.clock import utc_date
from tidings.decisions import Block, Entry, ViewOutcome, verify_chain
from tidings.log import InboxRecord, Partition
from tidings.notices import Notice, decode_notice
from tidings.policy.in_force import in_force
from tidings.policy.model import View
from tidings.projection import decode_view
from tidings.quarantine import QuarantineRecord, decode_quarantine


def blocks(world: World, partition: int) -> list[Block]:
    """The verified chain of one inbox partition."""
    chain_key = f"{INBOX}/{partition}".encode()
    return verify_chain(r.value or b"" for r in world.log.all(topics.DECISIONS) if r.key == chain_key)


def entries(world: World) -> dict[tuple[int, int], Entry]:
    """The last decision about each (partition, offset): a late one takes the place of the first."""
    return {
        (number, entry.offset): entry
        for number in range(PARTITIONS)
        for block in blocks(world, number)
        for entry in block.entries
    }


def only_entry(world: World) -> Entry:
    """The one decision there is."""
    (entry,) = entries(world).values()
    return entry


def notices(world: World) -> list[Notice]:
    """All notices to gro."""
    return [decode_notice(record.value or b"") for record in world.log.all("notices.gro")]


def quarantined(world: World) -> list[QuarantineRecord]:
    """All quarantine records."""
    return [decode_quarantine(record.value or b"") for record in world.log.all(topics.QUARANTINE)]


def views(world: World, view: View) -> list[dict[str, Any]]:
    """A feed, decoded."""
    return [decode_view(view.view_schema, record.value or b"") for record in world.log.all(view.feed)]


def account(world: World) -> Counter[str]:
    """Counts by outcome, after checking that all balances.

    Every published record has one decision; every accepted one has an outcome for each agreement in force, and no other
    has any; what was delivered and withdrawn is what stands in the feeds, without gaps in the sequences.
    """
    decided = entries(world)
    assert set(decided) == {(record.partition, record.offset) for record in world.log.all(INBOX)}
    for number in range(PARTITIONS):
        for block in blocks(world, number):
            for entry in block.entries:
                assert [made.agreement for made in entry.agreements] == expected_agreements(world, block, entry)
    feeds = {view.feed for policy in world.policies.values() for view in policy.views}
    made = Counter((outcome.agreement, outcome.outcome) for entry in decided.values() for outcome in entry.agreements)
    for feed in feeds:
        written = made[feed, ViewOutcome.DELIVERED] + made[feed, ViewOutcome.WITHDRAWN]
        assert written == len(world.log.all(feed))
        check_sequences(world, feed)
    counts = Counter(entry.outcome.value.lower() for entry in decided.values())
    assert len(quarantined(world)) >= counts["quarantined"]
    return counts


def expected_agreements(world: World, block: Block, entry: Entry) -> list[str]:
    """The feeds of the agreements in force for an accepted event, by the block's own policy and clock reading."""
    if not entry.outcome.accepted:
        return []
    assert entry.change is not None
    today = utc_date(block.decided_at_ms)
    views = world.policies[block.policy_version].views
    return [view.feed for view in views if in_force(view, today, entry.change)]


def check_sequences(world: World, feed: str) -> None:
    """Every partition's sequences are 1, 2, 3, …"""
    for number in range(PARTITIONS):
        where = Partition(feed, number)
        records = list(world.log.read_range(where, 0, world.log.ends([where])[where]))
        assert [sequence_of(record) for record in records] == list(range(1, len(records) + 1))


def sequence_of(record: InboxRecord) -> int:
    """The first field of a view: an Avro long behind the wire header."""
    number = shift = 0
    for byte in (record.value or b"")[5:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return (number >> 1) ^ -(number & 1)
