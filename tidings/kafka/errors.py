"""Translates the client's errors into ours at the boundary: a code's name and what we were doing, nothing else.

The client's own text may hold keys, values and inner errors, so it never crosses; a `KafkaException` is always answered
with `raise … from None`.
"""

from __future__ import annotations

from typing import ClassVar

from confluent_kafka import KafkaError, KafkaException

from tidings.errors import Fatal, Retriable, TidingsError


class Abortable(TidingsError):
    """The open transaction cannot be committed: it is aborted, and the same batch is read and decided again."""

    action: ClassVar[str] = "abort the transaction, then read the same batch again"
    exit_code: ClassVar[int] = 75


class SlotBusy(Retriable):
    """The group has not yet let go of whoever had this slot: a killed process, for a session's time-out."""

    action: ClassVar[str] = "join again with a new consumer until the session of the one before has ended"


class ProtocolUnsupported(Retriable):
    """The broker does not have the group protocol that this consumer joined with; nothing was assigned."""

    action: ClassVar[str] = "join again with the classic protocol"


class ClientStuck(Fatal):
    """A call of the client does not return: only a new client goes on. Nothing was committed by it."""

    action: ClassVar[str] = "open a new client; the broker aborts what this one has open"
    exit_code: ClassVar[int] = 75


class Overdue(Fatal):
    """The broker has ended the transaction itself, its time being over. Before it was asked to commit it, nothing of it
    was committed."""

    action: ClassVar[str] = "open a new client, then read the same batch again"
    exit_code: ClassVar[int] = 75


class Fenced(Fatal):
    """A newer client holds this one's name: another process, or one of ours that was given up while it asked for it."""

    action: ClassVar[str] = "end, where somebody else has the work now; else open a new client"
    exit_code: ClassVar[int] = 75


# Another process took this slot over (or never let go of it): going on would deliver twice.
_FENCED = frozenset(
    {
        "_FENCED",
        "PRODUCER_FENCED",
        "FENCED_INSTANCE_ID",
        "UNRELEASED_INSTANCE_ID",
    }
)

# What the broker says of a transaction that it has ended. Source: Kafka 4.3.1, `TransactionCoordinator.endTransaction`.
_OVERDUE = "INVALID_TXN_STATE"

# The group moved on while the batch was under way; its partitions may be another worker's by now.
_MOVED_ON = frozenset(
    {
        "ILLEGAL_GENERATION",
        "UNKNOWN_MEMBER_ID",
        "STALE_MEMBER_EPOCH",
        "FENCED_MEMBER_EPOCH",
        "REBALANCE_IN_PROGRESS",
    }
)

# The client gave a message up: its time was over, or its transaction had failed, upon which it drops all that waits.
_GIVEN_UP = frozenset({"_MSG_TIMED_OUT", "_PURGE_QUEUE", "_PURGE_INFLIGHT"})

# The same call can succeed later; the client does not flag all of these as retriable itself.
_TRANSIENT = frozenset(
    {
        "_TIMED_OUT",
        "_TIMED_OUT_QUEUE",
        "_TRANSPORT",
        "_ALL_BROKERS_DOWN",
        "_RESOLVE",
        "_WAIT_COORD",
        "_IN_PROGRESS",
        "_PREV_IN_PROGRESS",
        "_QUEUE_FULL",
        "_RETRY",
        "REQUEST_TIMED_OUT",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "NOT_COORDINATOR",
        "NOT_LEADER_FOR_PARTITION",
        "LEADER_NOT_AVAILABLE",
        # A broker goes or comes back: who leads a partition is known to the client, or to the broker, a moment later.
        "_NOENT",
        "FENCED_LEADER_EPOCH",
        "UNKNOWN_LEADER_EPOCH",
        "OFFSET_NOT_AVAILABLE",
        "REPLICA_NOT_AVAILABLE",
        "KAFKA_STORAGE_ERROR",
        "BROKER_NOT_AVAILABLE",
        "NETWORK_EXCEPTION",
        "CONCURRENT_TRANSACTIONS",
        "UNSTABLE_OFFSET_COMMIT",
    }
)


# What whoever sits at a terminal reads before the code's name, where the name alone would tell them nothing.
_WORDS = {
    "_TRANSPORT": "no broker answers, `tidings status` says what runs: ",
    "_ALL_BROKERS_DOWN": "no broker answers, `tidings status` says what runs: ",
    "_RESOLVE": "no broker has an address of this name: ",
}

# Why a consumer can end for good. A poll only says `_FATAL`; the reason stands in the client's text alone.
_FATAL_REASONS = (
    "UNRELEASED_INSTANCE_ID",
    "FENCED_INSTANCE_ID",
    "UNSUPPORTED_VERSION",
    "_UNSUPPORTED_FEATURE",
    "UNSUPPORTED_ASSIGNOR",
    "GROUP_AUTHORIZATION_FAILED",
    "INVALID_REQUEST",
)


def fatal_reason(error: KafkaError) -> str:
    """The name of the code behind a consumer's fatal error, or the error's own."""
    text = error.str()
    for name in _FATAL_REASONS:
        if KafkaError(getattr(KafkaError, name)).str() in text:
            return name
    return error.name()


def error_of(exception: KafkaException) -> KafkaError:
    """The client's error inside its exception."""
    error: KafkaError = exception.args[0]
    return error


def translate(error: KafkaError, doing: str) -> TidingsError:
    """Our error for the client's: Fatal, Abortable or Retriable, by what the caller does next.

    Args: `doing` says what was under way, in words of our own ("committing"). Unknown codes are Fatal: what is not
    understood stops the worker. The text ends with the code's name and never holds the client's message.
    """
    text = f"{doing}: {_WORDS.get(error.name(), '')}{error.name()}"
    if error.name() in _FENCED:
        return Fenced(text)
    if error.name() == _OVERDUE:
        return Overdue(text)
    if error.fatal():
        return Fatal(text)
    if error.txn_requires_abort() or error.name() in _MOVED_ON or error.name() in _GIVEN_UP:
        return Abortable(text)
    if error.retriable() or error.name() in _TRANSIENT:
        return Retriable(text)
    return Fatal(text)
