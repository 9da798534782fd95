"""What the suite of sources reads: a small good file for each connector of the table, made here, about nobody."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from connectors import SOURCES, find_source
from connectors.sources.base import Outcome, Source, SourceContext
from tests.compliance import nhs_messages as nhs

AGENCIES: Mapping[str, str] = {
    "delimited-table": "gro",
    "gro-death-extract": "gro",
    "nhs-events": "nhs-pds",
    "register-rsf": "fco-registers",
}
MAPPING = Path(__file__).parent / "deaths.yaml"
"""What the suite's table means."""
RECEIVED_AT_MS = 1_780_000_000_000
MARK = "ZZMARKEDZZ"
"""Stands in the samples' values, so that a test can look for it where no value may be."""


def registration(number: int, inner: str = "") -> str:
    """One death registration, with more elements where `inner` gives them."""
    return (
        f"<DeathRegistration><RegistrationID>{number}</RegistrationID>"
        "<RecordLockedDateTime>2025-02-03T10:00:00.000</RecordLockedDateTime>"
        f"<DeceasedName><PersonGivenName>{MARK}</PersonGivenName><PersonFamilyName>{MARK}</PersonFamilyName></DeceasedName>"
        "<DeceasedGender>1</DeceasedGender>"
        "<DeceasedDeathDate><PersonDeathDate>2025-02-01</PersonDeathDate></DeceasedDeathDate>"
        f"{inner}</DeathRegistration>"
    )


def extract(*registrations: str, count: int | None = None, prolog: str = "") -> bytes:
    """A death extract of these registrations."""
    number = len(registrations) if count is None else count
    return (
        f"{prolog}<DeathRegistrationGroup>{''.join(registrations)}<RecordCount>{number}</RecordCount>"
        "</DeathRegistrationGroup>"
    ).encode()


def item(text: str) -> str:
    """An add-item line."""
    return f"add-item\t{text}\n"


def entry(key: str, text: str, region: str = "user") -> str:
    """An append-entry line for the item of this text."""
    return f"append-entry\t{region}\t{key}\t2025-01-01T00:00:00Z\tsha-256:{hashlib.sha256(text.encode()).hexdigest()}\n"


NAME = '{"name":"country"}'
REGISTER = item(NAME) + entry("name", NAME, "system")


def countries(*texts: str) -> bytes:
    """A country register of these items, each with an entry for its key `AA`."""
    return (REGISTER + "".join(map(item, texts)) + "".join(entry("AA", text) for text in texts)).encode()


COLUMNS = (
    "row,kind,id,action,shielded,forename,second,surname,sex,born,died,locked,nhs,checked,lines,postcode,country,job,"
    "clerk,note\n"
)


def row(number: int, **cells: str) -> str:
    """One row of the suite's table of deaths, with other cells where `cells` says so."""
    whole = {
        "row": str(number), "kind": "D", "id": f"77{number}", "action": "N", "shielded": "", "forename": MARK,
        "second": "", "surname": MARK, "sex": "F", "born": "7/3/1931", "died": "2025-02-01",
        "locked": "03/02/2025 10:00", "nhs": "999 000 0018", "checked": "Y", "lines": f"1 {MARK} Road; {MARK}",
        "postcode": "zz9 9zz", "country": "ENGLAND", "job": "-", "clerk": "kl", "note": "",
    } | cells  # fmt: skip
    return ",".join(f'"{each}"' if "," in each or "\n" in each else each for each in whole.values()) + "\n"


SAMPLES: Mapping[str, bytes] = {
    "delimited-table": (COLUMNS + row(1) + row(2, forename=f'{MARK}, "" {MARK}') + row(3, action="X")).encode(),
    "gro-death-extract": extract(registration(1), registration(2), registration(3)),
    "nhs-events": nhs.collection(nhs.death(0), nhs.birth(1, 2, births=2), nhs.move(3, "Wales"), nhs.death(0, "2")),
    "register-rsf": countries(
        f'{{"country":"AA","name":"{MARK}"}}', f'{{"country":"AA","end-date":"2001-01-01","name":"{MARK}"}}'
    ),
}


def read(name: str, content: bytes, received_at_ms: int = RECEIVED_AT_MS) -> list[Outcome]:
    """All outcomes of a connector on these bytes."""
    return list(connector(name).read(io.BytesIO(content), context(name, received_at_ms)))


@cache
def connector(name: str) -> Source:
    """The connector of the table that is called so."""
    return find_source("sample", b"", name, MAPPING if SOURCES[name].spec.needs_mapping else None)


def context(name: str, received_at_ms: int = RECEIVED_AT_MS) -> SourceContext:
    """What the suite tells a connector about its sample."""
    return SourceContext("sample", AGENCIES[name], "SYNTHETIC", received_at_ms)
