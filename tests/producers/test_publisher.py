"""The publisher: checked before it is sent, confirmed before it counts. No broker here: a list takes the records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from producers.publisher import EventPublisher
from producers.simulator import Settings, simulate
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import StillClock
from tidings.errors import BadInput, Reject, Retriable, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.policy.model import Environment

CATALOGUE = load_catalogue(default_catalogue_dir())
ONLY = frozenset({"death-registered"})
EVENT = next(simulate(1, Settings(people=20_000, bad_share=0, duplicate_share=0, only=ONLY))).event


class Listed:
    """A sender that keeps topics and keys and answers each record with `error`."""

    def __init__(self, error: TidingsError | None = None) -> None:
        self.sent: list[tuple[str, bytes | None]] = []
        self._error = error

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, delivered: Callable[[TidingsError | None], None]
    ) -> None:
        """Keep one record."""
        assert value
        self.sent.append((topic, key))
        delivered(self._error)

    def flush(self) -> None:
        """Nothing is left waiting."""


def publisher(sender: Listed, agency: str = "gro") -> EventPublisher:
    """A publisher that sends into a list."""
    cluster = Cluster(
        bootstrap_servers="",
        ca_file=Path(),
        credentials_dir=Path(),
        keys_file=Path(),
        environment=Environment.SYNTHETIC,
    )
    ids = dict.fromkeys(CATALOGUE.event_types, 1)
    return EventPublisher(cluster, agency, catalogue=CATALOGUE, schema_ids=ids, clock=StillClock(), sender=sender)


def test_a_good_event_is_sent_under_its_subject() -> None:
    """The record goes to the agency's inbox with scheme and value of the subject as its key."""
    sender = Listed()
    with publisher(sender) as each:
        assert each.publish("death-registered", EVENT) == ()

    subject = EVENT["subject"]
    assert sender.sent == [("inbox.gro.death-registered", f"{subject['scheme']}:{subject['value']}".encode())]
    assert each.delivered == 1


def test_all_reasons_at_once_and_nothing_sent() -> None:
    """An event that is wrong in several ways is refused with every reason, framing and checks alike."""
    sender = Listed()
    bad = EVENT | {
        "environment": "LIVE",
        "event_id": "x",
        "source": EVENT["source"] | {"agency": "dwp"},
        "occurred_on": {"year": 2023, "month": 2, "day": 30},
        "deceased": None,
    }
    with pytest.raises(Reject) as refusal:
        publisher(sender).publish("death-registered", bad)

    assert {str(finding) for finding in refusal.value.findings} == {
        "environment_mismatch:environment",
        "event_id_invalid:event_id",
        "source_mismatch:source.agency",
        "date_impossible:occurred_on",
        "required_missing:deceased",
    }
    assert sender.sent == []


def test_a_failed_delivery_is_retriable() -> None:
    """What the broker did not take is said by flush, with the same bytes to be sent again."""
    each = publisher(Listed(Retriable("delivering: REQUEST_TIMED_OUT")))
    each.publish("death-registered", EVENT)

    with pytest.raises(Retriable, match="1 events were not delivered"):
        each.flush()


def test_another_agencys_event_type() -> None:
    """An event type has one owner; an unknown one has none."""
    with pytest.raises(BadInput, match="nhs-pds cannot publish death-registered, which belongs to gro"):
        publisher(Listed(), "nhs-pds").publish("death-registered", EVENT)
    with pytest.raises(BadInput, match="unknown-event-type"):
        publisher(Listed()).publish("no-such", EVENT)


def test_an_event_without_a_head() -> None:
    """What has no readable head is undecodable."""
    with pytest.raises(Reject, match="undecodable"):
        publisher(Listed()).publish("death-registered", {})
