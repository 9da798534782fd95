"""`tidings notices`: what a publisher hears of its events, read with its own credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from commands._context import AsOption, ClusterOption, cluster_of


def notices(
    agency: AsOption,
    cluster: ClusterOption = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Print which of AGENCY's events were rejected or flagged, with every reason code and field, never a value."""
    from tidings import topics
    from tidings.errors import Fatal
    from tidings.kafka.admin import Admin
    from tidings.kafka.follow import follow as records_of
    from tidings.notices import decode_notice

    where = cluster_of(cluster)
    where.password(agency)  # says so where there is no such agency, before its name is made a topic's
    topic = topics.notices(agency)
    if topic not in Admin(where, agency).topics():
        raise Fatal(f"{agency} has no notices: it publishes nothing by the policy in force")
    for record in records_of(where, agency, [topic], going_on=lambda: follow):
        if record.value is None:
            continue
        notice = decode_notice(record.value)
        reasons = ", ".join(str(finding) for finding in notice.findings)
        place = f"{notice.inbox}/{notice.partition}@{notice.offset}"
        typer.echo(f"{notice.outcome.value.lower():9} {place} {notice.event_id or '(no event_id)'}: {reasons}")
