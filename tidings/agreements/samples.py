"""The catalogue's sample events that must pass: what plans count and plain-language pages show. All are made up."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from tidings.catalogue import EventType, plain_schema
from tidings.catalogue.json_file import read_json
from tidings.errors import BadInput, Problem

Samples = dict[str, dict[str, dict[str, Any]]]
"""By event type, then by case: the event in JSON form."""


def load_samples(catalogue_dir: Path) -> Samples:
    """Every `samples/<event-type>/pass-<case>.json`. Raises BadInput where one is not JSON."""
    found: Samples = {}
    for path in sorted((catalogue_dir / "samples").glob("*/pass-*.json")):
        event = read_json(path).value
        if not isinstance(event, dict):
            raise BadInput([Problem(path.name, 1, "", "sample", "a sample is one event")])
        found.setdefault(path.parent.name, {})[path.stem.removeprefix("pass-")] = event
    return found


def encode_sample(event_type: EventType, event: dict[str, Any]) -> bytes:
    """The Avro body of a sample under the event type's current version."""
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain_schema(event_type.schema)), event)
    return out.getvalue()
