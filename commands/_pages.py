"""Writes each agreement as a plain-language page, for the people who decide on it."""

from __future__ import annotations

from pathlib import Path

from tidings.agreements import Country
from tidings.agreements.page import agreement_page
from tidings.agreements.samples import load_samples
from tidings.catalogue import Catalogue
from tidings.errors import Fatal


def write_pages(folder: Path, country: Country, catalogue: Catalogue, catalogue_dir: Path) -> int:
    """One `<agreement>-v<N>.md` for each agreement, whatever its state. Returns how many.

    Raises BadInput where a sample cannot be read, Fatal where the folder cannot be written.
    """
    samples = load_samples(catalogue_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for agreement in country.agreements:
            path = folder / f"{agreement.agreement}-v{agreement.version}.md"
            path.write_text(agreement_page(agreement, country, catalogue, samples), "utf-8")
    except OSError as error:
        raise Fatal(f"{folder} cannot be written: {error.strerror}") from None
    return len(country.agreements)
