"""The program of one inbox under one policy: what every executor of the projection runs, as plain data.

One meaning, several executors: the reference runs the same steps on decoded events, the generated Python and the native
extension on bytes. A program holds no key and no value of an event; `explain` prints it, `as_json` hands it to the
native executor.

How the view's bytes follow from an operation. A view's field is a union of null and its type (null first), unless it
is an array or a map; so an operation frames a value with one byte, 2 for a value and 0 for null, and an array with its
count and a closing 0. Whatever blocks an array came in, it leaves in one. The one field that is never null is
`record_id`.
Source: Avro 1.12 specification, "Binary Encoding"; `view_names.view_field`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fastavro.schema import to_parsing_canonical_form

from tidings.checks import CHECKS, FolderLists, is_of_head
from tidings.checks.identifier_checksum import schemes
from tidings.policy.in_force import CORRECTIONS
from tidings.policy.model import CheckRule, Condition, Inbox, JsonObject, View
from tidings.projection.derive import hold_to_schema, visible_paths
from tidings.projection.plan import MASKED, Plan, Step, make_plan
from tidings.projection.resolve import NEVER, Move, resolution
from tidings.projection.types import AvroType, TypeTable, kind_of, read_types
from tidings.projection.where import compile_where

_LOGICAL = frozenset({"uuid", "timestamp-millis", "date"})


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One Avro type. `of` are row numbers: an array's items, a map's values, a union's branches in order, a record's
    fields. `names` are a record's field names or an enum's symbols; `location` says which of a record's fields tell
    where somebody is, `defaults` what stands for one that is missing, as JSON, or None where nothing does."""

    kind: str
    of: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    location: tuple[bool, ...] = ()
    size: int = 0
    logical: str = ""
    defaults: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: what becomes of one field of the record around it.

    `how` is a mask's name, `record` (the `children` are its named parts) or a derivation of `heads`. `at` is the
    field's number in the record around it, `type` its row. `null` says that what is made of an element may be null.
    `location` and `location_below` are `Step`'s. `plain` is true of `record_id` alone, which is not framed.
    """

    name: str
    path: str
    how: str
    at: int
    type: int
    null: bool = False
    plain: bool = False
    location: bool = False
    location_below: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = ""
    children: tuple[Op, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewProgram:
    """The operations of one view, in the order of its bytes after `kind` and `policy_version`.

    `written_to` is the feed, or the topic where its views wait. `flags_at` is where among the operations the array of
    flags stands, or -1. `visible` and `visible_hidden` are the event's paths whose flags the view may show, the latter
    of a protected person's event without its location.
    """

    feed: str
    written_to: str
    schema_id: int
    group: str
    protected: str
    interest: tuple[str, ...] | None = field(repr=False)
    where: tuple[Condition, ...]
    flags_at: int
    ops: tuple[Op, ...]
    visible: tuple[str, ...] = ()
    visible_hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderProgram:
    """How events under one writer's schema id are read: `root` is a row of `types`. Where `same`, an event's bytes are
    those of the current version; otherwise `moves` resolve them to it, from the move `first`. Where there are none, the
    reference alone can."""

    schema_id: int
    types: tuple[TypeRow, ...]
    root: int
    same: bool
    schema: JsonObject = field(repr=False)
    moves: tuple[Move, ...] = ()
    first: int = 0


@dataclass(frozen=True, slots=True)
class CheckProgram:
    """One check. `of_head`: it also judges annulments. `codes` are the reference list of `code_in_list`, or the schemes
    that have a checksum (`identifier_checksum`)."""

    check: str
    severity: str
    paths: tuple[str, ...]
    params: JsonObject
    of_head: bool
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxProgram:
    """Everything that one inbox's events go through. `root` is a row of `types`, the current version's."""

    topic: str
    agency: str
    partitions: int
    environment: str
    policy_version: int
    types: tuple[TypeRow, ...]
    root: int
    readers: tuple[ReaderProgram, ...]
    checks: tuple[CheckProgram, ...]
    views: tuple[ViewProgram, ...]
    corrections: tuple[str, ...] = tuple(sorted(CORRECTIONS))
    """The changes that still go to a subscriber whose agreement is over and asks for them."""

    def as_json(self) -> str:
        """The program for the native executor: the dataclasses as JSON objects, writers' schemas left out."""
        made = asdict(self)
        for reader in made["readers"]:
            del reader["schema"]
        for view, made_view in zip(self.views, made["views"], strict=True):
            made_view["where"] = [condition.model_dump(mode="json") for condition in view.where]
        return json.dumps(made, sort_keys=True)


def inbox_program(inbox: Inbox, views: Iterable[View], environment: str, policy_version: int) -> InboxProgram:
    """The program of `inbox` for those of `views` that belong to it.

    Raises RuleError where a view cannot be compiled, or its schema is not the one that its rules make.
    """
    table = read_types(inbox.reader_schema)
    types = _Rows(table)
    root = types.row(table.root)
    programs = tuple(_view(view, table, types) for view in views if view.inbox == inbox.topic)
    return InboxProgram(
        topic=inbox.topic,
        agency=inbox.agency,
        partitions=inbox.partitions,
        environment=environment,
        policy_version=policy_version,
        types=types.rows,
        root=root,
        readers=tuple(_reader(int(number), schema, table) for number, schema in inbox.writer_schemas.items()),
        checks=tuple(_check(rule) for rule in inbox.checks),
        views=programs,
    )


class _Rows:
    def __init__(self, table: TypeTable) -> None:
        self._table = table
        self._rows: list[TypeRow | None] = []
        self._named: dict[str, int] = {}
        self._known: dict[str, int] = {}

    @property
    def rows(self) -> tuple[TypeRow, ...]:
        return tuple(row for row in self._rows if row is not None)

    def row(self, schema: AvroType) -> int:
        schema = self._table.resolve(schema)
        name = schema.get("name") if isinstance(schema, dict) else None
        if name is not None and name in self._named:
            return self._named[name]
        known = json.dumps(schema, sort_keys=True) if name is None else ""
        if known in self._known:
            return self._known[known]
        at = len(self._rows)
        self._rows.append(None)
        if name is not None:
            self._named[name] = at
        else:
            self._known[known] = at
        self._rows[at] = self._made(schema)
        return at

    def _made(self, schema: AvroType) -> TypeRow:
        kind = kind_of(schema)
        logical = str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""
        logical = logical if logical in _LOGICAL else ""
        if kind == "union":
            return TypeRow(kind, tuple(self.row(branch) for branch in schema))
        if kind == "record":
            fields = schema["fields"]
            return TypeRow(
                kind,
                tuple(self.row(item["type"]) for item in fields),
                tuple(item["name"] for item in fields),
                tuple(item.get("category") == "location" for item in fields),
                defaults=tuple(json.dumps(item["default"]) if "default" in item else None for item in fields),
            )
        if kind == "array":
            return TypeRow(kind, (self.row(schema["items"]),))
        if kind == "map":
            return TypeRow(kind, (self.row(schema["values"]),))
        if kind == "enum":
            return TypeRow(kind, names=tuple(schema["symbols"]))
        return TypeRow(kind, size=int(schema["size"]) if kind == "fixed" else 0, logical=logical)


def _view(view: View, table: TypeTable, types: _Rows) -> ViewProgram:
    plan, errors = make_plan(table, view.fields)
    if errors:
        raise errors[0]
    compile_where(view.where, table)  # refuses what can never hold
    hold_to_schema(view, plan)
    return ViewProgram(
        feed=view.feed,
        written_to=view.written_to,
        schema_id=view.schema_id,
        group=view.key_group,
        protected=view.protected.value,
        interest=view.interest,
        where=view.where,
        flags_at=len(plan.head) if view.include_flags else -1,
        ops=_ops(plan, table, types),
        visible=visible_paths(plan, protected=False),
        visible_hidden=visible_paths(plan, protected=True),
    )


def _ops(plan: Plan, table: TypeTable, types: _Rows) -> tuple[Op, ...]:
    return tuple(_op(step, table.root, table, types) for step in plan.steps)


def _op(step: Step, around: AvroType, table: TypeTable, types: _Rows) -> Op:
    names = [item["name"] for item in around["fields"]]
    at = names.index(step.name)
    item = around["fields"][at]
    how = step.mask.name if step.how == MASKED and step.mask else step.how
    inner = _record_of(item["type"], table) if step.children else None
    plain = step.path == "record_id" and how in ("record-id", "keep")
    return Op(
        name=step.name,
        path=step.path,
        how=how,
        at=at,
        type=types.row(item["type"]),
        null=_may_be_null(step),
        plain=plain,
        location=step.location,
        location_below=step.location_below,
        settings=step.settings.model_dump(mode="json") if step.settings is not None else {},
        scheme=step.scheme,
        children=tuple(_op(child, inner, table, types) for child in step.children),
    )


def _may_be_null(step: Step) -> bool:
    """Whether the mask's own output is a union with null, whatever stands around it."""
    if step.mask is None or step.mask.whole:
        return step.mask is not None and step.mask.name != "keep"
    made = step.mask.output_type(step.element, step.params)
    return isinstance(made, list) and "null" in made


def _record_of(schema: AvroType, table: TypeTable) -> AvroType:
    schema = table.resolve(schema)
    if isinstance(schema, list):
        return _record_of(next(branch for branch in schema if branch != "null"), table)
    return _record_of(schema["items"], table) if kind_of(schema) == "array" else schema


def _reader(schema_id: int, schema: JsonObject, current: TypeTable) -> ReaderProgram:
    table = read_types(schema)
    rows = _Rows(table)
    root = rows.row(table.root)
    same = _canonical(table) == _canonical(current)
    moves, first = ((), 0) if same else resolution(table, current, rows.row)
    if moves and moves[first].how == NEVER:
        moves = ()
    return ReaderProgram(schema_id, rows.rows, root, same, schema, moves, first)


def _canonical(table: TypeTable) -> str:
    return str(to_parsing_canonical_form(table.standalone(table.root, logical=False)))


def _check(rule: CheckRule) -> CheckProgram:
    codes: Sequence[str] = ()
    if rule.check == "identifier_checksum":
        codes = tuple(schemes())
    elif rule.check == "code_in_list":
        listed = rule.params.get("list")
        codes = tuple(sorted(FolderLists()(listed))) if listed else tuple(rule.params.get("codes", ()))
    return CheckProgram(
        check=rule.check,
        severity=rule.severity.value,
        paths=tuple(CHECKS[rule.check].paths_of(rule)),
        params=dict(rule.params),
        of_head=is_of_head(rule),
        codes=tuple(codes),
    )
