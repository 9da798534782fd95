"""Numbering a batch's views and writing its entries, column by column.

The bytes are those of `views.feed_messages`, `entries.entry_of` and `tidings.decisions.encode_entry`, without their
objects: most entries differ in nothing but ids, numbers and digests.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate, repeat

from stream_processors.feed_run import FeedRun
from stream_processors.views import outcome_of_view
from tidings.decisions import COMMITMENT_BYTES, NONCE_BYTES, TAG_BYTES, Outcome, ViewOutcome
from tidings.errors import Fatal
from tidings.policy.model import View
from tidings.projection.batches import Numbering, Part
from tidings.projection.contract import Projected
from tidings.wire import header, sized, zigzag, zigzags

_SOME, _END = b"\2", b"\0\0"
"""A union's second branch; and what an entry ends with: its array of agreements, and no signature."""
_SOUND = b"\0\0\0"
"""Not flagged, not late, no findings."""
_DELIVERED, _WITHDRAWN, _FILTERED, _HELD = range(4)
_NONE = 4
"""Of a view that is not weighed; the others are numbered as `ViewOutcome` is."""
_OF_VIEWS = {_DELIVERED: Outcome.DELIVERED, _HELD: Outcome.HELD, _WITHDRAWN: Outcome.WITHDRAWN}
"""What an event comes to by any of its views, the first that applies; else it is filtered."""
_COUNTED = (Outcome.DELIVERED, Outcome.WITHDRAWN, Outcome.FILTERED, Outcome.HELD)


@dataclass(slots=True)
class Columns:
    """What was made of a batch, a list for each thing, an element for each event.

    `views` has a list a view. An entry is its offset, `fronts`, the tag of `subjects`, `rests`, and what the views
    came to; of a deferred event `fronts` has all before the agreements, and `subjects` None.
    """

    fronts: list[bytes | None] = field(repr=False)
    subjects: list[bytes | None] = field(repr=False)
    rests: list[bytes] = field(repr=False)
    views: list[list[Projected | None]] = field(repr=False)

    @classmethod
    def of(cls, events: int, views: int) -> Columns:
        """Room for so many."""
        return cls([None] * events, [None] * events, [b""] * events, [[None] * events for _ in range(views)])

    def put(self, view: int, numbers: Sequence[int], made: Sequence[Projected | None]) -> None:
        """What the view makes of the events of these numbers, which rise."""
        column = self.views[view]
        if numbers and numbers[-1] - numbers[0] + 1 == len(numbers):
            column[numbers[0] : numbers[-1] + 1] = made
            return
        for at, each in zip(numbers, made, strict=True):
            column[at] = each

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Nothing was made of these events: they are deferred."""
        for at in numbers:
            self.fronts[at] = self.subjects[at] = None
            self.rests[at] = b""
            for column in self.views:
                column[at] = None


@dataclass(frozen=True, slots=True)
class Column:
    """One view of a batch: its messages, what the entries say of it, what it came to, and the last sequence."""

    run: tuple[str, list[bytes], list[bytes]] = field(repr=False)
    said: list[bytes] = field(repr=False)
    codes: bytearray
    sequence: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """See `tidings.projection.batches.Written`."""

    columns: Sequence[Column]
    entries: Sequence[Part] = field(repr=False)
    counted: Counter[Outcome]

    def parts(self) -> Sequence[Part]:
        """See `Written.parts`."""
        return self.entries

    def sequences(self) -> list[int]:
        """See `Written.sequences`."""
        return [column.sequence for column in self.columns]

    def outcomes(self) -> list[int]:
        """See `Written.outcomes`."""
        return [self.counted[outcome] for outcome in _COUNTED]

    def by_view(self) -> list[list[int]]:
        """See `Written.by_view`."""
        return [[column.codes.count(code) for code in range(_NONE)] for column in self.columns]

    def runs(self, partition: int) -> list[FeedRun]:
        """See `Written.runs`."""
        runs = [column.run for column in self.columns]
        return [FeedRun(topic, partition, keys, values) for topic, keys, values in runs if values]


def write(made: Columns, views: Sequence[View], offsets: Sequence[int], numbering: Numbering) -> Numbered:
    """See `Weighed.write`."""
    each_nonce = [numbering.nonces[at : at + NONCE_BYTES] for at in range(0, len(numbering.nonces), NONCE_BYTES)]
    columns = [
        _number(view, column, each_nonce, last)
        for view, column, last in zip(views, made.views, numbering.sequences, strict=True)
    ]
    codes = list(zip(*(column.codes for column in columns), strict=True)) if columns else [()] * len(offsets)
    sound, deferred = _Endings(sound=True), _Endings(sound=False)
    ends = [
        (deferred if subject is None else sound)[codes_of_one]
        for subject, codes_of_one in zip(made.subjects, codes, strict=True)
    ]
    counted: Counter[Outcome] = Counter()
    for codes_of_one, often in Counter(
        each for each, subject in zip(codes, made.subjects, strict=True) if subject is not None
    ).items():
        counted[_outcome(codes_of_one)] += often
    entries = list(
        map(
            b"".join,
            zip(
                _offsets(offsets, made.subjects),
                made.fronts,
                _tags(made.subjects, numbering.tag_key, numbering.epoch),
                made.rests,
                ends,
                *(column.said for column in columns),
                repeat(_END),
            ),
        )
    )
    return Numbered(columns, _parts(entries, offsets, numbering.room), counted)


def _number(view: View, column: Sequence[Projected | None], nonces: Sequence[bytes], last: int) -> Column:
    """Number one view's messages from `last` on, and commit to each under its event's nonce."""
    name, frame = sized(view.feed.encode()), header(view.schema_id)
    written = {projected: _VIEW_OUTCOMES[outcome_of_view(view, projected)] for projected in ("delivered", "withdrawn")}
    before = {projected: name + zigzag(code) + _SOME for projected, code in written.items()}
    filtered = name + zigzag(_FILTERED) + _END
    numbers = iter(zigzags(last + 1, len(column)))
    keys: list[bytes] = []
    values: list[bytes] = []
    said: list[bytes] = []
    codes = bytearray()
    for projected, nonce in zip(column, nonces, strict=True):
        if projected is None:
            said.append(b"")
            codes.append(_NONE)
            continue
        outcome, key, tail = projected
        if outcome == "filtered":
            said.append(filtered)
            codes.append(_FILTERED)
            continue
        number = next(numbers)
        value = frame + number + tail
        digest = blake2b(value, digest_size=COMMITMENT_BYTES, key=nonce).digest()
        keys.append(key)
        values.append(value)
        said.append(before[outcome] + number + _SOME + digest)
        codes.append(written[outcome])
    sequence = last + len(values)
    return Column((view.written_to, keys, values), said, codes, sequence)


_VIEW_OUTCOMES = {outcome: code for code, outcome in enumerate(ViewOutcome)}
_OUTCOMES = {outcome: zigzag(code) for code, outcome in enumerate(Outcome)}


class _Endings(dict[tuple[int, ...], bytes]):
    """What stands before the agreements of an event that came to these codes, made once for all that are alike."""

    def __init__(self, *, sound: bool) -> None:
        super().__init__()
        self._sound = sound

    def __missing__(self, codes: tuple[int, ...]) -> bytes:
        weighed = sum(code != _NONE for code in codes)
        count = zigzag(weighed) if weighed else b""
        self[codes] = made = _OUTCOMES[_outcome(codes)] + _SOUND + count if self._sound else count
        return made


def _outcome(codes: Sequence[int]) -> Outcome:
    return next((outcome for code, outcome in _OF_VIEWS.items() if code in codes), Outcome.FILTERED)


def _offsets(offsets: Sequence[int], subjects: Sequence[bytes | None]) -> list[bytes]:
    """As entries begin with them; of a deferred event the entry is there already."""
    if offsets[-1] - offsets[0] + 1 == len(offsets):
        made = zigzags(offsets[0], len(offsets))
    else:
        made = list(map(zigzag, offsets))
    if None in subjects:
        made = [b"" if subject is None else each for each, subject in zip(made, subjects, strict=True)]
    return made


def _tags(subjects: Sequence[bytes | None], key: bytes, epoch: str) -> list[bytes]:
    """Each subject's tag and its epoch as an entry has them; see `tidings.decisions.subject_tag`."""
    hash_of, after = blake2b(digest_size=TAG_BYTES, key=key).copy, sized(epoch.encode())
    made = []
    for subject in subjects:
        if subject is None:
            made.append(b"")
            continue
        hashed = hash_of()
        hashed.update(subject)
        made.append(_SOME + hashed.digest() + after)
    return made


def _parts(entries: Sequence[bytes], offsets: Sequence[int], room: int) -> list[Part]:
    """The entries in parts of at most `room` bytes; see `tidings.decisions.group`."""
    ends = list(accumulate(map(len, entries)))
    parts: list[Part] = []
    start = 0
    while start < len(entries):
        end = bisect_right(ends, (ends[start - 1] if start else 0) + room, start)
        if end == start:
            raise Fatal(f"the decision about offset {offsets[start]} is larger than a block may be")
        parts.append((end - start, offsets[end - 1], b"".join(entries[start:end])))
        start = end
    return parts
