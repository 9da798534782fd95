"""The journeys: which step came when, what never came, and what is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stream_processors.derived import life_event_journey
from stream_processors.derived._journey_facts import RECORDS
from stream_processors.derived._journey_steps import LIFE_EVENTS, WINDOW_MS
from stream_processors.derived.life_event_journey import KEPT_MS, PROCESSOR, SWEEP_MS
from stream_processors.host.declaration import DAY_MS, HOUR_MS
from stream_processors.host.harness import Killed, TestProcessor
from tests.compliance.processor_events import linked, policy
from tidings import topics
from tidings.clock import StillClock

NOW_MS = StillClock().now_ms()
START_MS = NOW_MS - 100 * DAY_MS
ADA, BEN = b"1.ada", b"1.ben"
VIEWS = {
    event_type: linked(event_type, number, rules)
    for number, (event_type, rules) in enumerate(
        {
            "birth-notified": {"subject": "pseudonym"},
            "birth-registered": {"subject": "pseudonym"},
            "gp-registration-changed": {"subject": "pseudonym"},
            "address-changed": {"subject": "pseudonym"},
            "death-notified": {"subject": "pseudonym", "status": "keep"},
            "death-registered": {"subject": "pseudonym"},
        }.items(),
        start=21,
    )
}
OTHER = linked("death-registered", 31, {"subject": "pseudonym"}, subscriber="hmrc")


class Journeys(TestProcessor):
    """The processor with an agreement on every step; `dwp` is told of all, `hmrc` of registered deaths."""

    __test__ = False

    def __init__(self) -> None:
        made = policy()
        super().__init__(PROCESSOR, made.model_copy(update={"views": (*VIEWS.values(), OTHER)}))

    def tell(
        self, event_type: str, at_ms: int, change: str = "CREATED", *, subject: bytes = ADA, feed: str = "", **more: Any
    ) -> None:
        """A view of one event."""
        topic = feed or VIEWS[event_type].feed
        schema = VIEWS[event_type].view_schema
        value = {
            "sequence": 1, "kind": "LIVE", "policy_version": 1, "change": change, "record_id": f"r/{event_type}", **more
        }  # fmt: skip
        self.send(topic, value, at_ms=at_ms, schema=schema, key=subject)

    def journey(self, life_event: str, subject: bytes = ADA, subscriber: str = "dwp") -> dict[str, Any]:
        """A journey as it was sent last."""
        return self.latest(topics.journeys(subscriber))[f"{subject.decode()}/{life_event}"]

    def states(self, life_event: str) -> dict[str, str]:
        """The states of its steps."""
        return {each["step"]: each["state"] for each in self.journey(life_event)["steps"]}


@pytest.fixture
def made() -> Journeys:
    """The processor with nothing taken in."""
    return Journeys()


def step(journey: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of a journey."""
    [found] = [each for each in journey["steps"] if each["step"] == name]
    return dict(found)


def test_a_death_goes_from_informal_to_formal(made: Journeys) -> None:
    """Each agency's step stands with what it took; informal to formal is a change of one record."""
    at = [START_MS, START_MS + 3 * DAY_MS, START_MS + 4 * DAY_MS]
    recorded = datetime.fromtimestamp((at[1] - HOUR_MS) / 1000, UTC)
    made.tell("death-notified", at[0], status="INFORMAL")
    assert made.journey("death")["state"] == "AWAITED"
    made.tell("death-registered", at[1], recorded_at=recorded)
    made.tell("death-notified", at[2], "CHANGED", status="FORMAL")
    journey = made.journey("death")

    assert (journey["subject"], journey["state"], journey["corrections"]) == ("1.ada", "COMPLETE", 0)
    assert [each["step"] for each in journey["steps"]] == ["informal", "registered", "formal"]
    assert [each["took_ms"] for each in journey["steps"]] == [None, 3 * DAY_MS, DAY_MS]
    assert step(journey, "registered")["publishing_ms"] == HOUR_MS
    assert step(journey, "informal")["publishing_ms"] is None
    assert step(journey, "registered")["due_at"] == datetime.fromtimestamp((at[0] + 5 * DAY_MS) / 1000, UTC)


def test_a_birth_gathers_what_its_child_is_told(made: Journeys) -> None:
    """Whatever order topics are read in; what is told long after belongs to no birth, nor what is told of another."""
    made.tell("address-changed", START_MS + HOUR_MS)
    made.tell("birth-registered", START_MS + 9 * DAY_MS, life_event_id="twins")
    made.tell("birth-notified", START_MS)
    made.tell("birth-notified", START_MS, subject=BEN, life_event_id="twins")
    assert made.states("birth") == {
        "notified": "ARRIVED", "registered": "ARRIVED", "practice": "AWAITED", "address": "ARRIVED",
    }  # fmt: skip
    made.tell("gp-registration-changed", START_MS + 95 * DAY_MS)

    assert made.states("birth")["practice"] == "OVERDUE"
    assert made.journey("birth")["life_event_id"] == made.journey("birth", BEN)["life_event_id"] == "twins"
    assert step(made.journey("birth"), "registered")["took_ms"] == 9 * DAY_MS - HOUR_MS


def test_who_moves_is_on_no_journey(made: Journeys) -> None:
    """An address or a practice opens no life event."""
    made.tell("address-changed", START_MS)
    made.tell("gp-registration-changed", START_MS)

    assert made.latest(topics.journeys("dwp")) == {}


def test_what_never_came_is_said_when_it_was_due(made: Journeys) -> None:
    """By stream time alone, once; and it may still come."""
    made.tell("death-notified", START_MS, status="FORMAL")
    made.tick(START_MS + 5 * DAY_MS - HOUR_MS)
    assert len(made.sent(topics.journeys("dwp"))) == 1
    made.tick(START_MS + 5 * DAY_MS + SWEEP_MS)
    assert made.journey("death")["state"] == "OVERDUE"
    assert made.states("death") == {"registered": "OVERDUE", "formal": "ARRIVED"}
    for sweeps in range(2, 30):
        made.tick(START_MS + 5 * DAY_MS + sweeps * SWEEP_MS)
    assert len(made.sent(topics.journeys("dwp"))) == 3

    made.tell("death-registered", START_MS + 20 * DAY_MS)
    assert made.journey("death")["state"] == "COMPLETE"
    assert step(made.journey("death"), "registered")["took_ms"] == 20 * DAY_MS


@pytest.mark.parametrize("writes", range(6))
def test_a_crash_while_it_sweeps_loses_nothing(made: Journeys, writes: int) -> None:
    """Killed after each write of the sweep that finds a step overdue: it is told all the same."""
    made.tell("death-notified", START_MS, status="FORMAL")
    made.kill_after(writes)
    try:
        made.tick(START_MS + 6 * DAY_MS)
    except Killed:
        made.restart(back=1, disk_lost=writes % 2 == 0)
    made.tick(START_MS + 6 * DAY_MS + SWEEP_MS)

    assert made.journey("death")["state"] == "OVERDUE"


def test_a_removal_undoes_a_death(made: Journeys) -> None:
    """And a reinstatement makes it stand again, with the times it had."""
    made.tell("death-notified", START_MS, status="INFORMAL")
    made.tell("death-notified", START_MS + DAY_MS, "ANNULLED", status="REMOVED")
    assert made.journey("death")["state"] == "UNDONE"
    assert made.states("death") == {"informal": "UNDONE", "removed": "ARRIVED"}
    made.tick(START_MS + 30 * DAY_MS)
    assert made.journey("death")["state"] == "UNDONE"
    made.tell("death-notified", START_MS + 2 * DAY_MS, "REINSTATED", status="INFORMAL")

    assert made.states("death") == {"informal": "ARRIVED", "registered": "OVERDUE", "formal": "OVERDUE"}
    assert step(made.journey("death"), "informal")["told_at"] == datetime.fromtimestamp(START_MS / 1000, UTC)


@pytest.mark.parametrize("back", [{"change": "ANNULLED"}, {"change": None, "kind": "WITHDRAWN"}])
def test_what_is_taken_back_is_awaited_again(made: Journeys, back: dict[str, Any]) -> None:
    """An annulled registration, or one that is bare withdrawn, counts no more; its death stands."""
    made.tell("death-notified", START_MS, status="FORMAL")
    made.tell("death-registered", START_MS + DAY_MS)
    assert made.journey("death")["state"] == "COMPLETE"
    made.tell("death-registered", START_MS + 2 * DAY_MS, **back)

    assert made.states("death") == {"registered": "AWAITED", "formal": "ARRIVED"}


def test_a_correction_keeps_times_and_takes_back_what_went_too_far(made: Journeys) -> None:
    """It was never formal: so it is awaited."""
    made.tell("death-notified", START_MS, status="INFORMAL")
    made.tell("death-notified", START_MS + DAY_MS, "CHANGED", status="FORMAL")
    made.tell("death-notified", START_MS + 2 * DAY_MS, "CORRECTED", status="INFORMAL")
    journey = made.journey("death")

    assert journey["corrections"] == 1
    assert made.states("death") == {"informal": "ARRIVED", "registered": "AWAITED", "formal": "AWAITED"}
    assert step(journey, "informal")["told_at"] == datetime.fromtimestamp(START_MS / 1000, UTC)


def test_a_subscriber_hears_of_its_own_feeds_only(made: Journeys) -> None:
    """One that is told of registrations alone never learns of a notification."""
    made.tell("death-notified", START_MS, status="FORMAL")
    made.tell("death-registered", START_MS + DAY_MS, feed=OTHER.feed)

    assert made.states("death") == {"registered": "AWAITED", "formal": "ARRIVED"}
    theirs = made.journey("death", subscriber="hmrc")
    assert [each["step"] for each in theirs["steps"] if each["told_at"]] == ["registered"]


def test_a_view_without_key_or_record_is_set_aside(made: Journeys) -> None:
    """With a code, and nothing else happens."""
    schema = VIEWS["death-registered"].view_schema
    view = {"sequence": 1, "kind": "LIVE", "policy_version": 1, "change": "CREATED"}
    made.send(VIEWS["death-registered"].feed, {**view, "record_id": "r"}, schema=schema)
    redacted = {**schema, "fields": [each for each in schema["fields"] if each["name"] != "record_id"]}
    made.send(VIEWS["death-registered"].feed, view, schema=redacted, key=ADA)

    assert [each.code for each in made.set_aside()] == ["null_key", "required_missing"]


def test_a_row_is_as_small_as_the_guide_says(made: Journeys) -> None:
    """Ten million of them are sized there."""
    made.tell("birth-notified", START_MS, subject=b"v1." + b"a" * 32, record_id="v1." + "b" * 32)
    made.tell("birth-registered", START_MS + DAY_MS, subject=b"v1." + b"a" * 32, record_id="v1." + "c" * 32)
    [stored] = [row for place in made._places for row in place.changelog.get("opened", {}).values()]

    assert len(stored) < 550


def test_the_page_says_by_when_each_step_is_expected() -> None:
    """The table of people is the table of the code."""
    said = life_event_journey.__doc__ or ""
    for life_event, steps in LIFE_EVENTS.items():
        for each in steps:
            hours = None if each.due_ms is None else each.due_ms // HOUR_MS
            due = "never" if hours is None else f"{hours} hours" if hours % 24 else f"{hours // 24} days"
            status = {"REMOVED": ", annulled", None: ""}.get(each.status, f", `{each.status}`")
            assert f"| {life_event} | {each.name} | `{each.event_type}`{status} | {due} |" in said
    assert (KEPT_MS, SWEEP_MS, WINDOW_MS) == (183 * DAY_MS, 6 * HOUR_MS, 91 * DAY_MS)


def test_state_is_bounded_in_records_and_time(made: Journeys) -> None:
    """However many records a subject has; and rows go with their time, none of them sending anything."""
    for number in range(3 * RECORDS):
        change = "ANNULLED" if number % 3 else "CREATED"
        made.tell("death-registered", START_MS + number, change, record_id=f"r/{number}")
    [row] = made.rows("opened").values()
    assert len(row["of"]["death-registered"]) == RECORDS
    assert sum(each["gone"] is None for each in row["of"]["death-registered"].values()) == RECORDS
    sent = len(made.sent(topics.journeys("dwp")))
    made.tick(START_MS + KEPT_MS + DAY_MS)
    made.tick(START_MS + KEPT_MS + 2 * DAY_MS)

    assert made.rows("opened") == {}
    assert len(made.sent(topics.journeys("dwp"))) <= sent + 2
