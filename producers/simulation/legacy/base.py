"""What a legacy format is to the simulator: it writes events as an agency's old system would, and says what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

Event: TypeAlias = dict[str, Any]

NOT_COMPARED = frozenset({"event_id", "received_at", "source", "message"})
"""What a connector sets by itself: ids are derived, times and places are of the file, an envelope is the message's."""
OF_AN_ANNULMENT = ("change", "reason", "record_id", "record_version", "recorded_at", "subject")
"""An annulment needs only its head, and formats differ in what they say besides: this much is compared."""

EMPTY_PERSON: Mapping[str, Any] = {
    "identifiers": [], "names": [], "sex": None, "date_of_birth": None, "date_of_death": None, "addresses": [],
    "place_of_birth": None, "occupation": None, "ethnic_category": None, "general_practice": None,
    "registration_period": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loss:
    """One field that the format holds otherwise than the event: `becomes` in words, `value` as what is read back."""

    field: str
    becomes: str
    value: Callable[[Event], Any]


@dataclass(frozen=True, slots=True)
class LegacyFormat:
    """One format. `write` writes sound events of `event_types`, in order, and returns how many; `holds` says whether an
    event can be written at all, and `unheld` which cannot, in words. Without `together` a file is of one event type."""

    name: str
    event_types: tuple[str, ...]
    write: Callable[[BinaryIO, Iterable[tuple[str, Event]]], int]
    losses: tuple[Loss, ...]
    holds: Callable[[Event], bool] = lambda _event: True
    unheld: str = ""
    together: bool = True

    def project(self, event: Event) -> Event:
        """What must be read back of an event that was written."""
        if event["change"] == "ANNULLED":
            losses = [loss for loss in self.losses if loss.field in OF_AN_ANNULMENT]
        else:
            losses = [loss for loss in self.losses if loss.field in event]
        return only_compared(event | {loss.field: loss.value(event) for loss in losses})


def only_compared(event: Event) -> Event:
    """The part of an event that a round trip compares."""
    if event["change"] == "ANNULLED":
        return {name: event[name] for name in OF_AN_ANNULMENT}
    return {name: value for name, value in event.items() if name not in NOT_COMPARED}


def always(value: Any) -> Callable[[Event], Any]:
    """A loss that is the same for every event."""
    return lambda _event: value


def iso_date(date: Mapping[str, Any]) -> str:
    """A PartialDate as YYYY, YYYY-MM or YYYY-MM-DD."""
    parts = [f"{date['year']:04d}"]
    parts += [f"{date[part]:02d}" for part in ("month", "day") if date[part] is not None]
    return "-".join(parts)
