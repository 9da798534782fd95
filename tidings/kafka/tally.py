"""Counts a whole exchange from its topics: inboxes, decision blocks and feeds, each read to its end, read_committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
from tidings.releases import decode_release_block


def blocks(reader: LogReader) -> Iterator[Block]:
    """Every committed decision block, in order within each inbox partition."""
    return (block for _, block in blocks_at(reader))


def blocks_at(reader: LogReader) -> Iterator[tuple[int, Block]]:
    """The same, each with its offset in its partition of `exchange.decisions`."""
    for record in reader.read_to_end(topics.DECISIONS):
        if record.value is not None:
            yield record.offset, decode_block(record.value)


def account_of(cluster: ClientSettings, principal: str) -> Account:
    """The account of everything that the topics still hold.

    Raises: Retriable where the broker stays silent, Fatal where a feed's sequences have a gap or stand twice.
    """
    account = Account(policy_versions(cluster, principal))
    inboxes, feeds = _inboxes(account.policies), _feeds(account.policies)
    with LogReader(cluster, principal) as reader:
        for record in reader.read_all_to_end(inboxes):
            account.published(inboxes[record.topic], 1)
        for block in blocks(reader):
            account.decided(block)
        for feed, head in feed_heads(reader, feeds):
            account.fed(feed, feeds[feed], [head])
        if any(view.hold_seconds for policy in account.policies.values() for view in policy.views):
            for record in reader.read_to_end(topics.RELEASES):
                if record.value is not None:
                    account.released(decode_release_block(record.value))
    return account


def feed_heads(reader: LogReader, feeds: Iterable[str]) -> Iterator[tuple[str, FeedHead]]:
    """The feed and head of every view. Raises Fatal at the first sequence that does not follow the one before."""
    last: dict[Partition, int] = {}
    for record in reader.read_all_to_end(feeds):
        if record.value is None:
            continue
        head = view_head(record.value)
        partition = Partition(record.topic, record.partition)
        if partition in last and head.sequence != last[partition] + 1:
            raise Fatal(f"{record.topic}/{record.partition}: sequence {head.sequence} follows {last[partition]}")
        last[partition] = head.sequence
        yield record.topic, FeedHead(head.kind, head.policy_version)


def _inboxes(versions: Mapping[int, Policy]) -> dict[str, str]:
    return {inbox.topic: inbox.event_type for policy in versions.values() for inbox in policy.inboxes}


def _feeds(versions: Mapping[int, Policy]) -> dict[str, str]:
    return {view.feed: view.event_type for policy in versions.values() for view in policy.views}
