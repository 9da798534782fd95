"""What the suite of sources reads: a small good file for each connector of the table, made here, about nobody."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from connectors import SOURCES
from connectors.sources.base import Outcome, SourceContext

AGENCIES: Mapping[str, str] = {"gro-death-extract": "gro", "register-rsf": "fco-registers"}
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


SAMPLES: Mapping[str, bytes] = {
    "gro-death-extract": extract(registration(1), registration(2), registration(3)),
    "register-rsf": countries(
        f'{{"country":"AA","name":"{MARK}"}}', f'{{"country":"AA","end-date":"2001-01-01","name":"{MARK}"}}'
    ),
}


def read(name: str, content: bytes, received_at_ms: int = RECEIVED_AT_MS) -> list[Outcome]:
    """All outcomes of a connector on these bytes."""
    context = SourceContext("sample", AGENCIES[name], "SYNTHETIC", received_at_ms)
    return list(SOURCES[name]().read(io.BytesIO(content), context))
