"""How a value is written before it is made a pseudonym, so that one identifier has one pseudonym however it is typed.

| scheme | rule | source |
| --- | --- | --- |
| `nhs_number` | decimal digits only | NHS Data Dictionary, NHS NUMBER: 10 digits; spaces are presentation |
| `gro_registration` | NFKC, upper case, no white space | references of the GRO are caseless |
| `country` | NFKC, trimmed, upper case | ISO 3166-1 alpha-2 |
| any other | NFKC, trimmed, casefolded, white space runs as one space | Unicode Standard Annex 15; Unicode 5.18 |

A value of which nothing is left stays as it was written, so that two malformed values never become one pseudonym.
The rules are frozen: a change to one changes pseudonyms at rest and needs a new key version.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable


def _nhs_number(text: str) -> str:
    if text.isascii():
        return "".join(filter(str.isdigit, text))
    return "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())


def _gro_registration(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def _country(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


def _default(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


RULES: dict[str, Callable[[str], str]] = {
    "country": _country,
    "gro_registration": _gro_registration,
    "nhs_number": _nhs_number,
}


def normalise(scheme: str, value: str) -> str:
    """The one way to write `value` of `scheme`. Never raises."""
    return RULES.get(scheme, _default)(value) or value
