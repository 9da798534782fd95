"""What every mask is held to: members come from the table, so a new one is under test before its author has a test."""

from __future__ import annotations

import string
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tidings.masks
from tidings.keys import KeyRing
from tidings.masks import MASKS, Mask, MaskContext, MaskError, mask_named
from tidings.masks.encrypt import Undecryptable, decrypt, encryption_key, key_version
from tidings.masks.pseudonym import pseudonym, pseudonym_uuid, unpseudonym_uuid
from tidings.projection.types import read_types

KEYS = KeyRing(bytes(range(32)))
OTHER_KEYS = KeyRing(bytes(32))

PARAMS: dict[str, list[dict[str, Any]]] = {
    "encrypt": [{}],
    "generalise": [{"to": to} for to in ("year", "month", "decade", "postcode_area", "postcode_district")],
    "keep": [{}],
    "partial": [{"first": 1}, {"last": 2}, {"first": 2, "last": 3}],
    "pseudonym": [{}, {"scheme": "nhs_number"}],
    "redact": [{}],
}
"""Settings to try each mask with; one that is not here fails `test_every_mask_is_tried`."""

_PARTIAL_DATE = {
    "type": "record",
    "name": "t.PartialDate",
    "fields": [
        {"name": "year", "type": "int"},
        {"name": "month", "type": ["null", "int"]},
        {"name": "day", "type": ["null", "int"]},
    ],
}
_SUBJECT = {
    "type": "record",
    "name": "t.SubjectId",
    "fields": [{"name": "scheme", "type": "string"}, {"name": "value", "type": "string"}],
}
_LONGS = st.integers(-(2**63), 2**63 - 1)
_INTS = st.integers(-(2**31), 2**31 - 1)
_TEXTS = st.one_of(st.text(), st.from_regex(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]", fullmatch=True), st.just("SW1A 2AA"))

TYPES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "boolean": ("boolean", st.booleans()),
    "int": ("int", _INTS),
    "long": ("long", _LONGS),
    "float": ("float", st.floats(width=32)),
    "double": ("double", st.floats()),
    "bytes": ("bytes", st.binary()),
    "string": ("string", _TEXTS),
    "uuid": ({"type": "string", "logicalType": "uuid"}, st.one_of(st.uuids().map(str), st.text())),
    "date": ({"type": "int", "logicalType": "date"}, _INTS),
    "timestamp-millis": ({"type": "long", "logicalType": "timestamp-millis"}, _LONGS),
    "decimal": ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, st.binary()),
    "fixed": ({"type": "fixed", "name": "t.Four", "size": 4}, st.binary(min_size=4, max_size=4)),
    "enum": ({"type": "enum", "name": "t.Colour", "symbols": ["RED", "BLUE"]}, st.sampled_from(["RED", "BLUE"])),
    "array": ({"type": "array", "items": "string"}, st.lists(st.text(), max_size=4)),
    "map": ({"type": "map", "values": "long"}, st.dictionaries(st.text(), _LONGS, max_size=4)),
    "partial date": (
        _PARTIAL_DATE,
        st.fixed_dictionaries({"year": _INTS, "month": st.none() | _INTS, "day": st.none() | _INTS}),
    ),
    "subject": (_SUBJECT, st.fixed_dictionaries({"scheme": st.text(), "value": st.text()})),
    "union": (["int", "string"], st.one_of(_INTS, st.text())),
    "null": ("null", st.none()),
}


def _cases() -> Iterator[Any]:
    for name, mask in MASKS.items():
        for params in PARAMS.get(name, []):
            for kind in TYPES:
                yield pytest.param(mask, params, kind, id=f"{name}-{'-'.join(map(str, params.values()))}-{kind}")


def _plain(schema: Any) -> Any:
    table = read_types(schema)
    return fastavro.parse_schema(table.standalone(table.root, logical=False))


def _context(
    mask: Mask[Any], params: dict[str, Any], schema: Any, group: str = "benefits", path: str = "a.b"
) -> MaskContext:
    event_id = "00000000-0000-4000-8000-000000000001"
    return MaskContext(KEYS, group, path, event_id, schema, _plain(schema), mask.settings(params))


def _output_type(mask: Mask[Any], schema: Any, params: dict[str, Any]) -> Any:
    """The derived type, or None where the mask refuses the type as it should: with its own rule."""
    try:
        return mask.output_type(schema, params)
    except MaskError as error:
        if error.rule != "mask-type":
            raise
        return None


def _masked(name: str, value: Any, schema: Any = "string", group: str = "benefits", **params: Any) -> Any:
    mask = mask_named(name)
    return mask.apply(value, _context(mask, params, schema, group))


def test_folder_and_table_agree() -> None:
    """Every file of the folder that defines a mask is in the table, under its own name, and nothing else is."""
    folder = Path(tidings.masks.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "base", "normalise"}
    assert files == set(MASKS)
    assert all(name == mask.name == type(mask).__module__.rpartition(".")[2] for name, mask in MASKS.items())


def test_every_mask_is_tried() -> None:
    """No mask is in the table without settings to try it with."""
    assert set(MASKS) == set(PARAMS)


def test_an_unknown_mask_is_refused() -> None:
    """The table is closed."""
    with pytest.raises(MaskError, match="there is no mask 'sieve'") as caught:
        mask_named("sieve")
    assert caught.value.rule == "mask-unknown"


@pytest.mark.parametrize("name", sorted(MASKS))
def test_unknown_parameters_are_refused(name: str) -> None:
    """A parameter that a mask does not know is an error, not a wish."""
    with pytest.raises(MaskError) as caught:
        MASKS[name].settings({"wrongly_spelt": 1})
    assert caught.value.rule == "mask-params"


@pytest.mark.parametrize(("mask", "params", "kind"), list(_cases()))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_refused_at_plan_time_or_conforming(
    mask: Mask[Any], params: dict[str, Any], kind: str, data: st.DataObject
) -> None:
    """Every Avro type with every mask: refused when planned, or the output encodes as the derived type, is the same
    again, and the mask says what it does in a sentence."""
    schema, values = TYPES[kind]
    output = _output_type(mask, schema, params)
    if output is None:
        return
    assert mask.describe(params).endswith(".")
    value = data.draw(values)
    context = _context(mask, params, schema)
    made = mask.apply(value, context)
    out = BytesIO()
    fastavro.schemaless_writer(out, _plain(output), made, strict=True)
    again = BytesIO()
    fastavro.schemaless_writer(again, _plain(output), mask.apply(value, context), strict=True)
    assert out.getvalue() == again.getvalue()


@pytest.mark.parametrize("name", sorted(set(MASKS) - {"keep"}))
@settings(max_examples=100, deadline=None)
@given(value=st.text(alphabet=string.ascii_letters + string.digits + " '-éß", min_size=1, max_size=40))
def test_the_clear_text_is_not_in_the_output(name: str, value: str) -> None:
    """No mask but keep lets a whole text through: the output of a two-character name does not hold it, nor a longer."""
    for params in PARAMS[name]:
        mask = MASKS[name]
        try:
            mask.output_type("string", params)
        except MaskError:
            continue
        made = mask.apply(value, _context(mask, params, "string"))
        if made is None:
            continue
        if name == "partial":
            shown = sum(mine == theirs for mine, theirs in zip(made, value, strict=True))
            assert shown * 2 <= len(value)
        elif name == "redact":
            assert made == "REDACTED"
        else:
            clear = value.encode() if isinstance(made, bytes) else value
            assume(len(clear) >= 4)  # a shorter text may stand in random characters by chance
            assert clear not in made


@given(value=st.text(min_size=1, max_size=3))
def test_short_texts_are_stars(value: str) -> None:
    """What partial would show more than half of, it shows nothing of."""
    assert _masked("partial", value, first=1, last=1) == "*" * len(value)


@given(st.dates(), st.dates())
def test_generalised_dates_tell_only_the_month(one: Any, other: Any) -> None:
    """Two dates of one month are one value after generalising to it, and unreadable text is null."""
    same = one.replace(day=1)
    assert _masked("generalise", one.isoformat(), to="month") == _masked("generalise", same.isoformat(), to="month")
    assert _masked("generalise", f"x{other.isoformat()}", to="year") is None


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [
        ("1974-02-28", "year", 1974),
        ("1974-02-28T10:00:00Z", "decade", 1970),
        ("1974-13-28", "year", None),
        ("sw1a 2aa", "postcode_area", "SW"),
        ("SW1A2AA", "postcode_district", "SW1A"),
        ("M1 1AE", "postcode_district", "M1"),
        ("SW1A", "postcode_district", None),
        ("nowhere", "postcode_area", None),
    ],
)
def test_generalised_texts(value: str, to: str, expected: Any) -> None:
    """Dates and postcodes become what the agreement says; a postcode that is only a district already becomes null."""
    assert _masked("generalise", value, to=to) == expected


@pytest.mark.parametrize("year", [-(2**31), 0, 10_000, 2**31 - 1])
def test_impossible_years_are_null(year: int) -> None:
    """A year that no calendar has becomes null, and no number beyond the output's 32 bits."""
    value = {"year": year, "month": 1, "day": 1}
    assert [_masked("generalise", value, _PARTIAL_DATE, to=to) for to in ("year", "month", "decade")] == [None] * 3


def test_golden_pseudonyms() -> None:
    """Pseudonyms at rest are frozen: these bytes change only with a new key version and an ADR."""
    assert [
        pseudonym(KEYS, "benefits", "nhs_number", "9990000018"),
        pseudonym(KEYS, "benefits", "gro_registration", "AB 12"),
        pseudonym(KEYS, "benefits", "", "Amberley"),
        pseudonym_uuid(KEYS, "benefits", "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"),
    ] == GOLDEN


GOLDEN = [
    "v1.uptss4mbdxh2dguz7wl2hyjkp5fatrvc",
    "v1.jjpvk4kz34xnetpc7ao7dqixk3cbuyj2",
    "v1.3wb35iqkkp4gpdsp5ot2363jj3o5mr4k",
    "0af5ab3c-76e8-be42-d48b-f5f9f7b11f07",
]


@pytest.mark.parametrize(
    ("scheme", "one", "other"),
    [
        ("nhs_number", "999 000 0018", "9990000018"),
        ("gro_registration", "ab 12", "AB12"),
        ("country", " gb", "GB"),
        ("passport", "X  12 ", "x 12"),
    ],
)
def test_one_identifier_has_one_pseudonym(scheme: str, one: str, other: str) -> None:
    """However an identifier is written, its pseudonym is the same; under another scheme it is another."""
    assert pseudonym(KEYS, "g", scheme, one) == pseudonym(KEYS, "g", scheme, other)
    assert pseudonym(KEYS, "g", scheme, one) != pseudonym(KEYS, "g", scheme + "x", one)


@given(value=st.uuids())
def test_uuid_pseudonyms_are_a_permutation(value: Any) -> None:
    """The holder of the keys gets the uuid back; another group's uuid is another."""
    made = pseudonym_uuid(KEYS, "g", str(value))
    assert unpseudonym_uuid(KEYS, "g", made) == str(value)
    assert made != pseudonym_uuid(KEYS, "h", str(value))


@settings(max_examples=50, deadline=None)
@given(value=st.text())
def test_what_is_encrypted_is_read_by_its_subscriber_alone(value: str) -> None:
    """The agreement's key opens it at its own path and event; any other key, path, event or byte does not."""
    sealed = _masked("encrypt", value)
    key, event_id = encryption_key(KEYS, "benefits"), "00000000-0000-4000-8000-000000000001"
    assert key_version(sealed) == KEYS.version
    assert decrypt(key, sealed, "a.b", event_id, "string") == value
    for attempt in (
        (encryption_key(KEYS, "other"), sealed, "a.b", event_id),
        (encryption_key(OTHER_KEYS, "benefits"), sealed, "a.b", event_id),
        (key, sealed, "a.c", event_id),
        (key, sealed, "a.b", event_id.replace("1", "2")),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), "a.b", event_id),
        (key, b"\x02" + sealed[1:], "a.b", event_id),
    ):
        with pytest.raises(Undecryptable):
            decrypt(*attempt, "string")


def test_contexts_say_nothing_of_event_or_keys() -> None:
    """The repr of what a mask is handed holds neither key nor event id."""
    text = repr(_context(MASKS["keep"], {}, "string"))
    assert "00000000" not in text
    assert "KeyRing" not in text
