"""A delimited table of name changes, written: CSV, whose columns the mapping file beside this one explains.

Source: RFC 4180.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from producers.simulation.legacy.base import Event, LegacyFormat, Loss, always, iso_date

MAPPING_FILE = Path(__file__).parent / "name-changes.yaml"
"""The mapping that `tidings publish --mapping` needs for such a table."""
COLUMNS = (
    "Message", "Case", "Version", "Action", "Why", "Replaces", "Recorded", "From", "Scheme", "Person", "Shielded",
    "Forenames", "Surname", "FormerForenames", "FormerSurname", "Means", "Sex", "Born", "Street", "Town", "Postcode",
    "Country",
)  # fmt: skip
_ACTIONS = {"CREATED": "NEW", "CORRECTED": "AMEND", "ANNULLED": "CANCEL", "REINSTATED": "RESTORE"}
_SEXES = {"MALE": "M", "FEMALE": "F", "NOT_SPECIFIED": "X", "INDETERMINATE": "I"}
_SHIELDS = {"NONE": "", "LOCATION": "A", "FULL": "S"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write(file: BinaryIO, events: Iterable[tuple[str, Event]]) -> int:
    """Write a table of `name-changed` events. Returns how many."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    count = 0
    for _, event in events:
        table.writerow(_row(event))
        count += 1
    text.detach()
    return count


def _row(event: Event) -> Iterator[Any]:
    recorded = (_EPOCH + timedelta(milliseconds=event["recorded_at"])).isoformat(timespec="milliseconds")
    yield from (event["event_id"], event["record_id"], event["record_version"], _ACTIONS[event["change"]])
    yield from (event["reason"], event["supersedes"], recorded, iso_date(event["occurred_on"]))
    yield from (event["subject"]["scheme"], event["subject"]["value"], _SHIELDS[event["protection"]])
    person = event["person"]
    if person is None:
        yield from [""] * (len(COLUMNS) - 11)  # an annulment
        return
    yield from _name(event["new_name"])
    yield from _name(event["previous_names"][0])
    [home] = person["addresses"]
    yield from (event["means"], _SEXES[person["sex"]], iso_date(person["date_of_birth"]), *home["lines"])
    yield from (home["postcode"], home["country"])


def _name(name: Mapping[str, Any]) -> tuple[str, str]:
    return "|".join(name["given"]), name["family"]


def _person(event: Event) -> Any:
    """The table has one name: the new one, also where the person's was taken down right."""
    return event["person"] | {"names": [event["new_name"]]}


DELIMITED_TABLE = LegacyFormat(
    name="delimited-table",
    event_types=("name-changed",),
    write=write,
    losses=(
        Loss("life_event_id", "not held", always(None)),
        Loss("person", "its name is the new name, also where only that was taken down wrongly", _person),
    ),
)
