"""The encoder's bytes are fastavro's, and what it refuses it refuses by path."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from producers.encode import Encoder, key_of
from producers.simulator import Settings, simulate
from tidings.catalogue import default_catalogue_dir, load_catalogue, plain_schema
from tidings.errors import Reject

CATALOGUE = load_catalogue(default_catalogue_dir())
ENCODERS = {name: Encoder(each.owner, name, 7, each.schema) for name, each in CATALOGUE.event_types.items()}
SAMPLES = sorted((default_catalogue_dir() / "samples").glob("*/pass-*.json"))


def by_fastavro(event_type: str, event: dict[str, Any]) -> bytes:
    """The body that fastavro writes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(plain_schema(CATALOGUE.event_types[event_type].schema)), event
    )
    return out.getvalue()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_samples_as_fastavro_writes_them(path: Path) -> None:
    """Every sample that must pass is written byte for byte as fastavro writes it, framed with its schema id."""
    event = json.loads(path.read_text("utf-8"))
    record = ENCODERS[path.parent.name].encode(event)

    assert record.value == b"\x00\x00\x00\x00\x07" + by_fastavro(path.parent.name, event)
    assert record.key == key_of(event)


def test_simulated_events_as_fastavro_writes_them() -> None:
    """So are simulated events of every type, and a value that was encoded before gets this schema's frame."""
    for each in simulate(500, Settings(seed=3, people=5_000, bad_share=0)):
        written = b"\x00\x00\x00\x00\x07" + by_fastavro(each.event_type, each.event)
        encoder = ENCODERS[each.event_type]
        assert encoder.encode(each.event) == each.wire(encoder)
        assert each.wire(encoder).value == written


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"received_at": "MARKED"}, "received_at"),
        ({"received_at": True}, "received_at"),
        ({"received_at": 2**63}, "received_at"),
        ({"change": "MARKED"}, "change"),
        ({"occurred_on": {"year": 2**31}}, "occurred_on.year"),
        ({"identifiers": [{"scheme": "MARKED"}]}, "identifiers.value"),
        ({"record_id": "\ud800"}, "record_id"),
        ({"MARKED": 1}, ""),
    ],
)
def test_a_misfit_is_refused_by_path(change: dict[str, Any], path: str) -> None:
    """A wrong type, an unknown field or a missing one is `undecodable` at its path; no value is said."""
    event = next(simulate(1, Settings(people=5_000, bad_share=0)))
    with pytest.raises(Reject) as refusal:
        ENCODERS[event.event_type].encode(event.event | change)

    assert [(finding.code.value, finding.path) for finding in refusal.value.findings] == [("undecodable", path)]
    assert "MARKED" not in str(refusal.value)
    assert refusal.value.__suppress_context__
