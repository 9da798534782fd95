"""One small country in a folder: two agencies that agree, and the means to spoil it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tidings.agreements import Country, load_country
from tidings.catalogue import Catalogue, default_catalogue_dir, load_catalogue

HASH = "0" * 64

AGENCIES = """\
agencies:
  gro:
    name: General Register Office
    contact: event-data@gro.example
    quotas: {produce_bytes_per_second: 1000, consume_bytes_per_second: 1000}
    roles: [data protection officer]
  dwp:
    name: Department for Work and Pensions
    contact: life-events@dwp.example
    quotas: {produce_bytes_per_second: 1000, consume_bytes_per_second: 1000, request_percentage: 50}
    roles: [service owner]
"""

AGREEMENT = f"""\
# A comment that must stay.
agreement: bereavement-benefits
version: 3
provider: gro
subscriber: dwp
purpose: Stop benefits
legal_basis: {{statute: "An act", gdpr: "6(1)(e)"}}
valid: {{from: 2026-01-01, until: 2028-12-31, after_end: corrections}}
review_by: 2027-12-31
retention_days: 90
subjects: {{all: "Every death"}}
protected: without_location
onward_sharing: none
events:
  death-registered:
    where: {{usual_residence.country: [GB], missing: include}}  # beside a clause
    fields:
      deceased.names: keep
      deceased.date_of_birth: {{generalise: year}}
      subject: pseudonym
approvals:
  - {{agency: gro, role: data protection officer, date: 2026-01-05, hash: "{HASH}"}}
"""


@cache
def catalogue() -> Catalogue:
    """The catalogue of this checkout, loaded once."""
    return load_catalogue(default_catalogue_dir())


def write(folder: Path, agreement: str = AGREEMENT, agencies: str = AGENCIES) -> Path:
    """Write the country; returns the agreement's file."""
    (folder / "agencies.yaml").write_text(agencies, "utf-8")
    path = folder / "bereavement-benefits.yaml"
    path.write_text(agreement, "utf-8")
    return path


def load(folder: Path) -> Country:
    """Load the country in `folder`."""
    return load_country(folder, catalogue())


def spoil(old: str, new: str, text: str = AGREEMENT) -> str:
    """`text` with one part, which stands in it once, changed."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
    return text.replace(old, new)
