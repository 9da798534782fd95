"""One run of `FilePublication` over a file in a process of its own.

It needs no registry: schema ids are given, and the test's agency is put in place of the event type's owner. It dies by
SIGKILL at a step where the specification names one, and writes the account as JSON.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commands._account import account_of
from commands._publish_once import FilePublication, Sent
from commands._published_file import PublishedFile, Told
from commands._terminal import told_without_values
from producers.journal import Journal
from producers.publisher import EventPublisher, Nowhere
from tests.forked import Forked, forks
from tests.tidings.kafka.process import at_step, describe, reach
from tidings.catalogue import Catalogue, default_catalogue_dir, load_catalogue
from tidings.clock import StillClock

STEPS = ("begun", "produced", "offsets", "journal", "committed")


@dataclass(frozen=True)
class Spec:
    """What such a run does. `step` empty: nothing special."""

    cluster: dict[str, Any]
    agency: str
    file: str
    journal: str
    account: str
    step: str = ""
    times: int = 2


def run(cluster: Any, agency: str, file: Path, journal: Path, **options: Any) -> tuple[int, dict[str, Any]]:
    """Run one to its end. Returns its exit code, and its account where it came to that."""
    account = journal.with_name(f"{journal.name}.account")
    spec = Spec(describe(cluster), agency, str(file), str(journal), str(account), **options)
    code = Forked(__name__, json.dumps(asdict(spec))).wait(180)
    return code, json.loads(Path(spec.account).read_bytes()) if code == 0 else {}


def publication(
    cluster: Any, agency: str, file: PublishedFile, journal: Journal, probe: Callable[[str], None]
) -> FilePublication:
    """A run in batches of two records."""
    whole = load_catalogue(default_catalogue_dir())
    types = {name: dataclasses.replace(each, owner=agency) for name, each in whole.event_types.items()}
    publisher = EventPublisher(
        cluster,
        agency,
        catalogue=Catalogue(types),
        schema_ids=dict.fromkeys(types, 1),
        clock=StillClock(),
        sender=Nowhere(),
    )
    return FilePublication(file, journal, publisher, cluster=cluster, agency=agency, batch_records=2, probe=probe)


def publish(
    cluster: Any,
    agency: str,
    path: Path,
    journal_path: Path,
    *,
    received_at_ms: int | None = 1,
    probe: Callable[[str], None] = lambda _step: None,
) -> tuple[Sent, dict[str, Any]]:
    """Publish a file as far as it goes; how it went, and the account."""
    with PublishedFile(path, Told(None, None)) as file, Journal(journal_path) as journal:
        sent = publication(cluster, agency, file, journal, probe).run(received_at_ms, lambda _record: None)
        return sent, account_of(file.name, file.connector.spec.name, journal.records()).as_json(dry_run=False)


def main(text: str) -> None:
    """Run the specification."""
    spec = Spec(**json.loads(text))
    probe = at_step(spec.step, spec.times)
    with told_without_values():  # the log goes to standard error
        _, account = publish(reach(spec.cluster), spec.agency, Path(spec.file), Path(spec.journal), probe=probe)
    Path(spec.account).write_text(json.dumps(account))


forks(__name__)
