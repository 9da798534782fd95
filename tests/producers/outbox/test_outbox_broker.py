"""The relay between a real PostgreSQL and a real broker, both of which are killed or restarted, as it is itself: what
stands in the inbox afterwards is every row once, in the order of its subject."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.eventually import eventually
from tests.producers.outbox.kit import INBOX, Event, Outbox, event_id_of, hold_to_order, provide, rows_of
from tests.producers.outbox.relay_process import spawn
from tests.stacks import come_back
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import read_to_end

if TYPE_CHECKING:
    from deploy.local.stack import Stack

pytestmark = [pytest.mark.broker, pytest.mark.postgresql]


@pytest.fixture(scope="module")
def own_stack(spare_broker: Stack) -> Stack:
    """A broker that may be restarted, with the agency's inbox and what `apply` gives it."""
    provide(spare_broker.cluster)
    return spare_broker


class Site:
    """An outbox and the inbox it is relayed to."""

    def __init__(self, cluster: Cluster, outbox: Outbox) -> None:
        self.cluster = cluster
        self.outbox = outbox

    def seen(self, rows: list[Event]) -> list[str]:
        """The event ids of `rows` in the inbox, in the order of each partition."""
        wanted = {event["event_id"] for _, event in rows}
        read = sorted(read_to_end(self.cluster, "admin", INBOX), key=lambda each: (each.partition, each.offset))
        return [found for found in (event_id_of(each.value or b"") for each in read) if found in wanted]

    def drain(self) -> None:
        """Relay what is left in a new process."""
        assert spawn(self.cluster, self.outbox.dsn()).wait(120) == 0
        assert self.outbox.states().keys() == {"sent"}


@pytest.fixture
def site(own_stack: Stack, outbox: Outbox) -> Site:
    """Both, with an empty outbox."""
    return Site(own_stack.cluster, outbox)


def test_a_relay_that_is_killed_at_any_step(site: Site) -> None:
    """Before its transaction, inside it, before its commit, and after that before the rows are marked."""
    rows = rows_of(900, seed=11)
    site.outbox.insert(rows)
    for step in ("noted", "produced", "offsets", "written"):
        assert spawn(site.cluster, site.outbox.dsn(), step=step).wait(120) == -signal.SIGKILL
    assert "waiting" in site.outbox.states()
    site.drain()

    hold_to_order(site.seen(rows), rows)


def test_a_database_that_is_killed(site: Site) -> None:
    """kill -9 of PostgreSQL while two relays work: both go on with what was committed."""
    rows = rows_of(1_200, seed=12)
    site.outbox.insert(rows[:600])
    relays = [spawn(site.cluster, site.outbox.dsn(), until_empty=False) for _ in range(2)]
    try:
        eventually(lambda: site.outbox.states().get("sent", 0) > 50, "rows are sent")
        site.outbox.postgres.kill()
        site.outbox.close()
        site.outbox.postgres.start()
        site.outbox.insert(rows[600:])
        eventually(lambda: site.outbox.states() == {"sent": 1_200}, "all is sent")
    finally:
        for each in relays:
            each.kill()
            each.wait()

    hold_to_order(site.seen(rows), rows)


@pytest.mark.skipif(
    "TIDINGS_OUTBOX_RESTART" not in os.environ,
    reason="a broker's restart takes a quarter of a minute; set TIDINGS_OUTBOX_RESTART to wait for it",
)
def test_a_broker_that_restarts(site: Site, own_stack: Stack) -> None:
    """Down while a relay works, and up again: the relay goes on by itself."""
    from deploy.local.stack import down

    rows = rows_of(900, seed=13)
    site.outbox.insert(rows[:600])
    relay = spawn(site.cluster, site.outbox.dsn(), until_empty=False)
    try:
        eventually(lambda: site.outbox.states().get("sent", 0) > 50, "rows are sent")
        down(own_stack.data)
        site.outbox.insert(rows[600:])
        come_back(own_stack)
        eventually(lambda: relay.poll() is not None or site.outbox.states() == {"sent": 900}, "all is sent", 60)
        assert relay.poll() is None
    finally:
        relay.kill()
        relay.wait()

    hold_to_order(site.seen(rows), rows)
