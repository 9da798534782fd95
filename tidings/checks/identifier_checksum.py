"""An identifier passes the checksum of its scheme: an NHS number's modulus 11 and its like, by python-stdnum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stdnum import iban, luhn
from stdnum.be import nn as be_nn
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs, upn, utr
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer

from tidings.checks.base import EachValue, Example, Params, ReferenceLists
from tidings.errors import ReasonCode

SCHEMES: Mapping[str, Callable[[str], str]] = {
    "nhs_number": nhs.validate,
    "gb_upn": upn.validate,
    "gb_utr": utr.validate,
    "be_nn": be_nn.validate,
    "dk_cpr": cpr.validate,
    "ee_ik": ik.validate,
    "es_dni": dni.validate,
    "fi_hetu": hetu.validate,
    "fr_nir": nir.validate,
    "iban": iban.validate,
    "luhn": luhn.validate,
    "nl_bsn": bsn.validate,
    "no_fodselsnummer": fodselsnummer.validate,
    "pl_pesel": pesel.validate,
    "se_personnummer": personnummer.validate,
}
"""Scheme to check. A scheme that is not here has no checksum that we know, and passes."""

MAX_CHARACTERS = 64
_PLAIN = re.compile(r"[0-9A-Za-z+./ -]*\Z")


class IdentifierChecksumParams(Params):
    """`scheme` is needed where a path leads to plain text rather than to a record of scheme and value."""

    scheme: str | None = None


class IdentifierChecksum(EachValue):
    """Judges records with `scheme` and `value` (`subject`, `identifiers`), or texts of the scheme in the parameters."""

    name = "identifier_checksum"
    code = ReasonCode.CHECKSUM_INVALID
    summary = "The identifier's length and check digits are those of its scheme; a scheme that has none passes."
    params_model = IdentifierChecksumParams
    takes = frozenset({"identifier", "string"})
    accepts = (
        Example(("subject",), {}, {"subject": {"scheme": "nhs_number", "value": "9990000018"}}),
        Example(("identifiers",), {}, {"identifiers": [{"scheme": "gro_registration", "value": "1"}]}),
        Example(("number",), {"scheme": "nhs_number"}, {"number": "9990000026"}),
    )
    refuses = (
        Example(("subject",), {}, {"subject": {"scheme": "nhs_number", "value": "9990000019"}}, ("subject",)),
        Example(
            ("subject", "identifiers"),
            {},
            {
                "subject": None,
                "identifiers": [
                    {"scheme": "nhs_number", "value": "9990000018"},
                    {"scheme": "nhs_number", "value": "1"},
                ],
            },
            ("identifiers",),
        ),
        Example(("number",), {"scheme": "nhs_number"}, {"number": "999 000"}, ("number",)),
    )

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del paths, lists
        if params.scheme is not None and params.scheme not in SCHEMES:
            raise ValueError(f"params.scheme has no checksum that is known; known: {', '.join(sorted(SCHEMES))}")
        self._scheme = params.scheme

    def _holds(self, value: Any, now_ms: int) -> bool:
        del now_ms
        if isinstance(value, Mapping):
            return valid(value.get("scheme"), value.get("value"))
        return valid(self._scheme, value)


def valid(scheme: object, number: object) -> bool:
    """Whether `number` passes the checksum of `scheme`; an unknown scheme passes. Never raises."""
    validate = SCHEMES.get(scheme) if isinstance(scheme, str) else None
    if validate is None or number is None:
        return True
    if scheme == "nhs_number" and type(number) is str and len(number) == 10 and number.isascii() and number.isdigit():
        return nhs_number_adds_up(int(number))
    if not isinstance(number, str) or len(number) > MAX_CHARACTERS or _PLAIN.match(number) is None:
        return False
    try:
        validate(number)
    except (ValidationError, ValueError, ArithmeticError, LookupError):  # what stdnum raises on text of no form at all
        return False
    return True


def nhs_number_adds_up(number: int) -> bool:
    """Whether ten digits, read as one number, are an NHS number: as stdnum says, in a tenth of its time.

    Source: NHS Data Dictionary, NHS NUMBER: the weights of the nine digits are 10 to 2, and the check digit makes the
    sum divisible by 11.
    """
    high, low = divmod(number, 100_000)
    return (_UPPER[high] + _LOWER[low]) % 11 == 0


def _sums(weights: tuple[int, ...]) -> bytes:
    """The weighted sums, modulo 11, of all numbers of as many digits as there are weights."""
    made = [0]
    for weight in weights:
        made = [(total + weight * digit) % 11 for total in made for digit in range(10)]
    return bytes(made)


_UPPER, _LOWER = _sums((10, 9, 8, 7, 6)), _sums((5, 4, 3, 2, 1))


def schemes() -> Iterable[str]:
    """The schemes that have a checksum, sorted."""
    return sorted(SCHEMES)
