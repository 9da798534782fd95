"""From an inbox's program to source, and from source to the functions that a projector runs.

The source holds no value of the policy but its version and names of its fields, and no key: those are objects that it
names. It is compiled once for a policy.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidings.errors import Finding
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection import generate_dates, generate_runtime, generate_where
from tidings.projection.contract import FILTERED, Projected
from tidings.projection.generate_checks import write_proof
from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_notes import Notes, Types
from tidings.projection.generate_scan import write_scan
from tidings.projection.generate_share import Splice
from tidings.projection.generate_view import write_view
from tidings.projection.generated_scan import Head
from tidings.projection.plan import Step, make_plan
from tidings.projection.program import CheckProgram, InboxProgram
from tidings.projection.structure import Malformed, read_long
from tidings.projection.types import read_types

_HEAD: Mapping[str, Sequence[str]] = {
    "event_id": ("string",),
    "change": ("enum",),
    "reason": ("null", "string"),
    "record_id": ("string",),
    "record_version": ("null", "long"),
    "supersedes": ("null", "string"),
    "life_event_id": ("null", "string"),
    "recorded_at": ("null", "long"),
    "received_at": ("long",),
    "occurred_on": ("null", "record"),
    "source.agency": ("string",),
    "subject.scheme": ("string",),
    "subject.value": ("string",),
    "protection": ("enum",),
    "environment": ("enum",),
}


Event = tuple[bytes, tuple[Any, ...], list[Any]]
"""A body, its places, and room for what views share: one more than there is, all None at first."""
MakeViews = Callable[[Sequence[Event], Sequence[Finding]], list[Projected | None]]
"""What one view makes of events that have these flags; None for an event that the reference is to project."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made of one inbox's program. `views` has None for a view that is the reference's alone; `same` are the
    schema ids that `scan` reads; `shared` says how many things views share; `unproven` are the checks that no event
    passes surely."""

    source: str = field(repr=False)
    head: Head
    same: frozenset[int]
    shared: int
    scan: Callable[[bytes], tuple[tuple[Any, ...], list[int], bool]] = field(repr=False)
    proves: Callable[[bytes, Sequence[Any], int], bool] = field(repr=False)
    views: Mapping[str, MakeViews | None] = field(repr=False)
    unproven: tuple[CheckProgram, ...] = ()


def generate(program: InboxProgram, inbox: Inbox, views: Iterable[View], keys: KeyRing) -> Generated | None:
    """The functions for `program`, whose views are `views`; None where its event type is none that is generated for."""
    code, notes = Code(), Notes(program.types, program.root)
    table = read_types(inbox.reader_schema)
    fields = {view.feed: _steps(make_plan(table, view.fields)[0].steps) for view in views}
    try:
        head = _head(program.types, notes)
        proves, unproven = write_proof(code, program, notes)
        splice = Splice(code, program, notes, keys)
        names: dict[str, str | None] = {}
        for view in program.views:
            try:
                names[view.feed] = write_view(splice, view, fields[view.feed])
            except Unsupported:
                names[view.feed] = None
        splice.finish()
        scan = write_scan(code, program.types, program.root, notes)
    except Unsupported:
        return None
    made = _run(code)
    return Generated(
        source=code.source,
        head=head,
        same=frozenset(reader.schema_id for reader in program.readers if reader.same),
        shared=splice.shared,
        scan=made[scan],
        proves=made[proves],
        views={feed: None if name is None else made[name] for feed, name in names.items()},
        unproven=tuple(unproven),
    )


def _steps(steps: Iterable[Step]) -> dict[str, Step]:
    found: dict[str, Step] = {}
    for step in steps:
        found[step.path] = step
        found.update(_steps(step.children))
    return found


def _head(types: Types, notes: Notes) -> Head:
    """Where the head is noted. Raises Unsupported where a field of it has not the type that the catalogue gives it."""
    for path, kinds in _HEAD.items():
        if not _is(types, notes, path, kinds):
            raise Unsupported("the head is another")
    symbols = [types[notes.values(path).element].names for path in ("change", "protection", "environment")]
    if max(map(len, symbols)) > 64:
        raise Unsupported("the head is another")
    changes, protections, environments = symbols
    return Head(
        event_id=notes.start("event_id"),
        change=notes.start("change"),
        record_version=notes.start("record_version"),
        record_version_end=notes.end("record_version"),
        supersedes=notes.start("supersedes"),
        life_event_id=notes.start("life_event_id"),
        recorded_at=notes.start("recorded_at"),
        received_at=notes.start("received_at"),
        received_at_end=notes.end("received_at"),
        source_agency=notes.start("source.agency"),
        subject_scheme=notes.start("subject.scheme"),
        subject_value=notes.start("subject.value"),
        protection=notes.start("protection"),
        environment=notes.start("environment"),
        changes=changes,
        protections=protections,
        environments=environments,
    )


def _is(types: Types, notes: Notes, path: str, kinds: Sequence[str]) -> bool:
    found = notes.find(path)
    nullable = found.null == 0
    own = ["null"] * nullable + [types[found.element].kind]
    return not found.many and not found.deep and own == list(kinds)


def _run(code: Code) -> dict[str, Any]:
    """Compile and run the module; what it defines."""
    room: dict[str, Any] = {
        "Malformed": Malformed,
        "Projected": Projected,
        "FILTERED": FILTERED,
        "new": tuple.__new__,
        "read_long": read_long,
        "after": lambda body, at: read_long(body, at)[1],
        "step": generate_runtime.STEP,
        "high": generate_runtime.HIGH,
        "six": generate_runtime.SIX_BYTES,
        "form": generate_runtime.UUID_FORM,
        "uuid": generate_runtime.FORMED_UUID,
        "groups": generate_runtime.UUID_GROUPS,
        "hexlify": hexlify,
        "any_of": generate_where.any_of,
        "NO_DATE": generate_dates.NO_DATE,
        "known_date": generate_dates.known_date,
        "in_order": generate_dates.in_order,
        "shown_flags": generate_runtime.shown_flags,
        **{
            name: getattr(generate_runtime, name)
            for name in (
                "base32", "block", "long_at", "message", "number", "opaque", "pseudonyms", "raw_uuid", "spend",
                "symbol", "text", "text_at", "uuid_text", "uuid_texts",
            )
        },
        **code.objects,
    }  # fmt: skip
    exec(compile(code.source, "<generated projection>", "exec"), room)  # noqa: S102 - our own source, from a policy's names
    return room
