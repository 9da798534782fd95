"""The policy as data: what `tidings apply` publishes to `exchange.policy` and a worker loads. No code, no secret.

A policy is immutable. Its `hash` is the SHA-256 of its canonical JSON without its `hash` (`tidings.policy.codec`).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from tidings import topics
from tidings.errors import Severity

JsonObject = dict[str, Any]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Environment(StrEnum):
    """Whether events are real (`LIVE`) or made up (`SYNTHETIC`); an exchange takes one kind only."""

    LIVE = "LIVE"
    SYNTHETIC = "SYNTHETIC"


class CheckRule(_Frozen):
    """One check on one event type: `check` is a name in the table of `tidings.checks`, `paths` are dotted."""

    check: str
    paths: tuple[str, ...]
    severity: Severity
    params: JsonObject = {}


class Inbox(_Frozen):
    """One inbox and all that a worker needs to read it without the registry.

    `writer_schemas` maps each allowed schema id (as text, for JSON) to its Avro schema, oldest first; `reader_schema`
    is the event type's current version, with every named type resolved in place. All carry `doc` and `category`.
    """

    topic: str
    agency: str
    event_type: str
    partitions: int
    reader_schema: JsonObject
    writer_schemas: dict[str, JsonObject]
    checks: tuple[CheckRule, ...]
    deduplication_window_events: int
    stopped: bool = False


class FieldRule(_Frozen):
    """What a view does with one field of the event: a dotted path, a mask's name and its parameters."""

    path: str
    mask: str
    params: JsonObject = {}


class Condition(_Frozen):
    """One line of a row filter: the value at `path` (any element, where it crosses an array) passes when `op` holds.

    `in` / `not_in` compare with `values` exactly; `starts_with` takes text prefixes. `missing` says what a null or an
    empty array does.
    """

    path: str
    op: Literal["in", "not_in", "starts_with"]
    values: tuple[str | int | bool, ...]
    missing: Literal["include", "exclude"]


class Protection(StrEnum):
    """What an agreement gets of events of protected subjects: nothing, all but location fields, or everything."""

    NONE = "none"
    WITHOUT_LOCATION = "without_location"
    FULL = "full"


def linkage_keys(linkage: str) -> str:
    """The name of a linkage group's keys: a view's `key_group`. The dot, which no id has, keeps it from agreements'."""
    return f"linkage.{linkage}"


class View(_Frozen):
    """What one agreement makes of one event type from one inbox, and the feed that it goes to.

    `key_group` names the keys of its pseudonyms (`Agreement.key_group`): its own, or a linkage group's. `interest` is
    None, or the feed keys (pseudonyms) of the only subjects wanted. Valid from the start of `valid_from` to the end of
    `valid_until` (UTC); after that, corrections only where `after_end` says so. `hold_seconds` is how long each view
    waits in the topic `written_to` before the correction window lets it into the feed; None: it goes there at once.
    """

    agreement: str
    agreement_version: int
    subscriber: str
    inbox: str
    event_type: str
    feed: str
    schema_id: int
    view_schema: JsonObject
    fields: tuple[FieldRule, ...]
    where: tuple[Condition, ...]
    key_group: str
    protected: Protection
    interest: tuple[str, ...] | None = None
    valid_from: date
    valid_until: date
    after_end: Literal["nothing", "corrections"]
    include_flags: bool = False
    stopped: bool = False
    hold_seconds: int | None = None

    @property
    def written_to(self) -> str:
        """Where the exchange writes: the feed, or the topic where views are held."""
        return self.feed if self.hold_seconds is None else topics.held(self.feed)

    @model_serializer(mode="wrap")
    def _without_hold(self, written: SerializerFunctionWrapHandler) -> JsonObject:
        """A policy without a hold has the bytes, and so the hash, that it had before there were holds."""
        made: JsonObject = written(self)
        if self.hold_seconds is None:
            made.pop("hold_seconds", None)
        return made


class Policy(_Frozen):
    """Everything in force. `version` counts from 1 and never repeats; `hash` is lower-case hexadecimal.

    `stops` is what an operator has stopped (`tidings.provisioning.stops`), agreements that are not in it included: a
    stop outlives the file of what it stops.
    """

    version: int
    environment: Environment
    created_at_ms: int
    inboxes: tuple[Inbox, ...]
    views: tuple[View, ...]
    system_schema_ids: dict[str, int] = {}
    stops: tuple[str, ...] = ()
    hash: str = ""
