"""`tidings explain`: what an agreement compiles to, operation by operation, and which executor runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._context import COUNTRY, CatalogueOption, CountryOption

if TYPE_CHECKING:
    from tidings.keys import KeyRing
    from tidings.policy.model import Inbox, Policy


def explain(
    agreement: Annotated[str, typer.Argument(help="The agreement's name.", show_default=False)],
    version: Annotated[int, typer.Option(min=0, help="The agreement's version; 0: the newest.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Also time each view and field here, on a sample event, by each executor."),
    ] = False,
    country: CountryOption = COUNTRY,
    catalogue: CatalogueOption = None,
) -> None:
    """Print the program that AGREEMENT compiles to: for each event type the scan and the checks, and for its view the
    filters, the head, what becomes of each field and what that costs, which executor runs it on this machine, and which
    events are left to a slower one, and why.

    Reads files only: no broker. An agreement that is not approved yet is explained as it would run. Costs are classes,
    counted in the code; `--measure` times whole views, and what each field adds, and says how.
    """
    from dataclasses import asdict

    from rich.console import Console

    from commands._explain_measure import measured
    from commands._explain_print import print_inbox
    from commands._terminal import json_line
    from tidings.catalogue import default_catalogue_dir
    from tidings.keys import ROOT_BYTES, KeyRing
    from tidings.projection.costs import CLASSES
    from tidings.projection.explain import explain_inbox
    from tidings.projection.native import native_version

    folder = catalogue or default_catalogue_dir()
    # Which operations there are is no matter of keys; those of a deployment are not needed, and not read.
    keys = KeyRing(bytes(ROOT_BYTES))
    policy, found = _policy(agreement, version, country, folder, keys)
    mine = {view.feed for view in policy.views if (view.agreement, view.agreement_version) == (agreement, found)}
    topics = {view.inbox for view in policy.views if view.feed in mine}
    inboxes = [inbox for inbox in policy.inboxes if inbox.topic in topics]
    made = [
        explain_inbox(inbox, policy.views, mine, keys, policy.environment.value, policy.version) for inbox in inboxes
    ]
    times = {inbox.topic: measured(inbox, policy, mine, keys, folder) if measure else () for inbox in inboxes}
    if as_json:
        inbox_rows = [
            asdict(each)
            | {"program": _program(inbox, policy, mine), "measured": [asdict(one) for one in times[each.topic]]}
            for inbox, each in zip(inboxes, made, strict=True)
        ]
        row = {"agreement": agreement, "version": found, "native": native_version(), "costs": dict(CLASSES)}
        typer.echo(json_line(row | {"inboxes": inbox_rows}))
        return
    console = Console(highlight=False)
    built = native_version()
    console.print(f"{agreement} v{found}; native extension: {built or 'not built (`make native`)'}", style="bold")
    for each in made:
        print_inbox(console, each, times[each.topic])
    console.print("\nCosts, by what is done for one value, lightest first (counted in the code, not timed):")
    for name, work in CLASSES.items():
        console.print(f"  {name}: {work}")


def _program(inbox: Inbox, policy: Policy, feeds: set[str]) -> object:
    """The program of those views, as the native executor is given it, but for who is on an interest list."""
    import json

    from tidings.projection.program import inbox_program

    views = [view for view in policy.views if view.feed in feeds]
    bare = [view if view.interest is None else view.model_copy(update={"interest": ()}) for view in views]
    return json.loads(inbox_program(inbox, bare, policy.environment.value, policy.version).as_json())


def _policy(name: str, version: int, country: Path, catalogue: Path, keys: KeyRing) -> tuple[Policy, int]:
    """The country's policy as if the agreement were approved and in time, and its version."""
    from dataclasses import replace
    from itertools import count

    from tidings.agreements import load_country
    from tidings.agreements.approve import agreement_hash
    from tidings.agreements.model import Approval
    from tidings.catalogue import load_catalogue
    from tidings.clock import SystemClock, utc_date
    from tidings.policy.compile import compile_policy
    from tidings.policy.model import Environment

    event_types = load_catalogue(catalogue)
    loaded = load_country(country, event_types)
    try:
        found = loaded.find(name, version or None)
    except KeyError:
        known = ", ".join(sorted({each.agreement for each in loaded.agreements}))
        raise typer.BadParameter(f"there is no agreement {name}; there are {known}") from None
    now_ms = SystemClock().now_ms()
    content = agreement_hash(found, event_types)
    approvals = tuple(
        Approval(agency=side, role=loaded.agencies[side].roles[0], date=utc_date(now_ms), hash=content)
        for side in (found.provider, found.subscriber)
    )
    wanted = found.model_copy(
        update={
            "approvals": approvals,
            "valid": found.valid.model_copy(update={"until": max(found.valid.until, utc_date(now_ms))}),
        }
    )
    others = tuple(wanted if each is found else each for each in loaded.agreements)
    numbers = count(1)
    made = compile_policy(
        event_types,
        replace(loaded, agreements=others),
        lambda _topic, _schema: next(numbers),
        version=1,
        environment=Environment.SYNTHETIC,
        now_ms=now_ms,
        keys=keys,
    )
    return made, found.version
