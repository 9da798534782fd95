"""From a column of projections to a feed's messages: sequences, values, commitments."""

from __future__ import annotations

from collections.abc import Sequence

from stream_processors.batch import Column
from tidings import wire
from tidings.decisions import AgreementOutcome, ViewOutcome, commitment
from tidings.log import Message

_WRITTEN = {"delivered": ViewOutcome.DELIVERED, "withdrawn": ViewOutcome.WITHDRAWN}


def feed_messages(
    column: Column, partition: int, nonces: Sequence[bytes], last_sequence: int
) -> tuple[list[Message], list[AgreementOutcome | None], int]:
    """What goes to one feed, and what the decision says of it, event by event.

    Feed partition = inbox partition. Sequences count from 1 and have no gaps. Returns messages, outcomes (None where
    the event was not weighed) and the new last sequence.
    """
    feed = column.view.feed
    header = wire.header(column.view.schema_id)
    messages: list[Message] = []
    outcomes: list[AgreementOutcome | None] = []
    sequence = last_sequence
    for projected, nonce in zip(column.projected, nonces, strict=True):
        if projected is None:
            outcomes.append(None)
        elif projected.outcome == "filtered":
            outcomes.append(AgreementOutcome(feed, ViewOutcome.FILTERED))
        else:
            sequence += 1
            value = header + wire.zigzag(sequence) + projected.tail
            messages.append(Message(feed, partition, projected.key, value))
            outcomes.append(AgreementOutcome(feed, _WRITTEN[projected.outcome], sequence, commitment(nonce, value)))
    return messages, outcomes, sequence
