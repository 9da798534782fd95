"""The event types that the simulator makes, each in one or more shapes: an Avro record with slots for what varies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from producers.simulation.splice import TAKEN, Slot, Splice
from producers.simulation.types import types
from tidings import wire

HEAD_SLOTS = (
    "event_id", "change", "reason", "record_id", "record_version", "supersedes", "life_event_id", "recorded_at",
    "occurred_on", "ref", "subject", "related", "protection",
)  # fmt: skip
"""What a later version of a record is given, in the order of the head. `recorded_at` holds `received_at` too, and `ref`
is the record id again."""
FIRST_SLOTS = tuple(name for name in HEAD_SLOTS if name not in ("change", "reason", "record_version", "supersedes"))
"""What a first version is given: it is CREATED, is version 1 and supersedes nothing."""

CREATED, CHANGED, CORRECTED, ANNULLED, REINSTATED, ENDED = (wire.zigzag(at) for at in range(6))
"""Changes, as the enum is written."""


class Part(NamedTuple):
    """A part of a body: what it is, and the slots that it fills."""

    kind: int
    slots: tuple[str, ...]


class Mistake(NamedTuple):
    """The place of a part that is recorded wrongly, and whether its home is wrong, not its name or practice."""

    part: int
    is_home: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of an event type. `first` takes the slots of a first version's head and then the body's, `later` those
    of a later version's; `annulment` the head's alone: its body is empty, but that a death is said to be removed.
    `parts` says in what its body is told, and `mistakes` what a mistake touches, by a random bit."""

    number: int
    event_type: str
    first: Splice
    later: Splice
    annulment: Splice
    parts: tuple[Part, ...]
    mistakes: tuple[Mistake | None, Mistake | None]


PIECE, PERSON, CHILD, NAME, BIRTH, HOME, PRACTICE = range(7)
"""What a part of a body is: Avro for one slot; by the likeness a person with the home, or without it, its name, or
sex and date of birth; the number of a home; the number of a practice."""
_NEWBORN_SLOTS = ("given", "family", "sex", "year", "month")
_HOME_SLOTS = ("street", "town", "postcode")
PART_SLOTS: Mapping[int, tuple[str, ...]] = {
    PERSON: _NEWBORN_SLOTS + _HOME_SLOTS,
    CHILD: _NEWBORN_SLOTS,
    NAME: _NEWBORN_SLOTS[:2],
    BIRTH: _NEWBORN_SLOTS[2:],
    HOME: _HOME_SLOTS,
    PRACTICE: ("practice",),
}
"""Which slots a part fills, in their order; all are of one person, place or practice."""


def _birth(who: str) -> dict[str, Any]:
    return {"year": Slot(f"{who}.year"), "month": Slot(f"{who}.month"), "day": TAKEN}


def _name(who: str, use: str = "OFFICIAL") -> dict[str, Any]:
    return {"use": use, "given": Slot(f"{who}.given"), "family": Slot(f"{who}.family")}


def _address(where: str, use: str = "HOME") -> dict[str, Any]:
    lines = [Slot(f"{where}.street"), Slot(f"{where}.town")]
    return {"use": use, "lines": lines, "postcode": Slot(f"{where}.postcode"), "country": "GB"}


def _newborn(who: str, *, named: bool = True) -> dict[str, Any]:
    names = [_name(who)] if named else []
    return {"names": names, "sex": Slot(f"{who}.sex"), "date_of_birth": _birth(who)}


def _person(who: str) -> dict[str, Any]:
    return _newborn(who) | {"addresses": [_address(who)]}


def _practice(which: str) -> dict[str, Any]:
    return {"role": "general_practice", "scheme": "ods_code", "value": Slot(f"{which}.practice")}


_BORN = {
    "mother": _person("mother"),
    "stillbirth": Slot("stillbirth"),
    "birth_order": Slot("order"),
    "births_at_delivery": Slot("births"),
}
_NOTIFIED = _BORN | {
    "birth_weight_grams": Slot("weight"),
    "gestation_weeks": Slot("gestation"),
    "organisations": Slot("organisations"),
}
_REGISTERED = _BORN | {
    "place_of_birth": _address("place", "PLACE"),
    "registered_on": Slot("registered"),
    "registration_district": Slot("district"),
}
_BEGINNING = {
    "person": _person("person"),
    "partner": _person("partner"),
    "partnership_kind": Slot("kind"),
    "place": _address("place", "PLACE"),
    "registration_district": Slot("district"),
}
_ENTRY = {"official_name": Slot("official"), "start_date": Slot("start"), "end_date": Slot("end")}
_OLD_HOME = _address("old", "OLD") | {"period": {"start": None, "end": Slot("until")}}

BODIES: Mapping[str, Mapping[str, Any]] = {
    "address-changed": {
        "new_address": _address("new") | {"period": {"start": Slot("since"), "end": None}},
        "previous_addresses": [_OLD_HOME],
        "person": _person("person"),
    },
    "address-changed/abroad": {
        "new_address": {"use": "HOME", "lines": ["Overseas"], "country": Slot("country")},
        "previous_addresses": [_OLD_HOME],
        "person": _person("person"),
    },
    "birth-notified": {"child": _newborn("child")} | _NOTIFIED,
    "birth-notified/nameless": {"child": _newborn("child", named=False)} | _NOTIFIED,
    "birth-registered": {"child": _newborn("child")} | _REGISTERED,
    "birth-registered/nameless": {"child": _newborn("child", named=False)} | _REGISTERED,
    "birth-registered/father": {"child": _newborn("child"), "other_parent": _person("father")} | _REGISTERED,
    "birth-registered/nameless-father": {"child": _newborn("child", named=False), "other_parent": _person("father")}
    | _REGISTERED,
    "death-notified": {"status": Slot("status"), "effective_from": Slot("from"), "person": _person("person")},
    "death-registered": {
        "deceased": _newborn("person") | {"maiden_names": Slot("maiden")},
        "usual_residence": _address("person"),
        "cause_of_death": Slot("cause"),
        "registered_on": Slot("registered"),
        "registration_district": Slot("district"),
    },
    "gp-registration-changed": {
        "new_practice": _practice("new"),
        "previous_practice": _practice("old"),
        "person": _person("person"),
    },
    "gp-registration-changed/first": {"new_practice": _practice("new"), "person": _person("person")},
    "identity-changed": {"identity_change": Slot("kind"), "current": Slot("current"), "former": Slot("former")},
    "name-changed": {
        "new_name": _name("person"),
        "previous_names": [_name("old", "OLD")],
        "means": Slot("means"),
        "person": _person("person"),
    },
    "partnership-ended": {
        "person": _person("person"),
        "partner": _person("partner"),
        "partnership_kind": Slot("kind"),
        "ending": Slot("ending"),
    },
    "partnership-registered": _BEGINNING,
    "partnership-registered/name": _BEGINNING | {"name_after": _name("after")},
    "protection-changed": {
        "level": Slot("level"),
        "previous_level": Slot("previous"),
        "period": {"start": Slot("since"), "end": None},
    },
    "record-changed": {"record_kind": Slot("kind"), "changed_by": _practice("new")},
    "country": {"country": Slot("key"), "name": Slot("name"), "citizen_names": Slot("citizens")} | _ENTRY,
    "local-authority": {
        "local_authority_eng": Slot("key"),
        "local_authority_type": Slot("type"),
        "name": Slot("name"),
    }
    | _ENTRY,
}
EVENT_TYPES = tuple(dict.fromkeys(name.partition("/")[0] for name in BODIES))
"""Every event type that the simulator makes; a row names one by its place here."""


@cache
def shapes(environment: str) -> Mapping[str, Shape]:
    """The shapes by name, for events of an environment."""
    return {name: _shape(name, body, environment) for name, body in BODIES.items()}


def _shape(name: str, body: Mapping[str, Any], environment: str) -> Shape:
    event_type = name.partition("/")[0]
    schema = types().events[event_type]
    source = {"agency": types().owners[event_type], "system": "simulator", "ref": Slot("ref"), "batch_id": None}
    head: dict[str, Any] = {slot: Slot(slot) for slot in HEAD_SLOTS if slot != "ref"}
    head |= {"received_at": TAKEN, "source": source, "identifiers": [], "environment": environment}
    first = head | {"change": "CREATED", "reason": None, "record_version": 1, "supersedes": None}
    later = types().splice(schema, head | dict(body))
    made = types().splice(schema, first | dict(body))
    if later.slots[: len(HEAD_SLOTS)] != HEAD_SLOTS or made.slots[: len(FIRST_SLOTS)] != FIRST_SLOTS:
        raise ValueError(f"{event_type}: the schema's head has another order than the simulator's")
    removed = {"status": "REMOVED"} if event_type == "death-notified" else {}
    annulment = types().splice(schema, head | removed)
    parts = tuple(_parts(made.slots[len(FIRST_SLOTS) :]))
    place: dict[str, int] = {}
    for at, part in enumerate(parts):
        for slot in part.slots:
            place.setdefault(slot, at)
    return Shape(EVENT_TYPES.index(event_type), event_type, made, later, annulment, parts, _mistakes(place))


def _mistakes(place: Mapping[str, int]) -> tuple[Mistake | None, Mistake | None]:
    """As likely the home of the first person or place or a family name, where there are both; else a practice."""
    home, family, practice = (
        next((Mistake(place[slot], slots is _HOMES) for slot in slots if slot in place), None)
        for slots in (_HOMES, _FAMILIES, ("new.practice",))
    )
    if home is None and family is None:
        return practice, practice
    return family or home, home or family


_HOMES = ("new.street", "person.street", "place.street")
_FAMILIES = ("child.family", "person.family")
"""What can be mistaken, of which the first that a shape has."""


def _parts(slots: tuple[str, ...]) -> Iterator[Part]:
    at = 0
    while at < len(slots):
        who = slots[at].rpartition(".")[0]
        fitting = (
            Part(kind, tuple(f"{who}.{name}" for name in names))
            for kind, names in PART_SLOTS.items()
            if slots[at : at + len(names)] == tuple(f"{who}.{name}" for name in names)
        )
        part = next(fitting, Part(PIECE, slots[at : at + 1]))
        yield part
        at += len(part.slots)
