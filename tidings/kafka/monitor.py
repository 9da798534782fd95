"""`tidings run monitor`: looks at the exchange every few seconds and shows what it sees as metrics.

It needs no worker: what it shows is known from the broker, so a lag that grows because no worker runs is seen to grow.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from tidings import metrics
from tidings.clock import Clock
from tidings.errors import Retriable
from tidings.kafka.health import Health
from tidings.kafka.observe import Observer
from tidings.kafka.snapshot import Snapshot, State
from tidings.metrics import MetricStore
from tidings.observation import Observation

_log = structlog.get_logger(__name__)

_TICK_S = 0.2

_Labels = tuple[str, ...]


def keep_watch(
    observer: Observer, store: MetricStore, health: Health, clock: Clock, every_s: float, going_on: Callable[[], bool]
) -> None:
    """Look every `every_s` seconds until `going_on()` says no.

    A broker that is away is waited for: what was seen last stays, and `tidings_observed_timestamp_seconds` says how old
    it is. Raises Fatal where no policy was published or a topic may not be read.
    """
    due_at = clock.monotonic()
    while going_on():
        if clock.monotonic() >= due_at:
            due_at = clock.monotonic() + every_s
            try:
                show(observer.look(), store)
            except Retriable as failure:
                _log.warning("not observed", why=str(failure))
            else:
                health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=True))
        clock.sleep(_TICK_S)


def show(seen: Observation, store: MetricStore) -> None:
    """Make the monitor's metrics those of an observation: what is no longer there is shown no more."""
    store.set(metrics.PUBLISHED_POLICY, seen.policy_version)
    store.set(metrics.MEMBERS, len(seen.workers))
    store.set(metrics.HOLDING_FEEDS, seen.holding_feeds)
    store.set(metrics.WINDOW_MEMBERS, seen.windows)
    store.set(metrics.QUARANTINE_EVENTS, seen.quarantined)
    waiting: dict[_Labels, float] = {}
    waited: dict[_Labels, float] = {}
    for inbox in seen.inboxes:
        of_inbox = (inbox.agency, inbox.event_type)
        waiting[of_inbox] = waiting.get(of_inbox, 0.0) + inbox.waiting_events
        waited[of_inbox] = max(waited.get(of_inbox, 0.0), inbox.waiting_seconds)
    store.replace(metrics.INBOX_LAG_EVENTS, waiting)
    store.replace(metrics.INBOX_LAG_SECONDS, waited)
    fresh: dict[_Labels, float] = {}
    views: dict[_Labels, float] = {}
    lag_views: dict[_Labels, float] = {}
    lag_seconds: dict[_Labels, float] = {}
    for feed in seen.feeds:
        labels = (feed.agency, feed.agreement, feed.event_type)
        # Two versions of an agreement may stand side by side: the worse of them is shown, and the sum of their views.
        fresh[labels] = max(fresh.get(labels, 0.0), feed.freshness_seconds)
        views[labels] = views.get(labels, 0.0) + feed.views
        for group in feed.groups:
            lag_views[labels] = max(lag_views.get(labels, 0.0), group.lag_views)
            lag_seconds[labels] = max(lag_seconds.get(labels, 0.0), group.lag_seconds)
    store.replace(metrics.FRESHNESS, fresh)
    store.replace(metrics.FEED_VIEWS, views)
    store.replace(metrics.FEED_LAG_EVENTS, lag_views)
    store.replace(metrics.FEED_LAG_SECONDS, lag_seconds)
    store.set(metrics.OBSERVED_AT, seen.at_ms / 1000)
