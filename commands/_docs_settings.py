"""Reference page of the settings: `cluster.json`, environment variables, the loop's and quarantine's bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from types import ModuleType
from typing import Any

from commands._docs_markdown import code, docstring, page, table
from stream_processors import executors
from stream_processors.limits import QuarantineLimits
from tidings.checks import reference_lists
from tidings.kafka import cluster, traces
from tidings.kafka.settings import LoopSettings

VARIABLES = (
    (cluster.CLUSTER_VARIABLE, "the cluster file, where `--cluster` does not name one", ".tidings/cluster.json"),
    ("TIDINGS_CATALOGUE", "the folder of event types", "schemas/avro"),
    (reference_lists.ENVIRONMENT_VARIABLE, "the folder of reference lists", "schemas/reference"),
    (executors.PROJECTION_VARIABLE, f"the projection's executor: {', '.join(executors.KINDS)}", executors.AUTO),
    ("TIDINGS_CACHE", "where downloaded jars are kept", "tidings, in the user's cache folder"),
    (
        "TIDINGS_JOURNAL",
        "where `tidings publish` keeps what became of each record",
        "tidings/journal, in the state folder",
    ),
    (traces.ENDPOINT_VARIABLES[0], "where a worker sends traces (OpenTelemetry's own variable)", "none are made"),
)


def settings_page() -> str:
    """What can be set, where, and what holds otherwise."""
    return page(
        "Settings",
        "## The cluster file",
        docstring_table(cluster),
        "## Environment variables",
        table(("variable", "what it says", "unless set"), ((code(a), b, code(c)) for a, b, c in VARIABLES)),
        "## The loop",
        docstring(LoopSettings),
        table(("setting", "value"), _defaults(LoopSettings)),
        "## Quarantine",
        docstring(QuarantineLimits) + " Beyond that our code, not an event, is wrong: the worker stops.",
        table(("setting", "value"), _defaults(QuarantineLimits)),
        "The values of the loop and of quarantine are set in code for now: no file or option changes them.",
    )


def docstring_table(module: ModuleType) -> str:
    """The table that stands in a module's docstring, with the sentence before it."""
    lines = docstring(module).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    lead = lines[: lines.index(rows[0])]
    return "\n".join([*lead, *rows])


def _defaults(settings: type[Any]) -> Iterator[tuple[str, str]]:
    return ((code(each.name), code(each.default)) for each in fields(settings))
