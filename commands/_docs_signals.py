"""Reference pages of what Tidings says: metrics, errors with their exit codes, and reason codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commands._docs_markdown import code, codes, docstring, page, table
from commands._reasons import REASONS
from producers.outbox.metrics import OUTBOX_METRICS
from tidings.checks import CHECKS
from tidings.errors import BadUsage, ReasonCode, TidingsError
from tidings.metrics import (
    EXCHANGE_METRICS,
    METRICS,
    MONITOR_METRICS,
    PROCESSOR_METRICS,
    WINDOW_METRICS,
    WORKER_METRICS,
    MetricSpec,
)

EXIT_CODES = (
    (0, "done; for `plan`: nothing would change"),
    (
        1,
        "somebody has to mend something; for `demo`: the sums differ; for `docs --check`: a page is stale",
    ),
    (2, "`plan` alone: something would change, and nothing is wrong (as terraform's `-detailed-exitcode` says it)"),
    (3, "`status` alone: a part does not run"),
    (64, "an option or argument is wrong, or there is no such verb"),
    (65, "a file or record is wrong; for `publish`: a record was refused or rejected"),
    (70, "a defect of Tidings; for `publish`: an event is in quarantine"),
    (75, "something did not answer; the same command again may do"),
    (130, "Ctrl-C"),
    ("128 + N", "`run`: a worker was ended by signal N"),
)


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
    classes: list[type[TidingsError]] = [TidingsError, *TidingsError.__subclasses__(), BadUsage]
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
            f"Does not hold: {by_code[each].summary}" if each in by_code else sentence(REASONS[each]),
        )
        for each in ReasonCode
    )
    return page(
        "Errors and reason codes",
        "A command that ends with an error prints it, what to do, and ends with its exit code. No error holds a value"
        " of an event.",
        table(("error", "exit code", "what to do", "meaning"), rows),
        "Every command ends with one of these, so that a script can tell them apart:",
        table(("exit code", "when"), EXIT_CODES),
        "## Reason codes",
        "Why an event was rejected or flagged: in the notice to its publisher, in the decision block, and as the label"
        " `reason` of metrics.",
        table(("code", "check", "meaning"), reasons),
    )


def sentence(words: str) -> str:
    """Words that a line ends with, as a sentence."""
    return f"{words[0].upper()}{words[1:]}."
