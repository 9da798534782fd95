"""From agreements to a policy: what is in it, what is not, and who is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tidings.agreements.kit import AGREEMENT, catalogue, load, spoil, write
from tidings.agreements.approve import agreement_hash
from tidings.agreements.model import Approval
from tidings.agreements.record_approval import write_approvals
from tidings.clock import StillClock, utc_date
from tidings.errors import BadInput
from tidings.keys import KeyRing
from tidings.policy import codec
from tidings.policy.compile import Stops, compile_policy
from tidings.policy.diff import Direction, breaking_views, privacy_diff
from tidings.policy.model import Environment, JsonObject, Policy
from tidings.projection.ids import feed_key

KEYS = KeyRing(bytes(32))
NOW_MS = StillClock().now_ms()
FEED = "feed.dwp.bereavement-benefits.v3.death-registered"
GROUP = "gro.dwp.bereavement-benefits"


def ids(topic: str, schema: JsonObject) -> int:
    """A schema id that is the same for the same topic and record."""
    return (len(topic) << 8) + len(schema["name"])


def compiled(
    folder: Path,
    text: str = AGREEMENT,
    *,
    approved: bool = True,
    stops: Stops | None = None,
    environment: Environment = Environment.SYNTHETIC,
    now_ms: int = NOW_MS,
    keys: KeyRing | None = KEYS,
) -> Policy:
    """The policy of the small country with `text` as its agreement, approved by both sides unless told."""
    path = write(folder, text)
    agreement = load(folder).find("bereavement-benefits")
    if approved:
        content = agreement_hash(agreement, catalogue())
        day = utc_date(NOW_MS).replace(year=agreement.valid.from_.year, month=1, day=1)
        sides = (("gro", "data protection officer"), ("dwp", "service owner"))
        write_approvals(path, [Approval(agency=who, role=role, date=day, hash=content) for who, role in sides])
    return compile_policy(
        catalogue(), load(folder), ids, version=1, environment=environment, now_ms=now_ms, stops=stops, keys=keys
    )


def test_an_approved_agreement_is_a_view(tmp_path: Path) -> None:
    """Both sides approved: one view, from the owner's inbox to the subscriber's feed, with the stillbirth default."""
    policy = compiled(tmp_path)

    [view] = policy.views
    assert (view.inbox, view.feed, view.key_group) == ("inbox.gro.death-registered", FEED, GROUP)
    assert [line.path for line in view.where] == ["usual_residence.country", "stillbirth"]
    assert {inbox.agency for inbox in policy.inboxes} == {"gro"}
    assert compiled(tmp_path) == policy


def test_an_agreement_without_both_approvals_is_absent(tmp_path: Path) -> None:
    """No approval of this content, no view."""
    assert compiled(tmp_path, approved=False).views == ()


@pytest.mark.parametrize(
    ("dates", "after_end", "views"),
    [
        ("from: 2027-01-01, until: 2028-12-31", "nothing", 1),
        ("from: 2025-01-01, until: 2026-05-31", "nothing", 0),
        ("from: 2025-01-01, until: 2026-06-01", "nothing", 1),
        ("from: 2025-01-01, until: 2026-05-31", "corrections", 1),
    ],
)
def test_validity_is_the_batchs_matter(tmp_path: Path, dates: str, after_end: str, views: int) -> None:
    """On 2026-06-01 the future and the corrected past are in the policy; only what is over for good is not."""
    text = spoil("from: 2026-01-01, until: 2028-12-31, after_end: corrections", f"{dates}, after_end: {after_end}")
    text = spoil("review_by: 2027-12-31", "review_by: 2026-01-01", text)

    assert len(compiled(tmp_path, text.replace("2026-01-05", "2025-01-05")).views) == views


def test_stops_are_marked(tmp_path: Path) -> None:
    """A stopped agreement's view and a stopped publisher's inbox stay in the policy, marked."""
    agreement = compiled(tmp_path, stops=Stops(agreements=frozenset({"bereavement-benefits"})))
    publisher = compiled(tmp_path, stops=Stops(publishers=frozenset({"gro"})))
    everything = compiled(tmp_path, stops=Stops(all=True))

    seen = [(p.views[0].stopped, p.inboxes[0].stopped) for p in (agreement, publisher, everything)]
    assert seen == [(True, False), (False, True), (True, True)]


def test_an_interest_list_becomes_feed_keys(tmp_path: Path) -> None:
    """No clear id of a list is in the policy; a live exchange refuses clear ids, and so does one without keys."""
    text = spoil('{all: "Every death"}', "{interest_list: people.txt}")
    (tmp_path / "people.txt").write_text("nhs_number:9990000018\n", "utf-8")

    [view] = compiled(tmp_path, text).views

    assert view.interest == (feed_key(KEYS, GROUP, ("nhs_number", "9990000018")).decode(),)
    for environment, keys in ((Environment.LIVE, KEYS), (Environment.SYNTHETIC, None)):
        with pytest.raises(BadInput, match="interest-list-clear") as refused:
            compiled(tmp_path, text, environment=environment, keys=keys)
        assert refused.value.problems[0].line == 11


def test_the_first_policy_is_all_new(tmp_path: Path) -> None:
    """Against nothing, every named field is newly seen, and the filter's by inference."""
    [change] = privacy_diff(None, compiled(tmp_path))

    seen = {part.path: part.after for part in change.newly_seen}
    assert change.direction is Direction.NEW
    assert seen["deceased.date_of_birth"] == "generalise(to=year)"
    assert seen["usual_residence.country"] == "inferred"
    assert seen["deceased.names.family"] == "keep"


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("deceased.names: keep", "deceased.names.family: keep", Direction.NARROWER),
        ("      subject: pseudonym\n", "", Direction.NARROWER),
        ("subject: pseudonym", "subject: keep", Direction.WIDER),
        ("{generalise: year}", "{generalise: month}", Direction.BOTH),
        ("{generalise: year}", "redact", Direction.NARROWER),
        ("[GB]", "[GB, IE]", Direction.WIDER),
        ("missing: include", "missing: exclude", Direction.NARROWER),
        ("protected: without_location", "protected: full", Direction.WIDER),
        ("until: 2028-12-31", "until: 2028-12-30", Direction.NARROWER),
        ("onward_sharing: none", "onward_sharing: none\nlinkage: statistics", Direction.BOTH),
        ("onward_sharing: none", "onward_sharing: none\nhold: 1h", Direction.NARROWER),
        ("purpose: Stop benefits", "purpose: Stop all benefits", None),
    ],
)
def test_each_change_has_its_direction(tmp_path: Path, old: str, new: str, direction: Direction | None) -> None:
    """A change to fields, filter or terms is wider, narrower or, where it cannot be compared, both."""
    before = compiled(tmp_path)

    changes = privacy_diff(before, compiled(tmp_path, spoil(old, new)))

    assert [change.direction for change in changes] == ([direction] if direction else [])


def test_the_plan_counts_who_comes_onto_an_interest_list(tmp_path: Path) -> None:
    """A list is outside of what is approved, so the plan says of each change how many it lets in, and names nobody."""
    text = spoil('{all: "Every death"}', "{interest_list: people.txt}")
    (tmp_path / "people.txt").write_text("nhs_number:9990000018\nnhs_number:9990000026\n", "utf-8")
    before = compiled(tmp_path, text)
    (tmp_path / "people.txt").write_text("nhs_number:9990000018\nnhs_number:9990000034\n", "utf-8")

    [change] = privacy_diff(before, compiled(tmp_path, text))

    assert change.terms == ("the interest list changes: 1 subjects come, 1 go, 2 are on it",)
    assert change.direction is Direction.BOTH
    assert privacy_diff(before, before) == ()


def test_who_joins_a_linkage_group_is_told_of_every_member(tmp_path: Path) -> None:
    """A feed in force can newly be joined with one that comes: the plan says so of both."""
    before = compiled(tmp_path, spoil("onward_sharing: none", "onward_sharing: none\nlinkage: statistics"))
    [view] = before.views
    other = view.model_copy(update={"agreement": "pensions", "feed": "feed.dwp.pensions.v1.death-registered"})

    member, newcomer = privacy_diff(before, before.model_copy(update={"views": (view, other)}))

    assert (member.direction, member.terms) == (Direction.WIDER, ("can now be joined with the feeds of pensions",))
    assert newcomer.terms == ("can now be joined with the feeds of bereavement-benefits",)


def test_a_stop_ends_what_is_seen(tmp_path: Path) -> None:
    """A stopped agreement's feed counts as ended: nothing of it is seen any longer."""
    [change] = privacy_diff(compiled(tmp_path), compiled(tmp_path, stops=Stops(all=True)))

    assert (change.direction, change.newly_seen) == (Direction.ENDED, ())


def test_a_changed_type_breaks_todays_readers(tmp_path: Path) -> None:
    """A year that becomes a month (a number that becomes text) needs a new version; one more field does not."""
    before = compiled(tmp_path)

    broken = breaking_views(before, compiled(tmp_path, spoil("{generalise: year}", "{generalise: month}")))
    wider = spoil("deceased.names: keep", "deceased.names: keep\n      registration_district: keep")
    more = breaking_views(before, compiled(tmp_path, wider))

    assert ([*broken], more) == ([FEED], {})


def test_a_hold_is_in_the_policy_and_one_without_it_has_the_bytes_it_had(tmp_path: Path) -> None:
    """In seconds, with the topic where views wait; a policy of before there were holds keeps its hash."""
    held = compiled(tmp_path, spoil("onward_sharing: none", "onward_sharing: none\nhold: 90m"))
    plain = compiled(tmp_path)

    assert [(view.hold_seconds, view.written_to) for view in held.views] == [(5_400, FEED.replace("feed.", "held.", 1))]
    assert codec.decode(codec.encode(held), held.hash) == held
    assert [view.written_to for view in plain.views] == [FEED]
    assert b"hold_seconds" not in b"".join(codec.encode(plain))
    [change] = privacy_diff(held, compiled(tmp_path, spoil("onward_sharing: none", "onward_sharing: none\nhold: 2h")))
    assert change.terms == ("held back: 90 minutes becomes 2 hours",)
