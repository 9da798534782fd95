"""Properties of the reference projection on schemas, agreements and records that nobody thought of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.tidings.projection import local, strategies
from tidings import wire
from tidings.errors import ReasonCode, Reject
from tidings.projection import RuleError, decode_view

_LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    ("boolean", st.booleans()),
    ("int", st.integers(-(2**31), 2**31 - 1)),
    ("long", st.integers(-(2**63), 2**63 - 1)),
    ("double", st.floats(allow_nan=False)),
    ("bytes", st.binary(max_size=8)),
    ("string", st.text(max_size=8)),
    ({"type": "string", "logicalType": "uuid"}, st.uuids().map(str)),
    ({"type": "long", "logicalType": "timestamp-millis"}, st.integers(-(2**63), 2**63 - 1)),
    ("tidings.types.Change", st.sampled_from(["CREATED", "ENDED"])),
    ("tidings.types.SubjectId", st.fixed_dictionaries({"scheme": st.text(max_size=4), "value": st.text(max_size=4)})),
]
_MASKS: list[Any] = [
    "keep",
    "redact",
    "encrypt",
    "pseudonym",
    ("partial", {"first": 1}),
    ("generalise", {"to": "year"}),
    ("generalise", {"to": "postcode_area"}),
]


@st.composite
def _types(draw: st.DrawFn, depth: int = 0) -> tuple[Any, st.SearchStrategy[Any]]:
    """An Avro type and a strategy for its values."""
    shape = draw(st.sampled_from(["leaf"] * 3 + (["array", "map", "record", "nullable array"] if depth < 2 else [])))
    if shape == "leaf":
        return draw(st.sampled_from(_LEAVES))
    if shape == "record":
        fields, values = draw(_fields(depth + 1))
        name = f"g.R{draw(st.uuids()).hex}"
        return {"type": "record", "name": name, "fields": fields}, values
    inner, values = draw(_types(depth + 1))
    if shape == "map":
        return {"type": "map", "values": inner}, st.dictionaries(st.text(max_size=4), values, max_size=3)
    if shape == "nullable array":
        return {"type": "array", "items": ["null", inner]}, st.lists(st.none() | values, max_size=3)
    return {"type": "array", "items": inner}, st.lists(values, max_size=3)


@st.composite
def _fields(draw: st.DrawFn, depth: int = 0) -> tuple[list[dict[str, Any]], st.SearchStrategy[Any]]:
    """Fields of a record and a strategy for records of them."""
    made, values = [], {}
    for at in range(draw(st.integers(1, 3))):
        schema, strategy = draw(_types(depth))
        category = draw(st.sampled_from(["plain", "plain", "location", "identifier"]))
        made.append(
            {"name": f"f{at}", "type": ["null", schema], "default": None, "doc": "A field", "category": category}
        )
        values[f"f{at}"] = st.none() | strategy
    return made, st.fixed_dictionaries(values)


def _paths(fields: list[dict[str, Any]], above: str = "") -> list[str]:
    found = []
    for item in fields:
        path = above + item["name"]
        found.append(path)
        schema = item["type"][1] if isinstance(item["type"], list) else item["type"]
        while isinstance(schema, dict) and schema["type"] == "array":
            schema = schema["items"][1] if isinstance(schema["items"], list) else schema["items"]
        if isinstance(schema, dict) and schema["type"] == "record":
            found += _paths(schema["fields"], path + ".")
    return found


def _view(schema: dict[str, Any], rules: dict[str, Any], **more: Any) -> Any:
    """The view of those rules that can be compiled together, dropping the others one by one."""
    while True:
        try:
            return local.view(schema, rules, **more)
        except RuleError as error:
            if error.rule not in ("mask-type", "path-overlap"):
                raise
            rules = {path: mask for path, mask in rules.items() if path != error.field}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_record_projects_into_its_derived_schema(data: st.DataObject) -> None:
    """Whatever the schema, agreement and record: the view encodes, decodes wholly, is the same again, and what is kept
    is what the event held; a protected person's view holds no location."""
    fields, values = data.draw(_fields())
    assume(strategies.named_once(fields))
    schema = local.schema_of(*fields)
    rules = data.draw(st.dictionaries(st.sampled_from(_paths(fields)), st.sampled_from(_MASKS), max_size=4))
    view = _view(schema, rules, protected="without_location")
    protection = data.draw(st.sampled_from(["NONE", "LOCATION"]))
    body = data.draw(values)
    projector = local.projector(schema, view)
    scan = projector.scan(local.SCHEMA_ID, local.encode(schema, local.event(**body, protection=protection)))
    projected = projector.decide(scan, view, ())
    assert projected == projector.decide(scan, view, ())
    read = decode_view(view.view_schema, wire.header(view.schema_id) + wire.zigzag(9) + projected.tail)
    for item in fields:
        kept = [rule for rule in view.fields if rule.path == item["name"] and rule.mask == "keep"]
        if kept and protection == "NONE":
            assert read[item["name"]] == body[item["name"]]
        if protection != "NONE" and item["category"] == "location" and item["name"] in read:
            assert read[item["name"]] in (None, [], {})


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_records_are_rejected_or_other_records(data: st.DataObject) -> None:
    """A mutated record is refused as the publisher's, or is another whole record that projects; never anything else."""
    schema = local.schema_of()
    view = local.view(schema, {"person": "keep", "note": "pseudonym", "related.names": "encrypt", "postcode": "redact"})
    projector = local.projector(schema, view)
    body = bytearray(local.encode(schema, local.event()))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        scan = projector.scan(local.SCHEMA_ID, bytes(body))
    except Reject as error:
        codes = {finding.code for finding in error.findings}
        allowed = {ReasonCode.UNDECODABLE, ReasonCode.EVENT_ID_INVALID}
        if not codes <= allowed or error.__cause__ is not None:
            raise
        return
    projected = projector.decide(scan, view, ())
    if projected.outcome == "delivered":
        decode_view(view.view_schema, wire.header(view.schema_id) + wire.zigzag(9) + projected.tail)


def test_every_truncation_and_extension_is_rejected() -> None:
    """No prefix of a record is a record, nor is a record with a byte more."""
    schema = local.schema_of()
    projector = local.projector(schema)
    body = local.encode(schema, local.event())
    for bad in [*(body[:length] for length in range(len(body))), body + b"\x00"]:
        with pytest.raises(Reject) as caught:
            projector.scan(local.SCHEMA_ID, bad)
        assert [finding.code for finding in caught.value.findings] == [ReasonCode.UNDECODABLE]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_rejected(body: bytes) -> None:
    """Bytes that are no record are refused as such."""
    with pytest.raises(Reject):
        local.projector(_NOISE_SCHEMA).scan(local.SCHEMA_ID, body)


_NOISE_SCHEMA = local.schema_of()
