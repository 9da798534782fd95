"""Everything that happens: by which hazard, to whom, and of which event types it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from producers.simulation.crowd import CROWD_DRAW_BYTES, DRAW_BYTES, Draws
from producers.simulation.families import die, give_birth
from producers.simulation.life import Happening, Life
from producers.simulation.moves import arrive, change_practice, emigrate, move_crowd
from producers.simulation.partnerships import divorce, marry
from producers.simulation.records import be_cared_for, change_identity, change_name, change_protection, change_record


@dataclass(frozen=True, slots=True)
class Hazard:
    """A happening, the event types that tell of it, and how many random bytes each draw takes; its name is that of a
    table of rates."""

    happen: Callable[[Life, Draws], None]
    event_types: frozenset[str]
    draw_bytes: int


def _each(happen: Happening, *event_types: str) -> Hazard:
    """A hazard of a happening that goes through people one by one."""
    return Hazard(lambda life, draws: happen(life, draws.each(life.people.of)), frozenset(event_types), DRAW_BYTES)


def _crowd(happen: Callable[[Life, Draws], None], *event_types: str) -> Hazard:
    return Hazard(happen, frozenset(event_types), CROWD_DRAW_BYTES)


_MOVE = ("address-changed", "gp-registration-changed")

HAZARDS: Mapping[str, Hazard] = MappingProxyType(
    {
        "deaths": _each(die, "death-notified", "death-registered", "partnership-ended"),
        "births": _each(give_birth, "birth-notified", "birth-registered"),
        "partnerships": _each(marry, "partnership-registered", "name-changed"),
        "divorces": _each(divorce, "partnership-ended", "name-changed"),
        "moves": _crowd(move_crowd, *_MOVE),
        "names": _each(change_name, "name-changed"),
        "practices": _crowd(change_practice, "gp-registration-changed"),
        "records": _crowd(change_record, "record-changed"),
        "identities": _each(change_identity, "identity-changed"),
        "protection": _each(change_protection, "protection-changed"),
        "emigration": _each(emigrate, "address-changed"),
        "immigration": _each(arrive, "gp-registration-changed"),
    }
)
"""What happens to people by age and sex, in the order in which a week is lived: who dies in a week does nothing else in
it, who leaves does so last."""
CARE = _each(be_cared_for, *_MOVE, "death-notified", "identity-changed")
"""What happens to the people of interest lists, more often than to others."""
HAPPENINGS = (*HAZARDS, "care", "country", "local-authority")
"""Every name by which something can be made to happen more often or less."""
