"""The real files of ../shared/data: who publishes each, and what the table says of every record in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors import SNIFFED_BYTES, find_source
from connectors.sources.base import Outcome, SourceContext

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT.parent / "shared" / "data"
TABLE = Path(__file__).parent / "real_records.csv"
RECEIVED_AT_MS = 1_767_225_600_000
AGENCIES = {
    "gro/death-extract.xml": "gro",
    "nhs/BirthNotificationWithMother.xml": "nhs-pds",
    "nhs/PDS-Change-Of-Address-ems-example.xml": "nhs-pds",
    "nhs/PDS-Death-Notification-formal-ems-example.xml": "nhs-pds",
    "nhs/PDS-Death-Notification-informal-ems-example.xml": "nhs-pds",
    "nhs/PDS-Death-Notification-removed-ems-example.xml": "nhs-pds",
    "nhs/PDS-Record-Change.xml": "nhs-pds",
    "registers/country.rsf": "fco-registers",
    "registers/local-authority-eng.tsv": "mhclg-registers",
}
MAPPINGS = {"registers/local-authority-eng.tsv": CHECKOUT / "examples" / "local-authorities.yaml"}


@dataclass(frozen=True)
class Expected:
    """One line of the table. Codes are `code:path`, cleansings `path:rule`, agreements by name; `why` is for people."""

    file: str
    record: int
    key: str
    outcome: str
    change: str | None
    rejected_for: tuple[str, ...]
    flagged_for: tuple[str, ...]
    cleansed: tuple[str, ...]
    delivered_to: tuple[str, ...]
    withdrawn_from: tuple[str, ...]
    why: str


def read_table() -> list[Expected]:
    """Every line, in the table's order."""
    lists = ("rejected_for", "flagged_for", "cleansed", "delivered_to", "withdrawn_from")
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [
            Expected(
                file=row["file"],
                record=int(row["record"]),
                key=row["key"],
                outcome=row["outcome"],
                change=row["change"] or None,
                why=row["why"],
                **{name: tuple(row[name].split()) for name in lists},
            )
            for row in csv.DictReader(file)
        ]


def missing() -> list[str]:
    """The files that are not there."""
    return [name for name in AGENCIES if not (DATA / name).is_file()]


def outcomes(name: str, environment: str = "SYNTHETIC") -> Iterator[Outcome]:
    """What the connector that finds itself says of a real file's records."""
    with (DATA / name).open("rb") as file:
        source = find_source(name, file.read(SNIFFED_BYTES), mapping=MAPPINGS.get(name))
        file.seek(0)
        yield from source.read(file, SourceContext(name, AGENCIES[name], environment, RECEIVED_AT_MS))
