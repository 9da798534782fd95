"""Makes an event type of a register, from the register's own field definitions.

Source: Register Serialisation Format (openregister): the system entries `register:<name>` and `field:<name>`; the
datatypes and cardinalities of the field register.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from tidings.catalogue.head import HEAD, NULL
from tidings.catalogue.load import EVENT_NAMESPACE, TYPE_NAMESPACE, record_name
from tidings.errors import BadInput, Problem

_DATE: Final = f"{TYPE_NAMESPACE}.PartialDate"
_PERIOD: Final = f"{TYPE_NAMESPACE}.Period"

# Each datatype of the field register. A point, a curie, a hash and a URL stay the text that the register published.
DATATYPES: Final[Mapping[str, str]] = {
    "curie": "string",
    "datetime": _DATE,
    "hash": "string",
    "inline": "string",
    "integer": "long",
    "name": "string",
    "period": _PERIOD,
    "point": "string",
    "string": "string",
    "text": "string",
    "timestamp": _DATE,
    "url": "string",
}


@dataclass(frozen=True, slots=True)
class RegisterField:
    """A field as the field register defines it; `cardinality` is `1` or `n`."""

    field: str
    datatype: str
    cardinality: str
    text: str


@dataclass(frozen=True, slots=True)
class RegisterDefinition:
    """A register: its name (also the name of its key field), registry, text, and its fields in the register's order."""

    register: str
    registry: str
    text: str
    fields: tuple[RegisterField, ...]


def event_type_of(definition: RegisterDefinition, event_type: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of `event_type`, with the catalogue entry `entry`: the head, then each field of the register.

    Hyphens in field names become underscores. The key is the subject: scheme is the register's name.
    Raises BadInput where a field has a datatype or cardinality that the field register does not know.
    """
    problems: list[Problem] = []
    body = [_body_field(definition, field, problems) for field in definition.fields]
    if problems:
        raise BadInput(problems)
    return {
        "type": "record",
        "name": record_name(event_type),
        "namespace": EVENT_NAMESPACE,
        "doc": f"An entry of the register {definition.register} ({definition.registry}): {definition.text}. "
        f"The subject is the key, in the scheme {definition.register}. Generated from the register's own definitions.",
        "catalogue": dict(entry),
        "fields": [*HEAD, *body],
    }


def definition_of(
    fields: Mapping[str, Mapping[str, Any]], register: Mapping[str, Any], file: str
) -> RegisterDefinition:
    """Join a register's definition with its fields'. Raises BadInput where one is missing or incomplete."""
    problems: list[Problem] = []
    joined: list[RegisterField] = []
    problems.extend(
        Problem(file, 0, key, "required", "the register's definition lacks this")
        for key in ("register", "fields", "text")
        if key not in register
    )
    for name in register.get("fields", ()):
        field = fields.get(name)
        if field is None or not {"datatype", "cardinality"} <= field.keys():
            problems.append(Problem(file, 0, name, "field-definition", "the field has no whole definition"))
        else:
            joined.append(RegisterField(name, field["datatype"], field["cardinality"], field.get("text", "")))
    if problems:
        raise BadInput(problems)
    return RegisterDefinition(register["register"], register.get("registry", ""), register["text"], tuple(joined))


def definition_from_rsf(lines: Iterable[str], file: str) -> RegisterDefinition:
    """The definition that stands in the system entries of an RSF file; the last entry of each key holds.

    Hashes are not verified here: the source connector does that. Raises BadInput where a definition is missing.
    """
    items: dict[str, str] = {}
    latest: dict[str, str] = {}
    for line in lines:
        parts = line.rstrip("\r\n").split("\t")
        if parts[0] == "add-item" and len(parts) == 2:
            items[f"sha-256:{sha256(parts[1].encode()).hexdigest()}"] = parts[1]
        elif parts[0] == "append-entry" and len(parts) == 5 and parts[1] == "system":
            latest[parts[2]] = parts[4]
    try:
        parsed = {key: json.loads(items[hashed]) for key, hashed in latest.items()}
    except (KeyError, json.JSONDecodeError):
        raise BadInput([Problem(file, 0, "", "item", "a system entry names an item that is not in the file")]) from None
    fields = {key.removeprefix("field:"): value for key, value in parsed.items() if key.startswith("field:")}
    registers = [value for key, value in parsed.items() if key.startswith("register:")]
    if len(registers) != 1:
        raise BadInput([Problem(file, 0, "register", "register", "the file defines one register")])
    return definition_of(fields, registers[0], file)


def definition_from_json(document: Mapping[str, Any], file: str) -> RegisterDefinition:
    """The definition in a file `{"register": {...}, "fields": [{...}]}` of the registers' own JSON items."""
    fields = {field["field"]: field for field in document.get("fields", ()) if "field" in field}
    return definition_of(fields, document.get("register", {}), file)


def _body_field(definition: RegisterDefinition, field: RegisterField, problems: list[Problem]) -> dict[str, Any]:
    kind = DATATYPES.get(field.datatype)
    if kind is None:
        problems.append(
            Problem(definition.register, 0, field.field, "datatype", f"unknown datatype {field.datatype!r}")
        )
    if field.cardinality not in ("1", "n"):
        problems.append(Problem(definition.register, 0, field.field, "cardinality", "a cardinality is 1 or n"))
    many = field.cardinality == "n"
    key = "The register's key. " if field.field == definition.register else ""
    origin = f"Register field {field.field}: {field.datatype}, cardinality {field.cardinality}."
    return {
        "name": field.field.replace("-", "_"),
        "type": {"type": "array", "items": kind} if many else [NULL, kind],
        "default": [] if many else None,
        "category": "plain",
        "doc": f"{key}{field.text} {origin}",
    }
