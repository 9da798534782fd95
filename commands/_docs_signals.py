"""Reference pages of what Tidings says: metrics, errors with their exit codes, and reason codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commands._docs_markdown import code, codes, docstring, page, table
from producers.outbox.metrics import OUTBOX_METRICS
from tidings.checks import CHECKS
from tidings.errors import ReasonCode, TidingsError
from tidings.metrics import (
    EXCHANGE_METRICS,
    METRICS,
    MONITOR_METRICS,
    PROCESSOR_METRICS,
    WINDOW_METRICS,
    WORKER_METRICS,
    MetricSpec,
)

MEANINGS = {
    ReasonCode.NULL_KEY: "The record has no key.",
    ReasonCode.NULL_VALUE: "The record has no value.",
    ReasonCode.WIRE_FORMAT: "The value does not begin with the Confluent wire format's five bytes.",
    ReasonCode.SCHEMA_UNKNOWN: "The schema id is not one that the policy takes in this inbox.",
    ReasonCode.UNDECODABLE: "The value is not an event of the schema that it names.",
    ReasonCode.KEY_MISMATCH: "The key is not `scheme:value` of the event's subject.",
    ReasonCode.PARTITION_MISMATCH: "The record is not in the partition that murmur2 of its key gives.",
    ReasonCode.SOURCE_MISMATCH: "`source.agency` is not the agency of the inbox.",
    ReasonCode.ENVIRONMENT_MISMATCH: "The event is real where made-up ones are taken, or the other way round.",
    ReasonCode.SUBJECT_MISMATCH: "Two parts of a message name two subjects. For connectors; none uses it yet.",
    ReasonCode.EVENT_ID_INVALID: "`event_id` is not a uuid in the usual form.",
    ReasonCode.EVENT_ID_REUSED: "Another event in this partition's window has the id. A mended event needs a new one.",
    ReasonCode.EVENT_TOO_LARGE: "The event, or a view of it, is larger than its topic takes.",
    ReasonCode.PUBLISHER_STOPPED: "The publisher was stopped by an operator.",
    ReasonCode.INTERNAL: "Our own code failed on the event; it is in quarantine.",
}
"""The meanings of all codes that are no check's own; those of checks are their summaries."""


def metrics_page() -> str:
    """The table of metrics."""

    def rows(specs: Iterable[MetricSpec]) -> Iterator[tuple[str, ...]]:
        for each in specs:
            labels = codes(label.value for label in each.labels)
            yield code(each.name), each.kind.value, each.unit, labels, each.help

    head = ("metric", "kind", "unit", "labels", "what it says")
    buckets = (
        (code(each.name), ", ".join(f"{bound:g}" for bound in each.buckets))
        for each in (*METRICS, *OUTBOX_METRICS)
        if each.buckets
    )
    return page(
        "Metrics",
        "Served at `/metrics` of a health port on 127.0.0.1, in Prometheus' text form. Labels are ids of the policy or"
        " words of a closed list; no label holds anything of an event. `agency` is the publisher of an inbox and the"
        " subscriber of a feed. The guide on observing says what to make of them.",
        "## Of a worker's exchange",
        "Written once a batch.",
        table(head, rows(EXCHANGE_METRICS)),
        "## Of a worker",
        table(head, rows(WORKER_METRICS)),
        "## Of the monitor",
        "`tidings run monitor` knows them from the broker, whether workers run or not.",
        table(head, rows(MONITOR_METRICS)),
        "## Of an outbox relay",
        "`tidings outbox run` serves them, for the agency's own Prometheus. The guide on the outbox says what to make"
        " of them.",
        table(head, rows(OUTBOX_METRICS)),
        "## Of a derived processor",
        "`tidings run NAME` serves them; the label `worker` says which processor it is.",
        table(head, rows(PROCESSOR_METRICS)),
        "## Of the correction window",
        "`tidings run correction-window` serves them, beside what every worker does.",
        table(head, rows(WINDOW_METRICS)),
        "## Upper bounds of the histograms' buckets",
        table(("metric", "bounds"), buckets),
    )


def errors_page() -> str:
    """The tree of errors, and every reason code."""
    classes: list[type[TidingsError]] = [TidingsError, *TidingsError.__subclasses__()]
    rows = (
        (code(each.__name__), each.exit_code, each.action, docstring(each).replace("\n", " "))
        for each in classes
        if each.__module__ == TidingsError.__module__
    )
    by_code = {check.code: check for check in CHECKS.values()}
    reasons = (
        (
            code(each.value),
            f"[{by_code[each].name}](checks.md#{by_code[each].name})" if each in by_code else "",
            f"Does not hold: {by_code[each].summary}" if each in by_code else MEANINGS[each],
        )
        for each in ReasonCode
    )
    return page(
        "Errors and reason codes",
        "A command that ends with an error prints it, what to do, and ends with its exit code. No error holds a value"
        " of an event.",
        table(("error", "exit code", "what to do", "meaning"), rows),
        "`tidings plan` ends with 2 where something would change, `tidings status` with 3 where a part does not run.",
        "## Reason codes",
        "Why an event was rejected or flagged: in the notice to its publisher, in the decision block, and as the label"
        " `reason` of metrics.",
        table(("code", "check", "meaning"), reasons),
    )
