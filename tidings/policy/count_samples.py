"""How many sample events pass each view's filter: what a plan prints beside a `where`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, NamedTuple

import fastavro

from tidings.catalogue import plain_schema
from tidings.policy.model import Inbox, View
from tidings.projection.types import read_types
from tidings.projection.where import compile_where


class SampleCount(NamedTuple):
    """Of `total` sample events, `passing` pass the filter."""

    passing: int
    total: int


def count_samples(view: View, inbox: Inbox, samples: Iterable[Mapping[str, Any]]) -> SampleCount:
    """Run a view's filter over samples in JSON form; protection and interest lists are not looked at."""
    passes = compile_where(view.where, read_types(inbox.reader_schema))
    schema = fastavro.parse_schema(plain_schema(inbox.reader_schema))
    results = [passes(_whole(schema, event)) for event in samples]
    return SampleCount(sum(results), len(results))


def _whole(schema: Any, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event with every default filled in, as a reader gets it."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, schema, dict(event))
    buffer.seek(0)
    whole: Any = fastavro.schemaless_reader(buffer, schema, None)
    return dict(whole)
