"""The event types and shared types that the simulator writes, from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from producers.simulation.splice import SOME, Splice, named_types
from tidings.catalogue import default_catalogue_dir, load_catalogue, plain_schema


@dataclass(frozen=True)
class Types:
    """Schemas by event type, the named types within them, and who owns each event type."""

    events: dict[str, Any]
    named: dict[str, Any]
    owners: dict[str, str]

    def splice(self, schema: Any, value: Any) -> Splice:
        """A splice of a schema, or of a shared type by its bare name."""
        return Splice(f"tidings.types.{schema}" if isinstance(schema, str) else schema, value, self.named)

    def constant(self, schema: Any, value: Any) -> bytes:
        """The Avro of a value without slots."""
        return self.splice(schema, value).fill(())


@cache
def types() -> Types:
    """The catalogue's types, read once a process."""
    catalogue = load_catalogue(default_catalogue_dir())
    events = {name: plain_schema(each.schema) for name, each in catalogue.event_types.items()}
    named: dict[str, Any] = {}
    for schema in events.values():
        named_types(schema, named)
    return Types(events, named, {name: each.owner for name, each in catalogue.event_types.items()})


@cache
def choice(enum: str, symbol: str) -> bytes:
    """A symbol of a shared enum, as a union's branch."""
    return SOME + types().constant(enum, symbol)
