"""The contract of every mask: one pure function from a clear value to what a subscriber may see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tidings.keys import KeyRing

AvroType = Any
"""An Avro schema as JSON: a name, an object or a union. What a mask is given is standalone and not null."""


class MaskError(ValueError):
    """An agreement asks of a mask what it does not do. `rule` is kebab-case; the message names types, never values."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


class NoSettings(BaseModel):
    """The settings of a mask that has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class MaskContext:
    """What a mask may know beside the value.

    `group` names the keys (`View.key_group`); `path` is the value's own place, with array positions
    (`related[1].names[0].family`); `event_id` is the id **as this feed delivers it**; `schema` is the value's Avro type
    in the event, `plain` the same without logical types, parsed by fastavro; `scheme` says how to normalise a text.
    """

    keys: KeyRing = field(repr=False)
    group: str
    path: str
    event_id: str = field(repr=False)
    schema: AvroType = field(repr=False)
    plain: AvroType = field(repr=False)
    settings: Any
    scheme: str = ""


class Mask(ABC, Generic[SettingsT]):
    """One mask. Stateless; safe in any thread.

    Who calls: `output_type` and `describe` are called when a view is derived (`tidings plan`), `apply` by the exchange
    for each present value of each event. May it block: never; no input or output. What it may raise: `output_type` and
    `settings` raise `MaskError`; `apply` raises nothing on any value of a type that `output_type` took, and gives null
    where it can make nothing of it. What is true afterwards: the output conforms to the output type, is the same for
    the same value and context, and lets nobody read more of the value than `describe` says.

    Null never reaches a mask: null stays null. Arrays are masked element by element, unless the mask is `whole`.
    """

    name: ClassVar[str]
    whole: ClassVar[bool] = False
    """Whether an array is one value to this mask."""
    settings_type: ClassVar[type[BaseModel]] = NoSettings

    def settings(self, params: Mapping[str, Any]) -> SettingsT:
        """Check an agreement's parameters. Raises MaskError (`mask-params`)."""
        try:
            return self.settings_type.model_validate(dict(params))  # type: ignore[return-value]
        except ValidationError as error:
            parts = (f"{'.'.join(map(str, item['loc'])) or 'params'}: {item['msg']}" for item in error.errors())
            raise MaskError("mask-params", f"{self.name}: {'; '.join(parts)}") from None

    @abstractmethod
    def output_type(self, input_schema: AvroType, params: Mapping[str, Any]) -> AvroType:
        """The Avro type of the output, nullable where `apply` may give null. Raises MaskError (`mask-type`)."""

    @abstractmethod
    def apply(self, value: Any, context: MaskContext) -> Any:
        """The masked value; see the class for what holds."""

    @abstractmethod
    def describe(self, params: Mapping[str, Any]) -> str:
        """One sentence for field documentation and plain-language pages: what a reader still sees."""

    def refuse(self, input_schema: AvroType) -> MaskError:
        """The error for a type that this mask does not take."""
        return MaskError("mask-type", f"the mask {self.name} does not take {type_name(input_schema)}")


def kind_of(schema: AvroType) -> str:
    """The kind of an Avro type: `string`, `record`, `union`…"""
    if isinstance(schema, list):
        return "union"
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def logical_of(schema: AvroType) -> str:
    """The logical type of an Avro type, or nothing."""
    return str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""


def type_name(schema: AvroType) -> str:
    """How a message names an Avro type: its kind, with its name or logical type."""
    kind = kind_of(schema)
    if isinstance(schema, dict) and "name" in schema:
        return f"{kind} {str(schema['name']).rpartition('.')[2]}"
    return f"{kind} ({logical_of(schema)})" if logical_of(schema) else kind


def field_kinds(schema: AvroType) -> dict[str, str]:
    """The kinds of a record's fields by name, null set aside; empty for what is no record."""
    if kind_of(schema) != "record":
        return {}
    return {item["name"]: kind_of(_not_null(item["type"])) for item in schema["fields"]}


def _not_null(schema: AvroType) -> AvroType:
    if isinstance(schema, list):
        rest = [branch for branch in schema if branch != "null"]
        return rest[0] if len(rest) == 1 else rest
    return schema
