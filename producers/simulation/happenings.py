"""Everything that happens: by which hazard, to whom, and of which event types it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from producers.simulation.families import die, give_birth
from producers.simulation.life import Happening
from producers.simulation.moves import arrive, change_practice, emigrate, move
from producers.simulation.partnerships import divorce, marry
from producers.simulation.records import be_cared_for, change_identity, change_name, change_protection, change_record


@dataclass(frozen=True, slots=True)
class Hazard:
    """A happening and the event types that tell of it; its name is that of a table of rates."""

    happen: Happening
    event_types: frozenset[str]


_MOVE = ("address-changed", "gp-registration-changed")

HAZARDS: Mapping[str, Hazard] = MappingProxyType(
    {
        name: Hazard(happen, frozenset(event_types))
        for name, happen, event_types in (
            ("deaths", die, ("death-notified", "death-registered", "partnership-ended")),
            ("births", give_birth, ("birth-notified", "birth-registered")),
            ("partnerships", marry, ("partnership-registered", "name-changed")),
            ("divorces", divorce, ("partnership-ended", "name-changed")),
            ("moves", move, _MOVE),
            ("names", change_name, ("name-changed",)),
            ("practices", change_practice, ("gp-registration-changed",)),
            ("records", change_record, ("record-changed",)),
            ("identities", change_identity, ("identity-changed",)),
            ("protection", change_protection, ("protection-changed",)),
            ("emigration", emigrate, ("address-changed",)),
            ("immigration", arrive, ("gp-registration-changed",)),
        )
    }
)
"""What happens to people by age and sex, in the order in which a week is lived: who dies in a week does nothing else in
it, who leaves does so last."""
CARE = Hazard(be_cared_for, frozenset((*_MOVE, "death-notified", "identity-changed")))
"""What happens to the people of interest lists, more often than to others."""
HAPPENINGS = (*HAZARDS, "care", "country", "local-authority")
"""Every name by which something can be made to happen more often or less."""
