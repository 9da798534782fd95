"""The simulator and the example country fit: no agreement is idle while a few thousand events pass."""

from __future__ import annotations

from functools import cache

import pytest

from producers.encode import Encoder
from producers.simulation.people import STRIDE, WATCHED, populate
from producers.simulation.rates import rates
from producers.simulation.shapes import EVENT_TYPES
from producers.simulator import Settings, simulate
from tests.agreements.test_example_country import FOLDER, catalogue, country
from tidings import wire
from tidings.agreements.interest import read_interest
from tidings.checks.identifier_checksum import valid
from tidings.clock import StillClock, utc_date
from tidings.keys import KeyRing
from tidings.policy.compile import compile_policy
from tidings.policy.in_force import in_force
from tidings.policy.model import Environment, Policy, View
from tidings.projection import reference_projector

EVENTS, PEOPLE = 5_000, 50_000
START_MS = StillClock().now_ms()
KEYS = KeyRing(bytes(range(32)))
SCHEMA_ID = 1


@cache
def policy() -> Policy:
    """The example country's policy on the day of the simulation."""
    return compile_policy(
        catalogue(), country(), lambda _topic, _schema: SCHEMA_ID, version=1, environment=Environment.SYNTHETIC,
        now_ms=START_MS, keys=KEYS,
    )  # fmt: skip


def views_in_force() -> list[View]:
    """The views of the event types that the simulator makes, whose agreements are in force on the day of the policy."""
    day = utc_date(START_MS)
    return [view for view in policy().views if view.event_type in EVENT_TYPES and in_force(view, day, "CREATED")]


def passing(seed: int) -> set[str]:
    """The feeds that get at least one of the sound events of a seed."""
    waiting: dict[str, list[View]] = {}
    for view in views_in_force():
        waiting.setdefault(view.event_type, []).append(view)
    inboxes = {inbox.event_type: inbox for inbox in policy().inboxes if inbox.event_type in waiting}
    projectors = {
        name: reference_projector(inbox, policy().views, KEYS, policy().version) for name, inbox in inboxes.items()
    }
    encoders = {name: Encoder(inbox.agency, name, SCHEMA_ID, inbox.reader_schema) for name, inbox in inboxes.items()}
    found: set[str] = set()
    for made in simulate(EVENTS, Settings(seed=seed, people=PEOPLE)):
        if made.expected != "accepted" or not waiting.get(made.event_type):
            continue
        projector = projectors[made.event_type]
        value = made.wire(encoders[made.event_type]).value or b""
        scan = projector.scan(wire.schema_id_of(value), value[wire.HEADER_BYTES :])
        for view in tuple(waiting[made.event_type]):
            if projector.decide(scan, view, ()).outcome == "delivered":
                waiting[made.event_type].remove(view)
                found.add(view.feed)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_feed_is_idle(seed: int) -> None:
    """Of 5,000 simulated events every feed in force gets at least one, narrow filters and interest lists included."""
    views = views_in_force()

    assert {"council-tax-moves", "deputyship-watch", "marriage-allowance"} <= {view.agreement for view in views}
    assert {view.feed for view in views} - passing(seed) == set()


def test_the_interest_list_is_of_simulated_people() -> None:
    """Its people have valid NHS numbers of the range that is nobody's, and are those whom the simulator watches."""
    lines = read_interest(FOLDER / "interest" / "deputyships.txt")
    numbers = [line.removeprefix("nhs_number:") for line in lines]

    assert all(number.startswith("999") and valid("nhs_number", number) for number in numbers)
    people = populate(0, 1_000, 1, 2012, rates())
    assert {f"nhs_number:{number}".encode() for number in numbers} == {people.key(n * STRIDE)[1] for n in WATCHED}
