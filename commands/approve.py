"""`tidings approve`: records one agency's approval of an agreement exactly as it compiles today."""

from __future__ import annotations

from typing import Annotated

import typer

from commands._context import COUNTRY, CatalogueOption, CountryOption


def approve(
    agreement: Annotated[str, typer.Argument(help="The agreement's name.", show_default=False)],
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Which side approves.", show_default=False)],
    role: Annotated[str, typer.Option(help="Who approves; else the agency's first role.", show_default=False)] = "",
    version: Annotated[int, typer.Option(min=0, help="The agreement's version; 0: the newest.")] = 0,
    country: CountryOption = COUNTRY,
    catalogue: CatalogueOption = None,
) -> None:
    """Write AGENCY's approval into the agreement's file: its role, today's date and the hash of what it compiles to.

    A change to any clause, mask or feed schema afterwards makes the approval void.
    """
    from tidings.agreements import load_country
    from tidings.agreements.approve import agreement_hash, approval_state
    from tidings.agreements.model import Approval
    from tidings.agreements.record_approval import record_approval
    from tidings.catalogue import default_catalogue_dir, load_catalogue
    from tidings.clock import SystemClock, utc_date

    event_types = load_catalogue(catalogue or default_catalogue_dir())
    loaded = load_country(country, event_types)
    try:
        found = loaded.find(agreement, version or None)
    except KeyError:
        known = ", ".join(sorted({each.agreement for each in loaded.agreements}))
        raise typer.BadParameter(f"there is no agreement {agreement}; there are {known}") from None
    if agency not in (found.provider, found.subscriber):
        raise typer.BadParameter(
            f"{agency} is not a side of {agreement}: they are {found.provider}, {found.subscriber}"
        )
    roles = loaded.agencies[agency].roles
    if role and role not in roles:
        raise typer.BadParameter(f"{role} may not approve for {agency}; these may: {', '.join(roles)}")
    content_hash = agreement_hash(found, event_types)
    approval = Approval(agency=agency, role=role or roles[0], date=utc_date(SystemClock().now_ms()), hash=content_hash)
    record_approval(loaded.path(found), approval)
    after = load_country(country, event_types).find(agreement, found.version)
    state = approval_state(after, content_hash)
    typer.echo(f"{agreement} v{found.version}: approved by {agency} ({approval.role}), hash {content_hash[:12]}.")
    if state.pending:
        typer.echo(f"Not in force yet: {', '.join(state.pending)} has not approved.")
    else:
        typer.echo("Both sides have approved: `tidings plan` says what it would change.")
