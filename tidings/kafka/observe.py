"""Looks at a running exchange from the broker: who is behind by how much, who decided last, what is in quarantine.

Inboxes and feeds are looked at as a reader would see them: the first committed record that a group has not read says
since when it waits, and on a feed its sequence says exactly how many views wait, since sequences have no gaps. Offsets
would count the marks of transactions too, and a group that has read everything would never be seen to have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from tidings import topics
from tidings.clock import Clock, SystemClock
from tidings.closing import Closing
from tidings.decisions import Block, decode_block
from tidings.deployment import CORRECTION_WINDOW, group_name, is_once_group
from tidings.errors import Fatal
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.first_records import FirstRecords
from tidings.kafka.groups import Groups
from tidings.kafka.last_blocks import LastBlocks
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.read import LogReader
from tidings.kafka.released import Released
from tidings.log import InboxRecord, Partition
from tidings.observation import FeedSeen, GroupSeen, InboxSeen, Observation, WorkerSeen
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import view_head
from tidings.quarantine import QuarantineRecord, decode_quarantine
from tidings.replays import ReplayRequest, parse_request


class Observer(Closing):
    """Looks as `principal`, who must be allowed what the monitor is (`tidings.provisioning.access`). For one thread.

    Close it, or use `with`.

    Between two looks it keeps the policy and the blocks that it has read, so that an idle exchange costs little.
    """

    def __init__(self, cluster: Cluster, principal: str = "admin", clock: Clock | None = None) -> None:
        self._cluster = cluster
        self._clock = clock or SystemClock()
        self._admin = Admin(cluster, principal, clock=self._clock)
        self._groups = Groups(cluster, principal)
        self._reader = LogReader(cluster, principal, self._clock)
        self._first = FirstRecords(cluster, principal, self._clock)
        self._policies = PolicyReader(cluster, principal, self._clock)
        self._released = Released(cluster.deployment, self._admin, self._first)
        self._policy: Policy | None = None
        self._blocks = LastBlocks(self._first, topics.DECISIONS, decode_block)

    def close(self) -> None:
        """Let the connections go."""
        for each in (self._reader, self._first, self._policies):
            each.close()

    def look(self) -> Observation:
        """The exchange as it is now. Raises Fatal where no policy was published, Retriable where no broker answers."""
        policy = self._newest()
        now_ms = self._clock.now_ms()
        inboxes = self._inboxes(policy, now_ms)
        blocks = {each.partition: each.block for each in inboxes if each.block is not None}
        deployment = self._cluster.deployment
        group, window = group_name(deployment), group_name(deployment, CORRECTION_WINDOW)
        holding = sum(view.hold_seconds is not None for view in policy.views)
        # Where nothing is held there is no such group, and no right to ask after it.
        members = self._groups.members([group, *([window] if holding else [])])
        workers = tuple(_worker(member.name, member.partitions, blocks) for member in members[group])
        return Observation(
            at_ms=now_ms,
            policy_version=policy.version,
            inboxes=inboxes,
            feeds=self._feeds(policy, inboxes, now_ms),
            workers=tuple(sorted(workers, key=lambda each: each.name)),
            quarantined=self._quarantined(blocks),
            holding_feeds=holding,
            windows=len(members.get(window, ())),
        )

    def _newest(self) -> Policy:
        if self._policy is not None:
            self._policy = self._policies.newer() or self._policy
        elif topics.POLICY not in self._admin.topics():
            raise Fatal("no policy has been published: run `tidings apply`")
        else:
            self._policy = self._policies.load()
        return self._policy

    def _inboxes(self, policy: Policy, now_ms: int) -> tuple[InboxSeen, ...]:
        inboxes = {Partition(each.topic, number): each for each in policy.inboxes for number in range(each.partitions)}
        committed = self._admin.group_offsets(group_name(self._cluster.deployment), inboxes)
        ends = self._reader.ends(inboxes)
        self._blocks.follow({partition: anchor for partition, (_, anchor) in committed.items()})
        behind = {each: at for each, (at, _) in committed.items() if at < ends[each]}
        waiting = self._first.at(behind)
        return tuple(
            _inbox(partition, inbox, committed.get(partition, (0, ""))[0], ends[partition], waiting.get(partition),
                   self._blocks.get(partition), now_ms)
            for partition, inbox in sorted(inboxes.items())
        )  # fmt: skip

    def _feeds(self, policy: Policy, inboxes: Iterable[InboxSeen], now_ms: int) -> tuple[FeedSeen, ...]:
        by_topic: dict[str, list[InboxSeen]] = defaultdict(list)
        for each in inboxes:
            by_topic[each.partition.topic].append(each)
        there = self._admin.topics()
        released = self._released.sequences(policy)
        last = {
            view.feed: released.get(view.feed) or _sequences(view.feed, by_topic[view.inbox]) for view in policy.views
        }
        seen = self._subscribers(policy, there, last, now_ms)
        return tuple(
            _feed(view, by_topic[view.inbox], last[view.feed], tuple(seen.get(view.feed, ())))
            for view in sorted(policy.views, key=lambda view: view.feed)
        )

    def _subscribers(
        self, policy: Policy, there: Mapping[str, int], last: Mapping[str, Mapping[int, int]], now_ms: int
    ) -> dict[str, list[GroupSeen]]:
        """The groups that have committed to a feed of their agency, by feed."""
        feeds: dict[str, list[View]] = defaultdict(list)
        for view in policy.views:
            if view.feed in there:
                feeds[view.subscriber].append(view)
        groups = (name for name in self._groups.names() if not is_once_group(name))
        of_agency = {name: views for name in groups if (views := feeds.get(name.partition(".")[0]))}
        members = self._groups.members(list(of_agency))
        found: dict[str, list[GroupSeen]] = defaultdict(list)
        for group, views in of_agency.items():
            partitions = [Partition(view.feed, number) for view in views for number in range(there[view.feed])]
            committed = {each: at for each, (at, _) in self._admin.group_offsets(group, partitions).items()}
            reads = {partition.topic for partition in committed}
            # Of a feed that it reads, a partition that the group has not committed to is unread from its start.
            offsets = {each: committed.get(each, 0) for each in partitions if each.topic in reads}
            unread = self._unread(offsets)
            readers = Counter(topic for member in members[group] for topic in {at.topic for at in member.partitions})
            for view in views:
                if view.feed in reads:
                    found[view.feed].append(
                        _group(group, readers[view.feed], view.feed, unread, last[view.feed], now_ms)
                    )
        return found

    def _unread(self, offsets: Mapping[Partition, int]) -> dict[Partition, InboxRecord]:
        ends = self._reader.ends(offsets)
        first = self._first.at({each: at for each, at in offsets.items() if at < ends[each]})
        return {partition: record for partition, record in first.items() if record is not None}

    def _quarantined(self, blocks: Mapping[Partition, Block]) -> int:
        records = [
            decode_quarantine(each.value)
            for each in self._reader.read_to_end(topics.QUARANTINE)
            if each.value is not None
        ]
        if not records:
            return 0
        requests = (parse_request(each.offset, each.value) for each in self._reader.read_to_end(topics.REPLAYS))
        answered = {partition: block.replays_to for partition, block in blocks.items()}
        return quarantined(records, [each for each in requests if each is not None], answered)


def quarantined(
    records: Iterable[QuarantineRecord], requests: Iterable[ReplayRequest], answered: Mapping[Partition, int]
) -> int:
    """How many events are in quarantine: recorded there, and not replayed well since.

    Each replay that was answered has either failed again, which leaves one more record marked late, or gone well.
    `answered` is the last position of the requests that each inbox partition has answered.
    """
    places: set[tuple[Partition, int]] = set()
    failed_again: Counter[tuple[Partition, int]] = Counter()
    for record in records:
        place = Partition(record.inbox, record.partition), record.offset
        places.add(place)
        failed_again[place] += record.late
    first: dict[tuple[Partition, int, int], int] = {}
    for request in requests:
        # Who asks again for a failure that was asked for asks for nothing.
        first.setdefault((request.partition, request.offset, request.block), request.position)
    replayed = Counter(
        (partition, offset)
        for (partition, offset, _), position in first.items()
        if position <= answered.get(partition, -1)
    )
    return sum(replayed[place] <= failed_again[place] for place in places)


def _worker(name: str, partitions: tuple[Partition, ...], blocks: Mapping[Partition, Block]) -> WorkerSeen:
    versions = [blocks[each].policy_version for each in partitions if each in blocks]
    return WorkerSeen(name, len(partitions), min(versions, default=None))


def _inbox(
    partition: Partition,
    inbox: Inbox,
    committed: int,
    end: int,
    first: InboxRecord | None,
    block: Block | None,
    now_ms: int,
) -> InboxSeen:
    waiting = 0 if first is None else end - first.offset
    return InboxSeen(
        partition, inbox.agency, inbox.event_type, committed, end, waiting, _age(first, now_ms), block
    )  # fmt: skip


def _feed(view: View, inboxes: Iterable[InboxSeen], last: Mapping[int, int], groups: tuple[GroupSeen, ...]) -> FeedSeen:
    return FeedSeen(
        feed=view.feed,
        agency=view.subscriber,
        agreement=view.agreement,
        event_type=view.event_type,
        views=sum(last.values()),
        freshness_seconds=max((each.waiting_seconds for each in inboxes), default=0.0),
        groups=groups,
    )


def _sequences(feed: str, inboxes: Iterable[InboxSeen]) -> dict[int, int]:
    """The last sequence of each partition of a feed: it has the number of the inbox partition that fills it."""
    return {
        each.partition.partition: dict(each.block.sequences).get(feed, 0)
        for each in inboxes
        if each.block is not None
    }  # fmt: skip


def _group(
    group: str,
    members: int,
    feed: str,
    unread: Mapping[Partition, InboxRecord],
    last: Mapping[int, int],
    now_ms: int,
) -> GroupSeen:
    lag, age = 0, 0.0
    for partition, record in unread.items():
        if partition.topic == feed and record.value is not None:
            # The block may be older than the record by a batch: at least the record itself waits.
            lag += max(1, last.get(partition.partition, 0) - view_head(record.value).sequence + 1)
            age = max(age, _age(record, now_ms))
    return GroupSeen(group, members, lag, age)


def _age(record: InboxRecord | None, now_ms: int) -> float:
    return 0.0 if record is None else max(0, now_ms - record.timestamp_ms) / 1000
