"""The General Register Office's death extract, written: XML, one `DeathRegistration` a record.

Source: the extract's element names as in govuk-one-login/life-events-platform (MIT).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from producers.simulation.legacy.base import Event, LegacyFormat, Loss, always, iso_date

LONDON = ZoneInfo("Europe/London")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS = {"formal_correction": "1", "quality_assurance": "2", "typographical": "3"}
_SEXES = {"MALE": "1", "FEMALE": "2", "NOT_SPECIFIED": "9"}
_HEAD = (
    '<DeathRegistrationGroup xmlns="http://www.ons.gov.uk/gro/OGDDeathExtractDWP" '
    'xmlns:n="http://www.ons.gov.uk/gro/people/GROPersonDescriptives" '
    'xmlns:p="http://www.govtalk.gov.uk/people/PersonDescriptives" '
    'xmlns:a="http://www.ons.gov.uk/gro/people/GROAddressDescriptives">\n'
)


def write(file: BinaryIO, events: Iterable[tuple[str, Event]]) -> int:
    """Write an extract of `death-registered` events. Returns how many."""
    count = 0
    file.write(_HEAD.encode())
    for _, event in events:
        inner = "".join(_registration(event))
        file.write(f'<DeathRegistration xmlns="">{inner}</DeathRegistration>\n'.encode())
        count += 1
    file.write(f'<RecordCount xmlns="">{count}</RecordCount></DeathRegistrationGroup>\n'.encode())
    return count


def _registration(event: Event) -> Iterator[str]:
    yield _element("RegistrationID", event["record_id"])
    recorded = _wall_clock(event["recorded_at"]).isoformat(timespec="milliseconds")
    if event["change"] == "CREATED":
        yield _element("RecordLockedDateTime", recorded)
    else:
        yield _element("RecordUpdateDateTime", recorded)
        yield _element("RecordUpdateReason", {"ANNULLED": "4", "REINSTATED": "5"}.get(event["change"])
                       or _REASONS[event["reason"]])  # fmt: skip
    deceased = event["deceased"]
    if deceased is not None:
        for name in deceased["names"]:
            yield f"<DeceasedName>{''.join(_name(name))}</DeceasedName>"
        for maiden in deceased["maiden_names"]:
            yield _element("DeceasedMaidenName", maiden)
        if deceased["sex"] in _SEXES:
            yield _element("DeceasedGender", _SEXES[deceased["sex"]])
    yield from _date("Death", event["occurred_on"])
    if deceased is not None:
        yield from _date("Birth", deceased["date_of_birth"])
    if event["usual_residence"] is not None:
        yield f"<DeceasedAddress>{''.join(_address(event['usual_residence']))}</DeceasedAddress>"


def _name(name: Mapping[str, Any]) -> Iterator[str]:
    yield from (_element("n:PersonGivenName", given) for given in name["given"])
    yield _element("n:PersonFamilyName", name["family"])
    yield "<n:PersonNameSuffix/>"


def _date(what: str, date: Mapping[str, Any]) -> Iterator[str]:
    if date["day"] is not None:
        written = _element(f"p:Person{what}Date", iso_date(date))
        yield f"<Deceased{what}Date>{written}</Deceased{what}Date>"
    else:
        yield _element(f"PartialMonthOf{what}", str(date["month"]))
        yield _element(f"PartialYearOf{what}", str(date["year"]))


def _address(address: Mapping[str, Any]) -> Iterator[str]:
    yield "<a:Flat/><a:Building/>"
    yield from (_element("a:Line", line) for line in address["lines"])
    yield _element("a:Postcode", address["postcode"])


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _wall_clock(ms: int) -> datetime:
    """An instant as the clocks in London show it, without saying which zone."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(LONDON).replace(tzinfo=None)


def _read_again(event: Event) -> int:
    first = _wall_clock(event["recorded_at"]).replace(tzinfo=LONDON, fold=0)
    return (first - _EPOCH) // timedelta(milliseconds=1)


def _reason(event: Event) -> str | None:
    return {"CREATED": None, "ANNULLED": "cancelled", "REINSTATED": "cancellation_removed"}.get(
        event["change"], event["reason"]
    )


def _residence(event: Event) -> Any:
    home = event["usual_residence"]
    return None if home is None else home | {"country": None}


def _deceased(event: Event) -> Any:
    deceased = event["deceased"]
    return None if deceased is None else deceased | {"sex": deceased["sex"] if deceased["sex"] in _SEXES else None}


GRO_DEATH_EXTRACT = LegacyFormat(
    name="gro-death-extract",
    event_types=("death-registered",),
    write=write,
    losses=(
        Loss("subject", "the registration, by its id: the extract has no person id",
             lambda event: {"scheme": "gro_registration", "value": event["record_id"]}),
        Loss("reason", "the code's own: one for every cancellation, none for a new record", _reason),
        Loss("recorded_at", "the clock on the wall in London: of an hour that comes twice, the first", _read_again),
        Loss("record_version", "not held", always(None)),
        Loss("supersedes", "not held", always(None)),
        Loss("life_event_id", "not held", always(None)),
        Loss("protection", "not held: NONE", always("NONE")),
        Loss("deceased", "without a sex that the format has no code for (indeterminate)", _deceased),
        Loss("usual_residence", "without its country", _residence),
        Loss("cause_of_death", "not held", always(None)),
        Loss("registered_on", "not held", always(None)),
        Loss("registration_district", "not held", always(None)),
        Loss("locked_at", "of a new record its time of recording",
             lambda event: _read_again(event) if event["change"] == "CREATED" else None),
    ),
)  # fmt: skip
