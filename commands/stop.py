"""`tidings stop`: an agreement, a publisher or everything stops at the next batch, and read access goes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from commands._context import ClusterOption, cluster_of, processor_access
from tidings import topics
from tidings.policy.compile import Stops
from tidings.policy.model import Policy

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Stop an agreement, a publisher or everything, at the next batch."
)
LiftOption = Annotated[bool, typer.Option("--lift", help="Let it go on again.")]
WaitOption = Annotated[float, typer.Option(min=0, help="How long running workers may take to switch, in seconds.")]


@app.callback()
def _stop() -> None:
    """Stop an agreement, a publisher or everything, at the next batch. A stop stays until it is lifted."""


@app.command()
def agreement(
    name: Annotated[str, typer.Argument(help="The agreement's name; all its versions stop.")],
    cluster: ClusterOption = None,
    lift: LiftOption = False,
    wait_seconds: WaitOption = 30.0,
) -> None:
    """Stop one agreement: nothing more goes into its feeds, and its subscriber may no longer read them."""
    _one(cluster, wait_seconds, "agreements", name, lift, lambda policy: {view.agreement for view in policy.views})


@app.command()
def publisher(
    name: Annotated[str, typer.Argument(help="The publishing agency.")],
    cluster: ClusterOption = None,
    lift: LiftOption = False,
    wait_seconds: WaitOption = 30.0,
) -> None:
    """Stop one publisher: its events are rejected (publisher_stopped) and it may no longer write."""
    _one(cluster, wait_seconds, "publishers", name, lift, lambda policy: {inbox.agency for inbox in policy.inboxes})


@app.command(name="all")
def everything(cluster: ClusterOption = None, lift: LiftOption = False, wait_seconds: WaitOption = 30.0) -> None:
    """Stop every agreement and every publisher, those that come later too. Lifted, what was stopped by name stays."""
    _change(cluster, wait_seconds, "all", lambda _policy, _stops: {"all"}, lambda stops: replace(stops, all=not lift))


def _one(
    cluster_file: Path | None,
    wait_seconds: float,
    kind: Literal["agreements", "publishers"],
    name: str,
    lift: bool,
    named_by: Callable[[Policy], set[str]],
) -> None:
    """Stop, or let go on, one of a kind. What was stopped may be named though the policy has it no more."""

    def change(stops: Stops) -> Stops:
        stopped: frozenset[str] = getattr(stops, kind)
        after = stopped - {name} if lift else stopped | {name}
        return replace(stops, agreements=after) if kind == "agreements" else replace(stops, publishers=after)

    _change(cluster_file, wait_seconds, name, lambda policy, stops: named_by(policy) | getattr(stops, kind), change)


def _change(
    cluster_file: Path | None,
    wait_seconds: float,
    name: str,
    known: Callable[[Policy, Stops], set[str]],
    change: Callable[[Stops], Stops],
) -> None:
    from commands._apply import decisions_end, wait_for_workers
    from tidings.clock import SystemClock
    from tidings.errors import Fatal
    from tidings.kafka.access import set_access
    from tidings.kafka.admin import Admin
    from tidings.kafka.policy_store import PolicyReader, publish
    from tidings.provisioning.stops import stopped, stops_of

    cluster, clock = cluster_of(cluster_file), SystemClock()
    admin = Admin(cluster)
    policy = None
    if topics.POLICY in admin.topics():
        with PolicyReader(cluster, "admin") as reader:
            policy = reader.read()
    if policy is None:
        raise Fatal("no policy has been published, so nothing runs that could be stopped")
    before = stops_of(policy)
    names = known(policy, before)
    if name not in names:
        raise Fatal(f"{name} is not in policy {policy.version}; it knows {', '.join(sorted(names)) or 'none'}")
    stops = change(before)
    if stops == before:
        also = " Everything is stopped: `tidings stop all --lift` ends that." if stops.all and name != "all" else ""
        typer.echo(f"Nothing to change: policy {policy.version} says so already.{also}")
        return
    after = stopped(policy, stops, clock.now_ms())
    since = decisions_end(cluster)
    declared = processor_access(after)
    removed, _ = set_access(admin, cluster, after, clock, add=False, also=declared)
    publish(cluster, "admin", after)
    _, added = set_access(admin, cluster, after, clock, add=True, also=declared)
    typer.echo(f"Policy {after.version} is published; access rules: {removed} taken away, {added} added.")
    typer.echo(wait_for_workers(cluster, after, since, wait_seconds))
