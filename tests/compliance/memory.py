"""How much memory each connector needs for files that were never written, in a process of its own.

`python -m tests.compliance.memory MEGABYTES [--records-part N] [--padding BYTES] [CONNECTOR]` prints a line for each:
by how many MiB the process's highest resident memory rose over what it had after the connector's sample, the seconds,
and the outcomes. Files of good records are smaller, by the divisor N, and their records longer by the padding.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

from connectors import SOURCES
from connectors.sources.base import RefusedRecord
from tests.compliance.hostile import XML, endless_attribute, endless_parts, endless_records, endless_value
from tests.compliance.sources import SAMPLES, connector, context, read

MIB = 1024 * 1024


OF_XML: dict[str, Callable[[str, int], BinaryIO]] = {
    "one attribute": endless_attribute,
    "many elements": lambda name, size: endless_parts(name, size, b"<a/>"),
    "many attributes": lambda name, size: endless_parts(name, size, b' a#="1"'),
    "many namespaces": lambda name, size: endless_parts(name, size, b' xmlns:a#="b#"'),
    "many comments": lambda name, size: endless_parts(name, size, b"<!---->"),
}


def peak_mib() -> float:
    """The highest resident memory so far, in MiB. Source: getrusage(2), ru_maxrss, in KiB on Linux."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(megabytes: int, records_part: int, padding: int, names: list[str]) -> Iterator[dict[str, object]]:
    """One measurement a connector and kind of file."""
    for name in names:
        kinds: dict[str, Callable[[str, int], BinaryIO]] = {
            "records": lambda name, size: endless_records(name, size, padding),
            "one value": endless_value,
        }
        kinds |= OF_XML if name in XML else {}
        for kind, make in kinds.items():
            for _ in range(3):
                read(name, SAMPLES[name])
            size = megabytes * MIB // (records_part if kind == "records" else 1)
            before, began, counted = peak_mib(), time.perf_counter(), Counter[str]()
            for outcome in connector(name).read(make(name, size), context(name)):
                is_refused = isinstance(outcome, RefusedRecord)
                counted[outcome.problem.rule if is_refused else type(outcome).__name__] += 1
            yield {
                "connector": name,
                "file": kind,
                "MiB": size // MIB,
                "rise_MiB": round(peak_mib() - before, 1),
                "seconds": round(time.perf_counter() - began, 1),
                "outcomes": dict(counted),
            }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("megabytes", type=int)
    parser.add_argument("--records-part", type=int, default=1)
    parser.add_argument("--padding", type=int, default=0)
    parser.add_argument("connectors", nargs="*")
    given = parser.parse_intermixed_args()
    for each in measure(given.megabytes, given.records_part, given.padding, given.connectors or sorted(SOURCES)):
        sys.stdout.write(json.dumps(each) + "\n")
        sys.stdout.flush()
