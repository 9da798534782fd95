"""Finding the events on which our own code fails, in memory, before anything is produced."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from stream_processors.batch import Batch, Column, Fault, Judged, Masked, Verdict
from tidings.deduplication import event_id_of
from tidings.errors import Fatal, ReasonCode, Retriable

Stages = Callable[[Batch], Masked]


def bisect(batch: Batch, stages: Stages) -> Masked:
    """What `stages` make of `batch`, with each event on which they raise quarantined: one view's failure holds it.

    Halves the batch until the failing events stand alone: `stages` look at each event by itself, so the halves' results
    joined are the whole's. Fatal and Retriable are not an event's fault and pass.
    """
    try:
        return stages(batch)
    except (Fatal, Retriable, MemoryError):
        raise
    except Exception as failure:  # noqa: BLE001 -- any failure of our own code on one event is its quarantine
        fault = Fault(ReasonCode.INTERNAL, type(failure).__name__, where_raised(failure.__traceback__))
    if len(batch.records) == 1:
        record = batch.records[0]
        event_id = event_id_of(record.value)
        judged = Judged(record.offset, record.timestamp_ms, Verdict.QUARANTINED, event_id, None, fault=fault)
        return Masked([judged], [])
    middle = len(batch.records) // 2
    return _join(bisect(batch.slice(0, middle), stages), bisect(batch.slice(middle, len(batch.records)), stages))


def _join(left: Masked, right: Masked) -> Masked:
    """Both halves have a column for every view, unless all events of one failed."""
    before: list[None] = [None] * len(left.judged)
    after: list[None] = [None] * len(right.judged)
    if not left.columns:
        columns = [Column(each.view, [*before, *each.projected]) for each in right.columns]
    elif not right.columns:
        columns = [Column(each.view, [*each.projected, *after]) for each in left.columns]
    else:
        pairs = zip(left.columns, right.columns, strict=True)
        columns = [Column(one.view, [*one.projected, *other.projected]) for one, other in pairs]
    return Masked([*left.judged, *right.judged], columns)


def where_raised(traceback: TracebackType | None) -> str:
    """The module and line that raised: no path of the machine, no text of the exception."""
    where = "unknown"
    while traceback is not None:
        where = f"{traceback.tb_frame.f_globals.get('__name__', 'unknown')}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return where
