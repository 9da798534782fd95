"""What the reference projection makes of an event."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tidings.projection import local
from tidings import wire
from tidings.errors import Finding, ReasonCode, Reject, Severity
from tidings.masks.encrypt import decrypt, encryption_key
from tidings.masks.pseudonym import pseudonym
from tidings.policy.model import Condition, FieldRule, Protection, View
from tidings.projection import (
    Projected,
    RuleError,
    decode_view,
    derive_view_schema,
    ids,
    reference_projector,
    rule_errors,
)

SCHEMA = local.schema_of()
GB_ONLY = (Condition(path="person.residence.country", op="in", values=("GB",), missing="exclude"),)


def _decide(view: View, flags: tuple[Finding, ...] = (), **changes: Any) -> Projected:
    projector = local.projector(SCHEMA, view)
    return projector.decide(projector.scan(local.SCHEMA_ID, local.encode(SCHEMA, local.event(**changes))), view, flags)


def _read(view: View, projected: Projected) -> dict[str, Any]:
    return decode_view(view.view_schema, wire.header(view.schema_id) + wire.zigzag(1) + projected.tail)


def _live(rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    view = local.view(SCHEMA, rules)
    projected = _decide(view, **changes)
    assert projected.outcome == "delivered"
    return _read(view, projected)


def test_head_by_default() -> None:
    """Ids are derived, reason and occurred_on are null, the rest is kept, and nothing else is there."""
    assert _live({}, supersedes=local.OTHER_ID) == {
        "sequence": 1,
        "kind": "LIVE",
        "policy_version": 3,
        "event_id": ids.event_id(local.KEYS, "benefits", local.EVENT_ID),
        "change": "CREATED",
        "reason": None,
        "record_id": ids.record_id(local.KEYS, "benefits", "gro", "R/17"),
        "record_version": 2,
        "supersedes": ids.event_id(local.KEYS, "benefits", local.OTHER_ID),
        "life_event_id": ids.life_event_id(local.KEYS, "benefits", local.OTHER_ID),
        "recorded_at": 1_780_000_000_000,
        "occurred_on": None,
    }


def test_head_as_the_agreement_says() -> None:
    """An agreement may name any head field; a pseudonym of an id is the derived id."""
    view = _live(
        {
            "event_id": "keep",
            "reason": "keep",
            "recorded_at": ("generalise", {"to": "year"}),
            "occurred_on": ("generalise", {"to": "month"}),
            "record_id": "pseudonym",
        }
    )
    assert (view["event_id"], view["reason"], view["recorded_at"], view["occurred_on"], view["record_id"]) == (
        local.EVENT_ID,
        "typographical",
        2026,
        "2026-05",
        ids.record_id(local.KEYS, "benefits", "gro", "R/17"),
    )


def test_only_named_fields_in_the_nesting_of_the_event() -> None:
    """Arrays are crossed and masked element by element; siblings are not there."""
    view = _live({"related.names.family": ("partial", {"first": 2}), "person.born": ("generalise", {"to": "decade"})})
    assert view["related"] == [{"names": [{"family": "Am******"}]}, {"names": []}]
    assert view["person"] == {"born": 1970}


def test_the_key_is_the_subjects_pseudonym() -> None:
    """The feed's key is the same text that `subject: pseudonym` shows."""
    view = local.view(SCHEMA, {"subject": "pseudonym"})
    projected = _decide(view)
    assert projected.key.decode() == pseudonym(local.KEYS, "benefits", "nhs_number", "9990000018")
    assert _read(view, projected)["subject"] == projected.key.decode()


def test_encrypted_fields_are_read_by_the_subscriber() -> None:
    """What a view gives beside the bytes (event id, type, place) and the key are enough to read them."""
    view = local.view(SCHEMA, {"related.names": "encrypt"})
    read = _read(view, _decide(view))
    part = next(item for item in view.view_schema["fields"] if item["name"] == "related")["type"]["items"]
    encrypted_type = part["fields"][0]["encrypted_type"]
    sealed = read["related"][0]["names"][0]
    clear = decrypt(
        encryption_key(local.KEYS, "benefits"), sealed, "related[0].names[0]", read["event_id"], encrypted_type
    )
    assert clear == {"family": "Amberley", "given": ["Zoë"]}


def test_no_pseudonym_is_shared_between_agreements() -> None:
    """Two feeds of the same event have no derived text in common, and so cannot be joined by one."""
    rules = {"subject": "pseudonym", "identifiers": "pseudonym", "note": "pseudonym"}
    one, other = (local.view(SCHEMA, rules, agreement=name) for name in ("benefits", "tax"))
    texts = [
        {str(read[name]) for name in ("event_id", "record_id", "life_event_id", "subject", "identifiers", "note")}
        | {projected.key.decode()}
        for view in (one, other)
        for projected in [_decide(view)]
        for read in [_read(view, projected)]
    ]
    assert texts[0].isdisjoint(texts[1])


def test_a_linkage_group_shares_pseudonyms() -> None:
    """Two agreements of one declared group can be joined."""
    views = [local.view(SCHEMA, {}, agreement=name, key_group="linked") for name in ("benefits", "tax")]
    assert _decide(views[0]).key == _decide(views[1]).key


def test_supersedes_finds_the_event_inside_the_feed() -> None:
    """The derived supersedes of a correction equals the derived event_id of what it corrects."""
    first = _live({})
    second = _live({}, event_id=local.OTHER_ID, supersedes=local.EVENT_ID, change="CORRECTED")
    assert second["supersedes"] == first["event_id"]
    assert ids.original_event_id(local.KEYS, "benefits", first["event_id"]) == local.EVENT_ID


@pytest.mark.parametrize("change", ["CHANGED", "CORRECTED", "ANNULLED", "REINSTATED", "ENDED"])
def test_withdrawn_is_bare(change: str) -> None:
    """A change that no longer passes the filter tells the derived record_id, and nothing else."""
    view = local.view(SCHEMA, {"note": "keep", "person.names": "keep"}, where=GB_ONLY, include_flags=True)
    projected = _decide(view, change=change, person=None)
    assert projected.outcome == "withdrawn"
    read = _read(view, projected)
    told = {name: value for name, value in read.items() if value not in (None, [], {})}
    assert told == {
        "sequence": 1,
        "kind": "WITHDRAWN",
        "policy_version": 3,
        "record_id": ids.record_id(local.KEYS, "benefits", "gro", "R/17"),
    }


def test_what_never_passed_is_filtered() -> None:
    """A new event that does not pass the filter is nothing to the subscriber."""
    assert _decide(local.view(SCHEMA, {}, where=GB_ONLY), person=None) == Projected("filtered")


@pytest.mark.parametrize("protection", ["LOCATION", "FULL"])
def test_protected_people(protection: str) -> None:
    """Unless the agreement says so nothing goes out; without_location takes every location, however deep and masked."""
    rules = {
        "person.residence": "keep",
        "person.moves": "keep",
        "postcode": ("generalise", {"to": "postcode_area"}),
        "note": "keep",
    }
    for change in ("CREATED", "CORRECTED"):
        assert _decide(local.view(SCHEMA, rules), protection=protection, change=change).outcome == "filtered"
    hidden = local.view(SCHEMA, rules, protected=Protection.WITHOUT_LOCATION)
    read = _read(hidden, _decide(hidden, protection=protection))
    assert read["person"] == {
        "residence": {"postcode": None, "country": "GB", "lines": []},
        "moves": [{"postcode": None, "country": "GB", "lines": []}],
    }
    assert (read["postcode"], read["note"]) == (None, "remark")
    assert _read(hidden, _decide(hidden))["postcode"] == "EH"
    full = local.view(SCHEMA, rules, protected=Protection.FULL)
    assert _read(full, _decide(full, protection=protection))["postcode"] == "EH"


def test_an_encrypted_value_with_a_location_inside_is_taken_whole() -> None:
    """What cannot be pruned after the mask is not given of a protected person."""
    view = local.view(SCHEMA, {"person.residence": "encrypt"}, protected=Protection.WITHOUT_LOCATION)
    assert _read(view, _decide(view, protection="LOCATION"))["person"] == {"residence": None}


def test_interest_list() -> None:
    """Only the subjects wanted are delivered; nothing is said of others."""
    key = _decide(local.view(SCHEMA, {})).key.decode()
    assert _decide(local.view(SCHEMA, {}, interest=(key,))).outcome == "delivered"
    assert _decide(local.view(SCHEMA, {}, interest=("v1.other",)), change="CORRECTED").outcome == "filtered"


def test_flags_only_of_what_the_view_names() -> None:
    """A flag about a field that is not in the view would tell of it."""
    flags = (
        Finding(ReasonCode.DATE_ORDER, "person.born", Severity.FLAG),
        Finding(ReasonCode.CODE_UNKNOWN, "note", Severity.FLAG),
    )
    view = local.view(SCHEMA, {"note": "keep"}, include_flags=True)
    assert _read(view, _decide(view, flags))["flags"] == ["code_unknown:note"]


def test_an_unknown_schema_is_rejected() -> None:
    """An id that the policy does not list for the inbox is the publisher's to mend."""
    with pytest.raises(Reject) as caught:
        local.projector(SCHEMA).scan(99, b"")
    assert caught.value.findings == (Finding(ReasonCode.SCHEMA_UNKNOWN),)


def test_ids_are_lower_case_uuids() -> None:
    """An id that could be written in two ways would slip past deduplication."""
    body = local.encode(SCHEMA, local.event(event_id=local.EVENT_ID.upper(), supersedes="none"))
    with pytest.raises(Reject) as caught:
        local.projector(SCHEMA).scan(local.SCHEMA_ID, body)
    assert [str(finding) for finding in caught.value.findings] == [
        "event_id_invalid:event_id",
        "event_id_invalid:supersedes",
    ]


def test_older_and_newer_writers() -> None:
    """A field that an older version lacks takes its default; one that only a newer has is left out."""
    older = local.schema_of(*local.BODY[:3])
    newer = local.schema_of(*local.BODY, {"name": "extra", "type": ["null", "string"], "default": None})
    view = local.view(SCHEMA, {"note": "keep", "postcode": "keep"})
    projector = reference_projector(local.inbox(SCHEMA, {"1": older, "2": newer}), [view], local.KEYS, 3)
    record = local.event(extra="x")
    assert [
        _read(view, projector.decide(projector.scan(number, local.encode(schema, record)), view, ()))["postcode"]
        for number, schema in ((1, older), (2, newer))
    ] == [None, "EH1 1AA"]


def test_nothing_of_the_event_in_reprs() -> None:
    """Neither a scan nor a projection shows a value."""
    view = local.view(SCHEMA, {"note": "keep"})
    projector = local.projector(SCHEMA, view)
    scan = projector.scan(local.SCHEMA_ID, local.encode(SCHEMA, local.event()))
    text = repr(scan) + repr(projector.decide(scan, view, ()))
    assert not any(value in text for value in ("remark", "999 000", "R/17", local.EVENT_ID, "Quillfeather"))


@pytest.mark.parametrize(
    ("rules", "rule"),
    [
        ({"person.height": "keep"}, "path-unknown"),
        ({"note.more": "keep"}, "path-unknown"),
        ({"person": "keep", "person.names": "redact"}, "path-overlap"),
        ({"note": "sieve"}, "mask-unknown"),
        ({"weight": ("partial", {"first": 1})}, "mask-type"),
        ({"note": ("partial", {})}, "mask-params"),
        ({"record_id": "redact"}, "head-record-id"),
        ({"event_id": "redact", "note": "encrypt"}, "encrypt-event-id"),
    ],
)
def test_rules_that_cannot_be_compiled(rules: dict[str, Any], rule: str) -> None:
    """An agreement's error names the field and the rule."""
    with pytest.raises(RuleError) as caught:
        local.view(SCHEMA, rules)
    assert caught.value.rule == rule


@pytest.mark.parametrize("name", ["sequence", "kind", "policy_version", "flags"])
def test_a_field_of_the_views_own_name(name: str) -> None:
    """An event's field that the exchange's own would stand beside is refused, whole or in part."""
    inner = {"type": "record", "name": "Inner", "namespace": "tidings.types", "fields": [dict(local.BODY[2])]}
    schema = local.schema_of({"name": name, "type": ["null", inner], "default": None, "doc": "x", "category": "plain"})
    for path in (name, f"{name}.note"):
        rule = FieldRule(path=path, mask="keep")
        assert [(error.field, error.rule) for error in rule_errors(schema, (rule,))] == [(path, "view-field-taken")]
        with pytest.raises(RuleError, match="view-field-taken"):
            derive_view_schema(schema, (rule,), subscriber="dwp", agreement="a", agreement_version=1)


@pytest.mark.parametrize(
    ("path", "op", "value", "rule"),
    [
        ("person", "in", "x", "where-type"),
        ("weight", "in", "71", "where-value"),
        ("stillbirth", "in", 1, "where-value"),
        ("change", "in", "BORN", "where-value"),
        ("weight", "starts_with", 7, "where-type"),
        ("person.height", "in", 7, "path-unknown"),
    ],
)
def test_filters_that_cannot_be_compiled(path: str, op: Any, value: Any, rule: str) -> None:
    """A filter that could never hold is refused, not silently empty."""
    condition = Condition(path=path, op=op, values=(value,), missing="exclude")
    assert [error.rule for error in rule_errors(SCHEMA, (), (condition,))] == [rule]


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        (Condition(path="weight", op="in", values=(71,), missing="exclude"), True),
        (Condition(path="weight", op="not_in", values=(71,), missing="exclude"), False),
        (Condition(path="stillbirth", op="not_in", values=(True,), missing="include"), True),
        (Condition(path="stillbirth", op="in", values=(False,), missing="exclude"), False),
        (Condition(path="related.names.family", op="starts_with", values=("Amb",), missing="exclude"), True),
        (Condition(path="identifiers.scheme", op="in", values=("nhs_number",), missing="include"), False),
    ],
)
def test_filters(condition: Condition, passes: bool) -> None:
    """Any element passes where a path crosses an array; missing does what the condition says."""
    outcome = _decide(local.view(SCHEMA, {}, where=(condition,))).outcome
    assert outcome == ("delivered" if passes else "filtered")


def test_a_view_whose_schema_is_not_its_rules_is_refused() -> None:
    """A policy that was tampered with, or compiled by other code, does not run."""
    view = local.view(SCHEMA, {"note": "keep"})
    other = local.view(SCHEMA, {"weight": "keep"})
    with pytest.raises(RuleError) as caught:
        local.projector(SCHEMA, view.model_copy(update={"view_schema": other.view_schema}))
    assert caught.value.rule == "view-schema"


@pytest.mark.parametrize("mask", ["encrypt", "redact"])
def test_a_masked_array_with_locations_inside_is_taken_whole(mask: str) -> None:
    """Of a protected person it is empty, and not an array of nulls, which no schema holds; of others it is masked."""
    view = local.view(SCHEMA, {"person.moves": mask}, protected=Protection.WITHOUT_LOCATION)

    hidden, shown = (_read(view, _decide(view, protection=level))["person"]["moves"] for level in ("LOCATION", "NONE"))

    assert not hidden
    assert shown


def test_nothing_of_an_event_is_in_a_scans_repr() -> None:
    """The publisher's own text of its agency neither."""
    event = local.event(source={"agency": "Mary Smith", "system": "s", "ref": "r"})
    scan = local.projector(SCHEMA).scan(local.SCHEMA_ID, local.encode(SCHEMA, event))

    assert "Mary" not in repr(scan)
