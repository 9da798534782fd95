"""The bounds and budgets of the exactly-once loop, with the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GroupProtocol = Literal["consumer", "classic"]


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How much one batch holds and how long each step may take. Times are in the unit that the name says.

    A batch ends at `batch_max_events` or `batch_max_bytes` of inbox records, and at as many events as made
    `batch_max_messages` messages at the rate of the last batch; the first at 1,000 events, and after an abort one at
    half of what was aborted: from there it doubles with each quick commit. Partitions share a transaction while they
    hold at most `shared_max_events` together: a transaction's cost grows with the feed partitions that it touches (3:
    28 ms, 30: 65 ms, 300: 202 ms), so that a busy partition has its own and quiet ones do not pay 28 ms each.

    `transaction_timeout_ms` and `session_timeout_ms` bound how long a killed worker holds up its successor and the
    feeds' readers. `work_budget_ms` (begin to offsets) is below the former. `commit_budget_ms` is how long the same
    commit is asked for again. `take_budget_ms` bounds the rebuilding of windows after an assignment. `abort_limit`
    is how many times running one worker aborts before it stops. `group_protocol` is the one tried first.

    `linger_ms` is how long a feed's messages may wait for each other while the rest of the batch is still being
    produced: without it the first of them leaves alone, and the broker verifies the transaction at each request. Once
    all is produced nothing waits: the batch is flushed.
    """

    batch_max_events: int = 20_000
    batch_max_bytes: int = 32 * 1024 * 1024
    batch_max_messages: int = 100_000
    shared_max_events: int = 500
    drain_max_events: int = 1_000
    poll_timeout_ms: int = 100
    transaction_timeout_ms: int = 10_000
    session_timeout_ms: int = 8_000
    work_budget_ms: int = 8_000
    commit_call_ms: int = 5_000
    commit_budget_ms: int = 60_000
    take_budget_ms: int = 120_000
    start_budget_ms: int = 60_000
    abort_limit: int = 30
    retry_backoff_ms: int = 2
    linger_ms: int = 5
    compression: Literal["none", "lz4", "zstd", "snappy"] = "lz4"
    group_protocol: GroupProtocol = "consumer"
