"""The correction window: a `tidings.log.Handler` over the topics where views wait.

The loop's batches only put views in line (`decide`); what is due by the clock is let go between two batches (`idle`),
in one transaction: the views into their feeds, and a release block for each partition, which is the anchor of its
committed offset. A successor reads that block and, of the held topic, what it says is still to come. So nothing is
kept anywhere else that could be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from stream_processors.correction_window.report import Report
from stream_processors.correction_window.resume import held_view, resume
from stream_processors.correction_window.settle import Link, Settled, settle, turns
from stream_processors.correction_window.waiting import HeldView, Waiting
from stream_processors.exchange import PolicySource
from stream_processors.layout import Layout
from stream_processors.resume import LogAccess
from tidings.errors import Fatal
from tidings.log import InboxRecord, Partition, Position, Transaction
from tidings.policy.model import Policy, View
from tidings.projection.held_view import HeldViews

_PARTITION = attrgetter("topic", "partition")
RELEASE_LIMIT = 1_000


@dataclass(slots=True)
class Owned:
    """One owned held partition; it moves only when a transaction is committed. `next_offset` is what comes next."""

    partition: Partition
    next_offset: int
    link: Link
    waiting: Waiting
    staged: list[HeldView] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the window is given. `layout` says where release blocks go; `worker` names it in them; `release_limit` is
    how many views are released in one transaction at most."""

    policies: PolicySource
    log: LogAccess
    layout: Callable[[], Layout]
    report: Report
    worker: str
    release_limit: int = RELEASE_LIMIT


class CorrectionWindow:
    """A `tidings.log.Handler`. Not for several threads: the loop's one thread makes every call."""

    def __init__(self, policy: Policy, tools: Tools) -> None:
        self._tools = tools
        self._owned: dict[Partition, Owned] = {}
        self._settled: dict[Partition, Settled] = {}
        self._policy = policy
        self._views: dict[str, View] = {}
        self._heads: dict[str, HeldViews] = {}
        self._install(policy)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    def inboxes(self) -> Sequence[str]:
        """See `Handler.inboxes`: every held topic of the policy, and those of which something waits here."""
        left = {owned.partition.topic for owned in self._owned.values() if len(owned.waiting)}
        return sorted(self._views.keys() | left)

    def take(self, positions: Sequence[Position]) -> None:
        """See `Handler.take`. Raises Fatal where a view is missing that should wait."""
        taken = []
        for position in positions:
            found = resume(position, self._tools.log, self._heads.get(position.partition.topic))
            taken.append(Owned(position.partition, position.offset, found.link, found.waiting))
        self._owned.update({owned.partition: owned for owned in taken})
        self._tell()

    def give(self, partitions: Sequence[Partition]) -> None:
        """See `Handler.give`."""
        for partition in partitions:
            self._owned.pop(partition, None)
            self._settled.pop(partition, None)
        self._tell()

    def decide(self, records: Sequence[InboxRecord], now_ms: int) -> Transaction:
        """See `Handler.decide`. Nothing is released here: the views are put in line."""
        del now_ms
        self._clear()
        offsets: dict[Partition, int] = {}
        for (topic, number), group in groupby(records, _PARTITION):
            owned = self._own(Partition(topic, number))
            last = owned.waiting.held_sequence
            for record in group:
                view = held_view(record, last, self._heads.get(topic))
                owned.staged.append(view)
                last = view.head.sequence
            offsets[owned.partition] = owned.staged[-1].offset + 1
        return Transaction(messages=(), offsets=offsets)

    def idle(self, now_ms: int) -> Transaction | None:
        """See `Handler.idle`: releases what is due by `now_ms`."""
        self._clear()
        self._follow()
        room = self._tools.release_limit
        for owned in self._owned.values():
            view = self._views.get(owned.partition.topic)
            due = turns(owned.waiting, view, now_ms, room)
            if due:
                room -= len(due)
                self._settled[owned.partition] = settle(
                    owned.partition, due, owned.waiting, view, owned.link, now_ms,
                    policy=self._policy,
                    views=self._heads.get(owned.partition.topic),
                    layout=self._tools.layout(),
                    worker=self._tools.worker,
                )  # fmt: skip
            if not room:
                break
        self._tools.report.looked(now_ms)
        return self._transaction() if self._settled else None

    def committed(self, anchors: dict[Partition, str]) -> None:
        """See `Handler.committed`."""
        for partition in anchors:
            owned = self._owned.get(partition)
            if owned is None:
                continue
            for view in owned.staged:
                owned.waiting.read(view)
                owned.next_offset = view.offset + 1
            owned.staged = []
            settled = self._settled.get(partition)
            if settled is not None:
                for offset in settled.offsets:
                    owned.waiting.settle(offset)
                owned.link = settled.link
        self._tools.report.settled({each: settled.outcomes for each, settled in self._settled.items()})
        self._settled = {}
        self._tell()

    def aborted(self) -> None:
        """See `Handler.aborted`."""
        self._clear()
        self._tools.report.aborted()

    def _transaction(self) -> Transaction:
        return Transaction(
            messages=[message for settled in self._settled.values() for message in settled.messages],
            blocks={partition: [settled.block] for partition, settled in self._settled.items()},
            offsets={partition: self._owned[partition].next_offset for partition in self._settled},
        )

    def _own(self, partition: Partition) -> Owned:
        owned = self._owned.get(partition)
        if owned is None:
            raise Fatal(f"{partition.topic}/{partition.partition}: a view of a partition that is not owned")
        return owned

    def _clear(self) -> None:
        self._settled = {}
        for owned in self._owned.values():
            owned.staged = []

    def _follow(self) -> None:
        newer = self._tools.policies.newer()
        if newer is None or newer.version == self._policy.version:
            return
        if newer.version < self._policy.version:
            raise Fatal(f"the policy went back from {self._policy.version} to {newer.version}")
        self._install(newer)

    def _install(self, policy: Policy) -> None:
        self._policy = policy
        self._views = {view.written_to: view for view in policy.views if view.hold_seconds is not None}
        # What is left of a feed that is gone has to be read still, to be settled.
        self._heads |= {topic: HeldViews(view.view_schema) for topic, view in self._views.items()}
        self._tools.report.policy(policy)

    def _tell(self) -> None:
        self._tools.report.waits({owned.partition: owned.waiting for owned in self._owned.values()})
