"""The exchange: validate, mask and route composed into the handler that the exactly-once loop drives.

State is staged in `decide` and `idle` and moves only in `committed`. A policy is taken up in `idle`, between two
batches; every owned partition whose last block is of another version is then due a policy-switch block, until one is
committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from operator import attrgetter, ge
from typing import Protocol

from stream_processors import by_batch
from stream_processors.batch import Batch, Masked
from stream_processors.bisect import bisect
from stream_processors.compiled import (
    CompiledInbox,
    CompiledPolicy,
    NativeFactory,
    ProjectorFactory,
    compile_policy,
    no_native,
)
from stream_processors.counts import Counts
from stream_processors.limits import QuarantineLimits
from stream_processors.mask import mask
from stream_processors.replays import ReplaySource, due_replays
from stream_processors.report import Report
from stream_processors.resume import LogAccess, fill, resume
from stream_processors.route import Routed, Router, block_of, finish, route
from stream_processors.state import Chain, Owned
from stream_processors.validate import validate
from tidings import topics
from tidings.decisions import BlockKind, Group, chain_key
from tidings.deduplication import Sighting, Window
from tidings.errors import Fatal, Retriable
from tidings.log import InboxRecord, Partition, Position, Transaction
from tidings.policy.model import Policy
from tidings.projection.explain import NATIVE, PYTHON
from tidings.projection.native import NativeWindow

_PARTITION = attrgetter("topic", "partition")
_OFFSET = attrgetter("offset")


class PolicySource(Protocol):
    """Where policies come from."""

    def newer(self) -> Policy | None:
        """A policy newer than the last one returned, else None; never waits. Raises Fatal where it cannot be read."""
        ...


@dataclass(slots=True)
class Tools:
    """What the exchange is given: how to compile, where to read, how to write down, whom to tell. No client library.

    `layout_of` is asked for the router's layout again at each new policy, since new agencies bring new topics.
    """

    factory: ProjectorFactory
    policies: PolicySource
    log: LogAccess
    router: Callable[[Policy], Router] = field(repr=False)
    report: Report
    replays: ReplaySource | None = None
    limits: QuarantineLimits = field(default_factory=QuarantineLimits)
    native: NativeFactory = no_native
    window: Callable[[int], Window | NativeWindow] = Window
    behind: str = PYTHON


class Exchange:
    """A `tidings.log.Handler`. Not for several threads: the loop's one thread makes every call."""

    def __init__(self, policy: Policy, tools: Tools) -> None:
        self._tools = tools
        self._owned: dict[Partition, Owned] = {}
        self._staged: dict[Partition, Routed] = {}
        self._compiled: CompiledPolicy
        self._router: Router
        self._install(policy)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._compiled.policy

    def executors(self) -> dict[str, dict[str, str]]:
        """Who projects each inbox: `executor`, and `why_not_native`. Any thread may ask."""
        return {
            topic: {"executor": NATIVE if each.native else self._tools.behind, "why_not_native": each.why}
            for topic, each in sorted(self._compiled.inboxes.items())
        }

    def inboxes(self) -> Sequence[str]:
        """See `Handler.inboxes`."""
        return sorted(self._compiled.inboxes)

    def take(self, positions: Sequence[Position]) -> None:
        """See `Handler.take`. A worker behind the policy of a partition's last block takes up the newer one first."""
        taken = []
        for position in positions:
            size = self._compiled.of(position.partition.topic).inbox.deduplication_window_events
            taken.append(resume(position, self._tools.window(size), self._tools.log, self._tools.limits))
        self._owned.update({owned.partition: owned for owned in taken})
        newest = max((owned.chain.acknowledged for owned in taken), default=0)
        if newest > self.policy.version:
            self._follow()
        if newest > self.policy.version:
            raise Fatal(f"the last decision was made by policy {newest}, this worker has {self.policy.version}")

    def give(self, partitions: Sequence[Partition]) -> None:
        """See `Handler.give`."""
        for partition in partitions:
            self._owned.pop(partition, None)
            self._staged.pop(partition, None)

    def decide(self, records: Sequence[InboxRecord], now_ms: int) -> Transaction:
        """See `Handler.decide`."""
        self._clear()
        for (topic, number), group in groupby(records, _PARTITION):
            partition = Partition(topic, number)
            if partition in self._staged:
                raise Fatal(f"{topic}/{number}: the batch's records are not together")
            self._staged[partition] = self._decide(self._own(partition), list(group), now_ms)
        return self._transaction()

    def idle(self, now_ms: int) -> Transaction | None:
        """See `Handler.idle`. Also answers replays out of quarantine."""
        self._clear()
        self._follow()
        for owned in self._owned.values():
            routed = self._replay(owned, now_ms)
            if routed is None and owned.chain.acknowledged != self.policy.version:
                routed = self._close(BlockKind.POLICY_SWITCH, owned.partition, owned.chain, now_ms)
            if routed is not None:
                self._staged[owned.partition] = routed
        return self._transaction() if self._staged else None

    def committed(self, anchors: dict[Partition, str]) -> None:
        """See `Handler.committed`."""
        for partition in anchors:
            routed = self._staged.get(partition)
            owned = self._owned.get(partition)
            if routed is not None and owned is not None:
                owned.chain = routed.chain
                owned.window.commit()
        counts = {partition: routed.counts for partition, routed in self._staged.items()}
        self._tools.report.committed(counts, self._compiled.inboxes)
        self._staged = {}

    def aborted(self) -> None:
        """See `Handler.aborted`."""
        self._clear()
        self._tools.report.aborted()

    def _decide(self, owned: Owned, records: list[InboxRecord], now_ms: int) -> Routed:
        partition, chain = owned.partition, owned.chain
        offsets = list(map(_OFFSET, records))
        if offsets[0] < chain.next_offset or any(map(ge, offsets, islice(offsets, 1, None))):
            raise Fatal(f"{partition.topic}/{partition.partition}: offsets go back; {chain.next_offset} was due")
        compiled = self._compiled.of(partition.topic)
        self._tools.report.deciding(records, partition)
        engine = compiled.engine
        if engine is not None:
            return by_batch.decide(
                owned, records, compiled, engine, now_ms, self._router, lambda part: _stages(part, compiled, now_ms)
            )
        batch = Batch(partition, records, owned.window.see_all(records))
        masked = bisect(batch, lambda part: _stages(part, compiled, now_ms))
        return route(batch, masked, compiled, now_ms, chain, self._router)

    def _replay(self, owned: Owned, now_ms: int) -> Routed | None:
        """Decide again, late and bypassing the window, the quarantined records that operators asked for."""
        if self._tools.replays is None:
            return None
        try:
            decisions = self._router.layout.place(topics.DECISIONS, chain_key(owned.partition))
            due = due_replays(self._tools.replays, self._tools.log, owned.partition, owned.chain, decisions, now_ms)
            offsets = () if due is None else due.offsets
            records = [self._tools.log.record_at(owned.partition, offset) for offset in offsets]
        except Retriable:
            return None
        if due is None or owned.partition.topic not in self._compiled.inboxes:
            return None
        chain = replace(owned.chain, replays_to=due.replays_to)
        found = [record for record in records if record is not None]
        compiled = self._compiled.of(owned.partition.topic)
        if not found:
            return self._close(BlockKind.REPLAY, owned.partition, chain, now_ms)
        batch = Batch(owned.partition, found, [Sighting.NEW] * len(found), late=True)
        masked = bisect(batch, lambda part: _stages(part, compiled, now_ms))
        return route(batch, masked, compiled, now_ms, chain, self._router)

    def _close(self, kind: BlockKind, partition: Partition, chain: Chain, now_ms: int) -> Routed:
        """A block that decides no event."""
        block = block_of(kind, partition, self.policy, now_ms, chain, chain, self._router)
        return finish(block, self.policy, chain, self._router, [], [Group(0, 0, b"")], b"", Counts())

    def _transaction(self) -> Transaction:
        return Transaction(
            messages=[message for routed in self._staged.values() for message in routed.messages],
            blocks={partition: routed.blocks for partition, routed in self._staged.items()},
            offsets={partition: routed.chain.next_offset for partition, routed in self._staged.items()},
            runs=[run for routed in self._staged.values() for run in routed.runs],
        )

    def _own(self, partition: Partition) -> Owned:
        owned = self._owned.get(partition)
        if owned is None:
            raise Fatal(f"{partition.topic}/{partition.partition}: a record of a partition that is not owned")
        return owned

    def _clear(self) -> None:
        self._staged = {}
        for owned in self._owned.values():
            owned.window.abort()
        self._tools.report.forgotten()

    def _follow(self) -> None:
        """Take up a newer policy where there is one. Raises Fatal where it cannot be read, compiled, or goes back."""
        newer = self._tools.policies.newer()
        if newer is None or newer.version == self.policy.version:
            return
        if newer.version < self.policy.version:
            raise Fatal(f"the policy went back from {self.policy.version} to {newer.version}")
        self._install(newer)

    def _install(self, policy: Policy) -> None:
        compiled = compile_policy(policy, self._tools.factory, self._tools.native)
        self._router = self._tools.router(policy)
        self._compiled = compiled
        for owned in self._owned.values():
            inbox = compiled.inboxes.get(owned.partition.topic)
            if inbox is not None:
                self._resize(owned, inbox.inbox.deduplication_window_events)
        self._tools.report.policy(policy)

    def _resize(self, owned: Owned, size: int) -> None:
        """A window that grows is read again from the log: the one read in `idle`, once for such a policy."""
        grows = size > owned.window.size
        owned.window.size = size
        if grows:
            fill(owned.window, owned.partition, owned.chain.next_offset, self._tools.log)


def _stages(batch: Batch, policy: CompiledInbox, now_ms: int) -> Masked:
    return mask(validate(batch, policy, now_ms), policy, now_ms)
