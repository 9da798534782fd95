"""From a column of projections to a feed's messages: sequences, values, commitments."""

from __future__ import annotations

from collections.abc import Sequence

from stream_processors.batch import Column
from tidings import topics, wire
from tidings.decisions import AgreementOutcome, ViewOutcome, commitment
from tidings.log import Message
from tidings.policy.model import View

_OUTCOMES = {
    "delivered": ViewOutcome.DELIVERED,
    "withdrawn": ViewOutcome.WITHDRAWN,
    "filtered": ViewOutcome.FILTERED,
}


def outcome_of_view(view: View, projected: str) -> ViewOutcome:
    """What a decision says of a view that a projector calls `delivered`, `withdrawn` or `filtered`."""
    if projected != "filtered" and topics.is_held(view.written_to):
        return ViewOutcome.HELD
    return _OUTCOMES[projected]


def feed_messages(
    column: Column, partition: int, nonces: Sequence[bytes], last_sequence: int
) -> tuple[list[Message], list[AgreementOutcome | None], int]:
    """What goes to one feed, and what the decision says of it, event by event.

    Feed partition = inbox partition. Sequences count from 1 and have no gaps. Views that the agreement holds back go to
    the topic where they wait, numbered by themselves. Returns messages, outcomes (None where the event was not weighed)
    and the new last sequence.
    """
    feed, topic = column.view.feed, column.view.written_to
    written = {projected: outcome_of_view(column.view, projected) for projected in _OUTCOMES}
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
            messages.append(Message(topic, partition, projected.key, value))
            outcomes.append(AgreementOutcome(feed, written[projected.outcome], sequence, commitment(nonce, value)))
    return messages, outcomes, sequence
