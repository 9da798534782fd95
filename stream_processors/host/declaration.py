"""What a derived processor is: one file that declares what it reads, writes and keeps, and two pure functions.

`split` turns one decoded event into parts, each with the key that it belongs to; `step` is called with one part after
another of one key and changes rows of that key. The host brings all parts of a key to one place, whatever the
partitions of the topics read.

A topic's name may hold `{publisher}` (one topic for each agency with an inbox) or `{subscriber}` (one for each agency
with a feed), or be `{feed}` (every feed in force): it is filled in from the policy, so that a processor may touch
exactly these and no other. One that names a linkage group has to do with that group's feeds and subscribers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidings.metrics import MetricSpec
from tidings.policy.model import Policy

Json = Any
"""What JSON can hold: rows and parts are stored as JSON."""
Schema = dict[str, Any]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
PUBLISHER, SUBSCRIBER, FEED = "{publisher}", "{subscriber}", "{feed}"
RESERVED = frozenset({"inbox", "feed", "held", "notices", "exchange", "quarantine", "processor"})
"""No processor declares a topic that begins so as written: these are the exchange's, or the host's."""
TIME_TABLE = "time"
"""The host's own table: stream time at each place."""


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded event of a topic read: where it stands, when the broker took it, and what it says.

    `key` is the record's: on a feed the subject's pseudonym, which a withdrawal has, too. `schema` is the one that
    `value` is of.
    """

    topic: str
    partition: int
    offset: int
    at_ms: int
    value: dict[str, Any] = field(repr=False)
    key: bytes | None = field(default=None, repr=False)
    schema: Schema | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """What one event says of one key. `at_ms` is the event's; `cause` names the event (its id, or where it stands)."""

    key: str = field(repr=False)
    value: Json = field(repr=False)
    topic: str
    partition: int
    offset: int
    number: int
    at_ms: int
    cause: str


class State(Protocol):
    """The rows of one part's key, and what is sent on. Another key's row cannot be named."""

    @property
    def now_ms(self) -> int:
        """Stream time in milliseconds, to the minute: of the newest event seen here, never the machine's clock."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy in force. For what is sent on; no row depends on it."""
        ...

    def get(self, table: str, row: str = "") -> Json | None:
        """A row as it stands, None where there is none. For what is sent on; a change depends on its own row alone."""
        ...

    def update(
        self, table: str, change: Callable[[Json | None], Json | None], row: str = "", window_ms: int | None = None
    ) -> Json | None:
        """Make a row what `change` makes of it (None takes it away), and return it.

        A part that comes again changes nothing: the row as it stands is returned. `window_ms` is the start of the
        window that the row is of: where the table no longer keeps that window, nothing is changed, and None returned.
        """
        ...

    def keeps(self, table: str, window_ms: int) -> bool:
        """Whether a window is still kept by today's clock: what is sent on of one that is not might be incomplete."""
        ...

    def emit(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Send a record on, under a key: a later one with the same key takes its place. Raises Fatal where the topic is
        not declared."""
        ...


@dataclass(frozen=True, slots=True)
class Reads:
    """A topic read. `schema` is the reader's: what `split` sees, whatever version wrote it; None is the writer's."""

    topic: str
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Writes:
    """A topic written, its Avro schema, and for how many days a record is kept at least.

    With `{publisher}` or `{subscriber}` in its name, each of them may read its own.
    """

    topic: str
    schema: Schema
    retention_days: int


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by key, in RocksDB, with a changelog. `keep_ms` after its last part, or after its window's start, a row is
    gone; None keeps it for ever. `swept` rows are shown to `sweep` again and again."""

    name: str
    keep_ms: int | None = None
    swept: bool = False


Split = Callable[[Event], Iterable[tuple[str, Json]]]
Step = Callable[[Part, State], None]
Sweep = Callable[[str, str, Json, State], None]
Gauge = tuple[MetricSpec, tuple[str, ...], float]
"""A metric out of the table, its labels' values (ids of the policy, or words of a closed list), and what it is."""
Shows = Callable[[dict[str, Any]], Iterable[Gauge]]
Enrol = Callable[[Policy], Iterable[tuple[str, Json]]]


@dataclass(frozen=True, slots=True)
class Processor:
    """A derived processor.

    Args:
        name: an id; the file is named like it, with underscores.
        summary: one sentence for people.
        split: see the module. Raises Reject where an event is not what it should be.
        step: see the module. Both are pure: the same parts in the same order give the same rows, wherever they run.
        sweep: is called with (key, row's name, row, state) of each `swept` row every `sweep_every_ms` of stream time,
            and must be idempotent: it finds what did not come.
        version: raise it when rows of the version before mean something else: state is made anew from the topics read.
        partitions: at how many places it works at most.
        enrol: says what the policy itself makes: parts like those of an event, taken in at each start and whenever the
            policy changes. Of one version each counts once.
        shows: what a record that is sent on makes of the metrics.
        shows_first: what they are before anything is sent.
        linkage: the linkage group whose feeds `{feed}` stands for; None: every feed in force.
    """

    name: str
    summary: str
    reads: tuple[Reads, ...]
    writes: tuple[Writes, ...]
    tables: tuple[Table, ...]
    split: Split
    step: Step
    sweep: Sweep | None = None
    sweep_every_ms: int = HOUR_MS
    version: int = 1
    partitions: int = 4
    linkage: str | None = None
    enrol: Enrol | None = None
    shows: Shows | None = None
    shows_first: Callable[[Policy], Iterable[Gauge]] | None = None

    def __post_init__(self) -> None:
        names = [TIME_TABLE, *(table.name for table in self.tables)]
        if len(set(names)) < len(names) or not self.reads or self.version < 1 or self.partitions < 1:
            raise ValueError(f"{self.name}: tables have names of their own; something is read; counts start at 1")
        for each in self.writes:
            if each.topic.partition(".")[0] in RESERVED:
                raise ValueError(f"{self.name}: {each.topic} belongs to the exchange")


def window_of(at_ms: int, length_ms: int) -> int:
    """The start of the window of `length_ms` that a time lies in. Windows lie end to end from 1970 (UTC)."""
    return at_ms - at_ms % length_ms
