"""The example country: it compiles, its approvals are good, and it uses every clause and every mask."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tidings.agreements import Agreement, Country, load_country
from tidings.agreements.approve import agreement_hash, approval_state
from tidings.agreements.page import agreement_page
from tidings.agreements.samples import load_samples
from tidings.catalogue import Catalogue, default_catalogue_dir, load_catalogue
from tidings.clock import StillClock, utc_date
from tidings.keys import KeyRing
from tidings.masks import MASKS
from tidings.policy.compile import compile_policy
from tidings.policy.count_samples import count_samples
from tidings.policy.model import Environment, Policy

FOLDER = Path(__file__).resolve().parents[2] / "agreements"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.name != "agencies.yaml")
TODAY = utc_date(StillClock().now_ms())


@cache
def catalogue() -> Catalogue:
    """The catalogue of this checkout."""
    return load_catalogue(default_catalogue_dir())


@cache
def country() -> Country:
    """The example country."""
    return load_country(FOLDER, catalogue())


@cache
def policy() -> Policy:
    """Its policy."""
    return compile_policy(
        catalogue(), country(), lambda _topic, _schema: 1, version=1, environment=Environment.SYNTHETIC,
        now_ms=StillClock().now_ms(), keys=KeyRing(bytes(32)),
    )  # fmt: skip


def test_its_size() -> None:
    """At least eight agencies and twelve agreements; every event type's owner is one of the agencies."""
    assert len(country().agencies) >= 8
    assert len(country().agreements) >= 12
    assert {event_type.owner for event_type in catalogue().event_types.values()} <= set(country().agencies)


def test_every_event_type_is_told_to_somebody() -> None:
    """No event type is without an agreement."""
    assert {name for part in country().agreements for name in part.events} == set(catalogue().event_types)


def test_every_mask_is_used() -> None:
    """The agreements use every mask of the table."""
    used = {
        use.mask for part in country().agreements for terms in part.events.values() for use in terms.fields.values()
    }

    assert used == set(MASKS)


def test_every_clause_is_used() -> None:
    """Each optional clause, each choice of a choice and each kind of filter stands in at least one agreement."""
    found = {clause for part in country().agreements for clause in _clauses(part)}

    assert found >= {
        "article_9", "minors", "linkage", "flags", "hold", "subjects.all", "subjects.where", "subjects.interest_list",
        "protected.none", "protected.without_location", "protected.full", "after_end.nothing", "after_end.corrections",
        "onward_sharing.none", "onward_sharing.some", "where.in", "where.not", "where.starts_with", "where.nested",
        "where.missing.include", "where.missing.exclude", "several event types",
    }  # fmt: skip


def _clauses(part: Agreement) -> set[str]:
    found = {f"subjects.{name}" for name in part.subjects.model_dump(exclude_none=True)}
    found |= {f"protected.{part.protected}", f"after_end.{part.valid.after_end}"}
    found |= set(part.legal_basis.model_dump(exclude_none=True))
    found |= {name for name in ("linkage", "flags", "hold") if getattr(part, name)}
    found.add("onward_sharing.none" if part.onward_sharing == "none" else "onward_sharing.some")
    for terms in part.events.values():
        if terms.where:
            found.add(f"where.missing.{terms.where.missing}")
            for path, line in terms.where.paths.items():
                found |= {f"where.{name}" for name in line.model_dump(by_alias=True, exclude_none=True)}
                found |= {"where.nested"} if "." in path else set()
    return found | ({"several event types"} if len(part.events) > 1 else set())


_REFRESH = "a schema changed: approve again, with `refresh_approvals` of tidings/agreements/record_approval.py"


def test_its_states() -> None:
    """On 2026-06-01 one is not yet valid, one is over but still corrected, one is not approved."""
    early = [part.agreement for part in country().agreements if part.valid.from_ > TODAY]
    over = [part.agreement for part in country().agreements if part.valid.until < TODAY]
    waiting = [
        part.agreement
        for part in country().agreements
        if not approval_state(part, agreement_hash(part, catalogue())).approved
    ]

    assert "cohort-outcomes" in early
    assert over == ["winter-fuel-2025"]
    assert waiting == ["school-places"], _REFRESH


def test_no_approval_is_stale() -> None:
    """Every approval that stands in a file is of what the file says now."""
    stale = [
        part.agreement
        for part in country().agreements
        if any(each.hash != agreement_hash(part, catalogue()) for each in part.approvals)
    ]

    assert stale == [], _REFRESH


def test_it_compiles() -> None:
    """Every approved agreement's event types are views, each with an inbox; the linkage group shares its keys."""
    wanted = sum(len(part.events) for part in country().agreements if part.agreement != "school-places")

    assert len(policy().views) == wanted
    assert {view.inbox for view in policy().views} <= {inbox.topic for inbox in policy().inboxes}
    groups = {view.agreement for view in policy().views if view.key_group == "linkage.vital-statistics"}
    assert groups == {"mortality-statistics", "natality-statistics"}


def test_no_view_names_a_field_twice() -> None:
    """Every feed's schema has each of its top fields once."""
    for view in policy().views:
        names = [field["name"] for field in view.view_schema["fields"]]
        assert len(names) == len(set(names)), view.feed


def test_every_filter_lets_a_sample_through() -> None:
    """No filter of the example is so narrow that no sample of the catalogue passes it."""
    samples = load_samples(default_catalogue_dir())
    inboxes = {inbox.topic: inbox for inbox in policy().inboxes}

    for view in policy().views:
        counts = count_samples(view, inboxes[view.inbox], samples[view.event_type].values())
        assert counts.passing > 0, view.feed


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_whole(name: str) -> None:
    """Each agreement has a page that names its purpose, law, every field and a sample as the subscriber sees it."""
    agreement = country().find(name)

    page = agreement_page(agreement, country(), catalogue(), load_samples(default_catalogue_dir()))

    assert agreement.legal_basis.statute in page
    assert page.count("The made-up sample") == len(agreement.events)
    for terms in agreement.events.values():
        assert all(f"| `{path}` |" in page for path in terms.fields)
