"""What an inbox's program does, operation by operation, and who does it: for people, or as JSON.

Everything is asked of the executors themselves (which checks they prove, which views they make), so that what is said
is what a worker with the same extension would do. Nothing of a key, an event or an interest list is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tidings.keys import KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection.costs import cost_of
from tidings.projection.generate_masks import runs_on_bytes
from tidings.projection.generate_notes import Types, without_null
from tidings.projection.generate_source import Generated, generate
from tidings.projection.heads import ABSENT, EVENT_ID, HEAD_DEFAULTS, LIFE_EVENT_ID, RECORD_ID
from tidings.projection.native import NativeInbox, native_inbox, native_version
from tidings.projection.plan import RECORD
from tidings.projection.program import CheckProgram, InboxProgram, Op, ReaderProgram, ViewProgram, inbox_program
from tidings.projection.resolve import NEVER, Move

NATIVE, PYTHON, REFERENCE = "native", "python", "reference"
NOT_BUILT = "the extension is not built (`make native`)"
STOPPED = "the publisher is stopped: every event is refused, which Python does"
_HEAD_PATHS = ("source.agency", "subject", "received_at", "protection", "environment")
_ON_BYTES = frozenset({ABSENT, EVENT_ID, LIFE_EVENT_ID, RECORD_ID, RECORD})
_NO_SYMBOL = -1
_ASCII = "a text beyond ASCII: Unicode's tables are Python's"


@dataclass(frozen=True, slots=True)
class OpExplained:
    """One operation. `cost` is a class of `costs`, or empty for a mask without one; `by_bytes` says that generated
    Python does it without decoding the value; `deferred` when the native executor leaves the event to Python for it."""

    path: str
    how: str
    settings: dict[str, Any]
    cost: str
    by_bytes: bool
    deferred: tuple[str, ...]
    parts: tuple[OpExplained, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckExplained:
    """One check: whether the native executor and generated Python can prove that it passes. What they cannot prove is
    judged by the reference on the decoded event."""

    check: str
    severity: str
    paths: tuple[str, ...]
    native: bool
    python: bool


@dataclass(frozen=True, slots=True)
class ViewExplained:
    """One view. `head` and `body` are its operations in the order of its bytes; `executor` makes it, `why` says why not
    a faster one; `deferred` is what goes to the executor behind it."""

    feed: str
    agreement: str
    event_type: str
    protected: str
    interest_list: bool
    filters: tuple[str, ...]
    flags: bool
    head: tuple[OpExplained, ...]
    body: tuple[OpExplained, ...]
    executor: str
    why: str
    deferred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InboxExplained:
    """One inbox under one policy. `noted` are the paths whose places the scan keeps for views, filters and checks;
    `passed_over` the top fields that are held to their type and not looked at again. `views` are those asked for, of
    the `view_count` that share the scan; `versions` are writers' versions: number, and how its events are read."""

    topic: str
    view_count: int
    field_count: int
    noted: tuple[str, ...]
    passed_over: tuple[str, ...]
    versions: tuple[tuple[int, str], ...]
    checks: tuple[CheckExplained, ...]
    views: tuple[ViewExplained, ...]


def explain_inbox(
    inbox: Inbox, views: Sequence[View], wanted: Iterable[str], keys: KeyRing, environment: str, policy_version: int
) -> InboxExplained:
    """What `inbox` does under a policy with `views`; of these only the feeds `wanted` are told in full.

    Raises RuleError where a view cannot be compiled.
    """
    mine = [view for view in views if view.inbox == inbox.topic]
    program = inbox_program(inbox, mine, environment, policy_version)
    made = _Executors(program, inbox, mine, keys)
    feeds = frozenset(wanted)
    noted = tuple(sorted(set(_noted(program))))
    top = program.types[program.root].names
    return InboxExplained(
        topic=inbox.topic,
        view_count=len(mine),
        field_count=len(top),
        noted=noted,
        passed_over=tuple(name for name in top if not any(_is_below(path, name) for path in noted)),
        versions=tuple((at, _how_read(reader)) for at, reader in enumerate(program.readers, 1)),
        checks=tuple(made.check(at, check) for at, check in enumerate(program.checks)),
        views=tuple(
            made.view(view, compiled) for view, compiled in zip(mine, program.views, strict=True) if view.feed in feeds
        ),
    )


class _Executors:
    """The executors of one inbox, and what each of them leaves to the one behind it."""

    def __init__(self, program: InboxProgram, inbox: Inbox, views: Sequence[View], keys: KeyRing) -> None:
        self._program, self._types = program, program.types
        self._generated: Generated | None = generate(program, inbox, views, keys)
        engine = STOPPED if inbox.stopped else native_inbox(program, keys) if native_version() else NOT_BUILT
        self._why_not = engine if isinstance(engine, str) else ""
        self._resolves = isinstance(engine, NativeInbox) and engine.resolves
        self._unproven = set(engine.unproven()) if isinstance(engine, NativeInbox) else set[int]()

    def check(self, number: int, check: CheckProgram) -> CheckExplained:
        """One check, by its place in the program."""
        native = not self._why_not and number not in self._unproven
        python = self._generated is not None and check not in self._generated.unproven
        return CheckExplained(check.check, check.severity, check.paths, native, python)

    def view(self, view: View, compiled: ViewProgram) -> ViewExplained:
        """One view with who makes it."""
        ops = tuple(self._op(op) for op in compiled.ops)
        generated = self._generated is not None and self._generated.views[view.feed] is not None
        executor = NATIVE if not self._why_not else PYTHON if generated else REFERENCE
        return ViewExplained(
            feed=view.feed,
            agreement=view.agreement,
            event_type=view.event_type,
            protected=compiled.protected,
            interest_list=compiled.interest is not None,
            filters=tuple(
                f"{each.path} {each.op} {', '.join(map(str, each.values))} (missing: {each.missing})"
                for each in compiled.where
            ),
            flags=compiled.flags_at >= 0,
            head=tuple(op for op in ops if op.path.partition(".")[0] in HEAD_DEFAULTS),
            body=tuple(op for op in ops if op.path.partition(".")[0] not in HEAD_DEFAULTS),
            executor=executor,
            why=self._why(executor),
            deferred=tuple(self._deferred(compiled, executor)),
        )

    def _why(self, executor: str) -> str:
        if executor == REFERENCE:
            return f"{self._why_not}; and the event type or the view is none that Python is generated for"
        return self._why_not

    def _deferred(self, view: ViewProgram, executor: str) -> Iterator[str]:
        others = [reader for reader in self._program.readers if not reader.same]
        if others and executor == NATIVE and not self._resolves:
            yield "events of another version: the extension was built before it could resolve them (`make native`)"
        if any(not reader.moves for reader in others):
            yield "events of a version of which none can be read as the current one: the reference refuses them"
        if any(each.how == NEVER or _NO_SYMBOL in each.codes for reader in others for each in _not_records(reader)):
            yield "events of another version with a value that the current one has no type or symbol for: the reference"
        if executor == NATIVE:
            yield "events that are refused, flagged or seen before: Python finds the reasons"
            for number in sorted(self._unproven):
                check = self._program.checks[number]
                what = "every event" if check.of_head else "every event but annulments"
                yield f"{what}: the check {check.check} of {', '.join(check.paths)} is not proven natively"
            yield f"events whose subject is {_ASCII}"
            return
        yield "checks that are not surely passed: the reference judges the decoded event"
        yield "events in an uncommon encoding (arrays in several blocks, signalling not-a-numbers): the reference"
        if executor == PYTHON and view.protected == "without_location" and any(map(_tells_location, view.ops)):
            yield "events of protected people: the reference takes their location out"

    def _op(self, op: Op) -> OpExplained:
        row = _element(self._types, op.type)
        by_bytes = op.how in _ON_BYTES or runs_on_bytes(op, self._types, row)
        return OpExplained(
            path=op.path,
            how=op.how,
            settings={name: value for name, value in op.settings.items() if value not in ("", None, 0)},
            cost=cost_of(op.how, self._types[row].logical),
            by_bytes=by_bytes,
            deferred=tuple(self._op_deferred(op, self._types[row].kind)) if not self._why_not else (),
            parts=tuple(self._op(child) for child in op.children),
        )

    def _op_deferred(self, op: Op, kind: str) -> Iterator[str]:
        postcode = op.how == "generalise" and str(op.settings.get("to", "")).startswith("postcode")
        if postcode or (op.how == "pseudonym" and kind in ("string", "record")):
            yield _ASCII
        if op.how == "encrypt":
            yield "an event with an array in several blocks: what is sealed has one"


def _how_read(reader: ReaderProgram) -> str:
    if reader.same:
        return "read as it is"
    return "its bytes are made the current version's" if reader.moves else "none of its events can be read"


def _not_records(reader: ReaderProgram) -> Iterator[Move]:
    """The moves whose codes are not those of fields."""
    return (move for move in reader.moves if move.how != RECORD)


def _noted(program: InboxProgram) -> Iterator[str]:
    yield from HEAD_DEFAULTS
    yield from _HEAD_PATHS
    for check in program.checks:
        yield from check.paths
        yield from (str(check.params[name]) for name in ("first", "then") if name in check.params)
    for view in program.views:
        yield from (condition.path for condition in view.where)
        yield from _paths(view.ops)


def _paths(ops: Iterable[Op]) -> Iterator[str]:
    for op in ops:
        yield from _paths(op.children) if op.how == RECORD else (op.path,)


def _is_below(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def _element(types: Types, row: int) -> int:
    row, _ = without_null(types, row)
    return _element(types, types[row].of[0]) if types[row].kind == "array" else row


def _tells_location(op: Op) -> bool:
    return op.location or op.location_below or any(map(_tells_location, op.children))
