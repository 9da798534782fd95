"""What a relay shows: the agency's own Prometheus scrapes it, so these stand beside the exchange's table, not in it."""

from __future__ import annotations

from threading import Lock

from tidings.metrics import Kind, Label, MetricSpec, MetricStore

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_ROWS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)

ROWS = MetricSpec(
    "tidings_outbox_rows_total", Kind.COUNTER, "rows", (Label.EVENT_TYPE, Label.OUTCOME),
    "Rows that this relay finished, by outcome: sent or refused.",
)  # fmt: skip
REFUSALS = MetricSpec(
    "tidings_outbox_refusals_total", Kind.COUNTER, "reasons", (Label.EVENT_TYPE, Label.REASON),
    "Reasons why rows were refused; one row may have several.",
)  # fmt: skip
BATCH_ROWS = MetricSpec("tidings_outbox_batch_rows", Kind.HISTOGRAM, "rows", (), "Rows read at once.", _ROWS)
BATCH_SECONDS = MetricSpec(
    "tidings_outbox_batch_seconds", Kind.HISTOGRAM, "seconds", (),
    "From the start of reading a batch until it is committed in the inboxes.", _SECONDS,
)  # fmt: skip
LAG_ROWS = MetricSpec(
    "tidings_outbox_lag_rows", Kind.GAUGE, "rows", (), "Rows of the whole outbox that wait, some seconds ago.",
)  # fmt: skip
LAG_SECONDS = MetricSpec(
    "tidings_outbox_lag_seconds", Kind.GAUGE, "seconds", (),
    "How long the oldest row that waits has waited; 0 where none does.",
)  # fmt: skip
REFUSED_ROWS = MetricSpec(
    "tidings_outbox_refused_rows", Kind.GAUGE, "rows", (), "Refused rows of the whole outbox that nobody mended yet.",
)  # fmt: skip
SLOTS = MetricSpec("tidings_outbox_slots", Kind.GAUGE, "slots", (), "Slots that this relay has.")

OUTBOX_METRICS: tuple[MetricSpec, ...] = (
    ROWS, REFUSALS, BATCH_ROWS, BATCH_SECONDS, LAG_ROWS, LAG_SECONDS, REFUSED_ROWS, SLOTS,
)  # fmt: skip
"""The relay's table."""


class HeldSlots:
    """How many slots the relays of one process have together, and whether one of them is at work at all."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store
        self._lock = Lock()
        self._by_relay: dict[int, int] = {}
        store.set(SLOTS, 0)  # so that a relay which never gets to its database is seen to have none

    def say(self, relay: int, slots: int) -> None:
        """Relay number `relay` is at work, and has so many now; one in reserve has none."""
        with self._lock:
            self._by_relay[relay] = slots
            self._store.set(SLOTS, sum(self._by_relay.values()))

    def gone(self, relay: int) -> None:
        """Relay number `relay` has given up its session."""
        with self._lock:
            self._by_relay.pop(relay, None)
            self._store.set(SLOTS, sum(self._by_relay.values()))

    def at_work(self) -> bool:
        """Whether a relay of this process has a session and has looked for its share."""
        with self._lock:
            return bool(self._by_relay)
