"""Counts a whole exchange from its topics: inboxes, decision blocks and feeds, each read to its end, read_committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tidings import topics
from tidings.account import Account, FeedHead
from tidings.decisions import Block, decode_block
from tidings.errors import Fatal
from tidings.kafka.clients import ClientSettings
from tidings.kafka.policy_versions import policy_versions
from tidings.kafka.read import LogReader
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.projection import view_head
from tidings.wire import HEADER_BYTES


def blocks(reader: LogReader) -> Iterator[Block]:
    """Every committed decision block, in order within each inbox partition."""
    for record in reader.read_to_end(topics.DECISIONS):
        if record.value is not None:
            yield decode_block(record.value[HEADER_BYTES:])


def account_of(cluster: ClientSettings, principal: str) -> Account:
    """The account of everything that the topics still hold.

    Raises: Retriable where the broker stays silent, Fatal where a feed's sequences have a gap or stand twice.
    """
    account = Account(policy_versions(cluster, principal))
    with LogReader(cluster, principal) as reader:
        for topic, event_type in _inboxes(account.policies).items():
            account.published(event_type, sum(1 for _ in reader.read_to_end(topic)))
        for block in blocks(reader):
            account.decided(block)
        for feed, event_type in _feeds(account.policies).items():
            account.fed(feed, event_type, heads_of(reader, feed))
    return account


def heads_of(reader: LogReader, feed: str) -> Iterator[FeedHead]:
    """The heads of a feed's views. Raises Fatal at the first sequence that does not follow the one before."""
    last: dict[Partition, int] = defaultdict(int)
    for record in reader.read_to_end(feed):
        if record.value is None:
            continue
        head = view_head(record.value)
        partition = Partition(record.topic, record.partition)
        if partition in last and head.sequence != last[partition] + 1:
            raise Fatal(f"{feed}/{record.partition}: sequence {head.sequence} follows {last[partition]}")
        last[partition] = head.sequence
        yield FeedHead(head.kind, head.policy_version)


def _inboxes(versions: Mapping[int, Policy]) -> dict[str, str]:
    return {inbox.topic: inbox.event_type for policy in versions.values() for inbox in policy.inboxes}


def _feeds(versions: Mapping[int, Policy]) -> dict[str, str]:
    return {view.feed: view.event_type for policy in versions.values() for view in policy.views}
