"""The findings: each when it should, with its severity and evidence, none otherwise; and no value in any."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from stream_processors.derived import risk_monitor
from stream_processors.derived._risk_findings import KINDS, LEAST_FOR_EMPTY, UNUSED_DAYS, Found, linkable, volume
from stream_processors.derived.risk_monitor import PROCESSOR, TOLD_DAYS
from stream_processors.host.declaration import DAY_MS, HOUR_MS
from stream_processors.host.harness import TestProcessor
from tests.stream_processors import world
from tests.stream_processors.derived.test_data_quality import block, entry
from tidings import topics
from tidings.clock import StillClock
from tidings.metrics import RISK_SEVERITY
from tidings.policy.model import View

NOW_MS = StillClock().now_ms()
TODAY = date(2026, 6, 1)
FINDINGS = topics.RISK_FINDINGS
QUIET = world.view(
    "quiet", {"deceased.date_of_birth": ("generalise", {"to": "year"}), "usual_residence.postcode": "keep"}
)
NAMED = world.view("named", {"deceased.names": "keep", "deceased.date_of_birth": "keep"}, inbox=world.INBOX)
CAUSES = world.view("causes", {"cause_of_death": "keep", "usual_residence.country": "keep"})


class Risks(TestProcessor):
    """The processor with some agreements in force for a hundred days."""

    __test__ = False

    def __init__(self, *views: View) -> None:
        made = world.policy(1, views).model_copy(update={"created_at_ms": NOW_MS - 100 * DAY_MS})
        super().__init__(PROCESSOR, made)

    def delivered(self, view: View, views: int, days_ago: int) -> None:
        """One block in which so many views went to a feed."""
        at_ms = NOW_MS - days_ago * DAY_MS
        to = {"agreement": view.feed, "outcome": "DELIVERED", "sequence": 1, "commitment": bytes(16)}
        self.send(topics.DECISIONS, block(*[entry(agreements=[to])] * views, at_ms=at_ms), at_ms=at_ms)

    def tell(self, view: View, number: int, days_ago: int, **body: Any) -> None:
        """A view of one of so many subjects."""
        value = {
            "sequence": number, "kind": "LIVE", "policy_version": 1, "change": "CREATED", "record_id": f"r/{number}",
        }  # fmt: skip
        at_ms = NOW_MS - days_ago * DAY_MS
        self.send(view.feed, value | body, at_ms=at_ms, schema=view.view_schema, key=f"v1.{number}".encode())

    def found(self, kind: str) -> list[dict[str, Any]]:
        """The findings of one kind that hold, weighed once more by now."""
        self.tick(NOW_MS)
        return [each for each in self.latest(FINDINGS).values() if each["finding"] == kind and each["active"]]


def evidence(finding: dict[str, Any]) -> dict[str, float]:
    """Its numbers by name."""
    return {each["name"]: each["value"] for each in finding["evidence"]}


def test_a_day_with_far_more_than_its_history_is_found() -> None:
    """Ten a day for two weeks, then a hundred and fifty; a quiet neighbour is not."""
    made = Risks(world.BENEFITS, world.STATISTICS)
    for ago in range(15, 1, -1):
        made.delivered(world.BENEFITS, 10, ago)
        made.delivered(world.STATISTICS, 10, ago)
    assert made.found("volume") == []
    made.delivered(world.BENEFITS, 150, 1)
    made.delivered(world.STATISTICS, 12, 1)
    [finding] = made.found("volume") or made_again(made)

    assert (finding["agency"], finding["agreements"], finding["severity"]) == ("dwp", ["benefits"], "HIGH")
    assert evidence(finding)["views"] == 150
    assert finding["day"] == TODAY.isoformat()


def made_again(made: Risks) -> list[dict[str, Any]]:
    """What is weighed at the next sweep: an hour later."""
    made.tick(NOW_MS + HOUR_MS)
    return [each for each in made.latest(FINDINGS).values() if each["finding"] == "volume" and each["active"]]


@pytest.mark.parametrize(
    ("day", "before", "severity"),
    [
        (19, [0] * 30, None),  # too few to matter
        (1_000, [1] * 6, None),  # no history
        (130, [100] * 30, None),  # not twice
        (200, [100, 300] * 15, None),  # as usual
        (180, [60, 100] * 15, None),  # within its own ups and downs
        (250, [95, 100, 105] * 10, "MEDIUM"),
        (40, [0] * 30, "HIGH"),  # silent until now
    ],
)
def test_what_is_far_more(day: int, before: list[int], severity: str | None) -> None:
    """By the modified z-score, at least twice, and enough of them."""
    assert [each.severity for each in volume(QUIET, day, before)] == ([severity] if severity else [])


def test_unique_combinations_are_found_in_a_feed_without_names() -> None:
    """Each postcode of its own: everyone is unique. In a feed where all share one, nobody is."""
    made = Risks(QUIET, NAMED, world.STATISTICS)
    for number in range(150):
        made.tell(QUIET, number, 8, usual_residence={"postcode": f"ZZ9 {number}ZZ"}, deceased={"date_of_birth": 1950})
        made.tell(world.STATISTICS, number, 8, usual_residence={"country": "GB"})
        made.tell(NAMED, number, 8, deceased={"names": [], "date_of_birth": world.day(1900 + number)})
    [finding] = made.found("reidentification")

    assert (finding["agreements"], finding["severity"]) == (["quiet"], "HIGH")
    assert evidence(finding)["unique_share"] == 1.0
    assert set(finding["paths"]) == {"deceased.date_of_birth", "usual_residence.postcode"}
    assert "ZZ9" not in str(made.state()) + str(made.sent(FINDINGS))


def test_shared_combinations_are_none() -> None:
    """Ten people of each."""
    made = Risks(QUIET)
    for number in range(300):
        made.tell(QUIET, number, 8, usual_residence={"postcode": f"ZZ9 {number // 10}ZZ"})

    assert made.found("reidentification") == []


def test_two_agreements_that_reveal_what_neither_may() -> None:
    """One names the dead, the other tells causes without names, of the same events."""
    [finding] = [each for each in linkable([NAMED, CAUSES]) if each.kind == "linkable"]

    assert (finding.severity, finding.agreements) == ("HIGH", ("causes", "named"))
    assert any(path.startswith("cause_of_death") for path in finding.paths)
    made = Risks(NAMED, CAUSES)
    assert [each["agreements"] for each in made.found("linkable")] == [["causes", "named"]]


def test_what_cannot_be_joined_is_not_linkable() -> None:
    """Other events and other keys; two agencies; two feeds of one agreement, which was approved as one."""
    apart = CAUSES.model_copy(update={"inbox": "inbox.gro.birth-registered"})
    group = {"key_group": "linkage.shared"}

    assert list(linkable([NAMED, apart])) == []
    assert [each.kind for each in linkable([NAMED.model_copy(update=group), apart.model_copy(update=group)])] == [
        "linkable"
    ]
    assert list(linkable([NAMED, CAUSES.model_copy(update={"agreement": "named"})])) == []
    made = Risks(
        NAMED, CAUSES.model_copy(update={"subscriber": "hmrc", "feed": "feed.hmrc.causes.v1.death-registered"})
    )
    assert made.found("linkable") == []


def test_a_mask_that_another_agreement_undoes() -> None:
    """The year here, the day there."""
    assert [(each.kind, each.severity, each.paths) for each in linkable([NAMED, QUIET]) if each.kind == "unmasked"] == [
        ("unmasked", "LOW", ("deceased.date_of_birth",))
    ]


def test_an_agreement_that_is_not_used() -> None:
    """Nothing for ninety days; one view, and it is used again; that is said for three days."""
    made = Risks(QUIET)
    assert [evidence(each)["days"] for each in made.found("unused")] == [99]
    made.delivered(QUIET, 1, 0)
    made.tick(NOW_MS + HOUR_MS)
    [gone] = [each for each in made.latest(FINDINGS).values() if each["finding"] == "unused"]
    assert (gone["active"], gone["evidence"]) == (False, [])
    assert len(made.rows("told")) == 1
    made.tick(NOW_MS + TOLD_DAYS * DAY_MS)
    assert made.rows("told") == {}

    barely = Risks(QUIET)
    barely.delivered(QUIET, 1, UNUSED_DAYS - 1)
    assert barely.found("unused") == []


@pytest.mark.parametrize(("days", "severity"), [(61, None), (60, "LOW"), (30, "MEDIUM"), (7, "HIGH"), (0, "HIGH")])
def test_an_agreement_that_ends_soon(days: int, severity: str | None) -> None:
    """By how soon."""
    made = Risks(QUIET.model_copy(update={"valid_until": TODAY + timedelta(days=days)}))

    assert [each["severity"] for each in made.found("expiring")] == ([severity] if severity else [])


@pytest.mark.parametrize("change", [{"stopped": True}, {"valid_until": TODAY - timedelta(days=1)}])
def test_what_is_not_in_force_is_no_risk(change: dict[str, Any]) -> None:
    """It was stopped, or is over: there is nothing to be found in it."""
    made = Risks(QUIET.model_copy(update=change))
    made.tick(NOW_MS)

    assert made.sent(FINDINGS) == []


def test_a_field_that_no_view_held() -> None:
    """After enough views; which one is said."""
    made = Risks(QUIET)
    for number in range(LEAST_FOR_EMPTY - 1):
        made.tell(QUIET, number, 8, usual_residence={"postcode": "ZZ9 9ZZ"})
    assert made.found("broader") == []
    made.tell(QUIET, 999, 8, usual_residence={"postcode": "ZZ9 9ZZ"})
    made.tick(NOW_MS + HOUR_MS)

    [finding] = made.found("broader")
    assert finding["paths"] == ["deceased.date_of_birth"]


def test_a_withdrawal_tells_nothing() -> None:
    """It is no view that could be empty, or unique."""
    made = Risks(QUIET)
    made.tell(QUIET, 1, 8, kind="WITHDRAWN")

    assert made.rows("weeks") == made.rows("sketch") == {}
    assert made.set_aside() == []


def test_what_is_found_is_a_metric() -> None:
    """By agency, agreement and finding; 0 where nothing is, from the start."""
    made = Risks(NAMED, CAUSES, QUIET)
    assert made.metrics.value(RISK_SEVERITY, "dwp", "quiet", "volume") == 0.0
    made.tick(NOW_MS)

    assert made.metrics.value(RISK_SEVERITY, "dwp", "causes", "linkable") == 3.0
    assert made.metrics.value(RISK_SEVERITY, "dwp", "quiet", "unmasked") == 1.0


def test_the_page_names_every_finding() -> None:
    """Its list is what is found."""
    said = risk_monitor.__doc__ or ""
    for kind in KINDS:
        assert f"\n- **{kind}**, of " in said
    assert Found("unused", "LOW", ("a",), "e").name == "unused/a/e"
