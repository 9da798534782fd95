"""`tidings notices`: what a publisher hears of its events, read with its own credentials, back to file and record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands._context import AsOption, ClusterOption, cluster_of
from commands._terminal import json_line, printable

if TYPE_CHECKING:
    from commands._journals import Found
    from tidings.notices import Notice


def notices(
    agency: AsOption,
    cluster: ClusterOption = None,
    file: Annotated[
        Path | None, typer.Option(help="Only what is about this file, as it was published from here.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="With --file: the connector it was published with.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="With --file: the mapping it was published with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each notice as a line of JSON.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Print which of AGENCY's events were rejected, flagged, sent before or quarantined, with every reason code and
    field, never a value.

    Each is read back to the file and record that `tidings publish` on this machine made it of, by its journal. Of an
    event that is accepted without a note there is no notice.
    """
    from commands._journals import Journals
    from tidings import topics
    from tidings.errors import Fatal
    from tidings.kafka.admin import Admin
    from tidings.kafka.follow import follow as records_of
    from tidings.notices import decode_notice

    where = cluster_of(cluster)
    where.password(agency)  # says so where there is no such agency, before its name is made a topic's
    topic = topics.notices(agency)
    admin = Admin(where, agency)
    if topic not in admin.topics():
        raise Fatal(f"{agency} has no notices: it publishes nothing by the policy in force")
    with Journals(admin.cluster_id(), agency) as journals:
        if file is not None:
            journals.only(file, source, mapping)
        for record in records_of(where, agency, [topic], going_on=lambda: follow):
            if record.value is None:
                continue
            notice = decode_notice(record.value)
            found = journals.find(notice)
            if found is not None or file is None:
                typer.echo(_as_json(notice, found) if as_json else _as_text(notice, found))


def _as_text(notice: Notice, found: Found | None) -> str:
    reasons = ", ".join(str(finding) for finding in notice.findings)
    place = f"{notice.inbox}/{notice.partition}@{notice.offset}"
    of = f"{printable(found.file)}:{found.line} record {found.number}" if found is not None else place
    late = " (late)" if notice.late else ""
    said = f"{notice.outcome.value.lower():11} {of} {notice.event_id or '(no event_id)'}{late}"
    return f"{said}: {reasons}" if reasons else said


def _as_json(notice: Notice, found: Found | None) -> str:
    said: dict[str, Any] = {
        "outcome": notice.outcome.value.lower(),
        "file": None if found is None else found.file,
        "record": None if found is None else found.number,
        "line": None if found is None else found.line,
        "event_id": notice.event_id,
        "findings": [
            {"code": each.code.value, "path": each.path, "severity": each.severity.value} for each in notice.findings
        ],
        "inbox": notice.inbox,
        "partition": notice.partition,
        "offset": notice.offset,
        "policy_version": notice.policy_version,
        "decided_at_ms": notice.decided_at_ms,
        "late": notice.late,
    }
    return json_line(said)
