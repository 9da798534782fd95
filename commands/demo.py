"""`tidings demo`: the example country, end to end, on a secured local stack, with an account that has to balance."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from commands._demo_parts import Workers
    from commands._demo_watch import Watcher
    from tidings.clock import Clock
    from tidings.kafka.cluster import Cluster
    from tidings.policy.model import Policy

SEED = 1
RATE = 250.0
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FILES = ((EXAMPLES / "death-extract.xml", "gro"), (EXAMPLES / "country.rsf", "fco-registers"))
SHOWN_TYPE = "death-registered"
SETTLE_SECONDS = 60.0


def demo(
    data: Annotated[Path, typer.Option(help="The demo's own folder; what an earlier demo left there goes.")] = Path(
        ".tidings/demo"
    ),
    out: Annotated[Path, typer.Option(help="Where the JSON summary goes.")] = Path("build/demo.json"),
    events: Annotated[int, typer.Option(min=1, help="How many simulated events.")] = 3000,
    rate: Annotated[float, typer.Option(min=1, help="Simulated events a second.")] = RATE,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up, and say what to try next.")] = False,
    watch: Annotated[
        bool, typer.Option("--observe", help="With a real Prometheus beside it, which must be installed; keeps all up.")
    ] = False,
) -> None:
    """Set up a secured stack, apply the example country, publish two legacy files and a simulated population, and show
    who is told what. Ends with 0 where the account, counted from the topics themselves, balances."""
    from rich.console import Console

    from commands._demo_fresh import fresh
    from commands._demo_parts import workers
    from tidings.clock import SystemClock

    console, clock = Console(), SystemClock()
    keep = keep or watch
    began = clock.monotonic()
    with ExitStack() as stack:
        running, catalogue, policy = fresh(console, stack, data, keep=keep)
        cluster = running.cluster
        with console.status("starting the exchange's workers"):
            log = running.data / "logs" / "exchange.log"
            exchange = stack.enter_context(workers(running.cluster_file, log, policy, clock, keep=keep))
        console.print(f"The exchange runs: {len(exchange.ports)} workers, {len(policy.inboxes)} inboxes.")
        if watch:
            _observe(console, running.data, running.cluster_file)
        watcher = _published(console, cluster, policy, exchange, events, rate, clock)
        summary = _closed(console, cluster, policy, catalogue, watcher)
        summary["seconds"] = round(clock.monotonic() - began, 1)
        _write(out, summary)
        console.print(f"{summary['seconds']} s in all; the summary is in {out}.", highlight=False)
        if keep:
            _try_next(console, running.cluster_file, running.data)
    raise typer.Exit(0 if summary["balanced"] else 1)


def _published(
    console: Console,
    cluster: Cluster,
    policy: Policy,
    exchange: Workers,
    events: int,
    rate: float,
    clock: Clock,
) -> Watcher:
    """Publish everything while the live table shows what happens; returns once everything is decided and delivered."""
    from rich.live import Live as LiveTable

    from commands._demo_parts import publish_file, publish_population
    from commands._demo_show import Live
    from commands._demo_watch import Watcher, counters
    from tidings.clock import Deadline
    from tidings.errors import Retriable

    watcher = Watcher(cluster, policy, clock)
    watcher.start()
    live = Live()
    for path, agency in FILES:
        sent, refused = publish_file(cluster, path, agency)
        live.sent += sent
        console.print(f"{agency} published {path.name}: {sent} events sent, {refused} refused before they were sent.")
    files, live.total = live.sent, live.sent + events
    failures: list[BaseException] = []

    def population() -> None:
        def progress(number: int) -> None:
            live.sent = files + number

        try:
            publish_population(cluster, events, SEED, rate, clock, progress)
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(failure)

    publisher = threading.Thread(target=population, name="population", daemon=True)
    publisher.start()
    deadline = Deadline(clock, events / rate + SETTLE_SECONDS)
    with LiveTable(live.render(), console=console, refresh_per_second=4) as table:
        while publisher.is_alive() or live.counters.decided < live.sent:
            live.counters, live.by_agency = counters(exchange.ports), Counter(watcher.by_agency)
            table.update(live.render())
            if failures:
                raise failures[0]
            if deadline.expired():
                raise Retriable(f"{live.counters.decided} of {live.sent} events were decided in time")
            clock.sleep(0.25)
        table.update(live.render())
    return watcher


def _closed(console: Console, cluster: Cluster, policy: Policy, catalogue: Any, watcher: Watcher) -> dict[str, Any]:
    """Count everything from the topics, show it, and return the summary."""
    from commands._demo_count import latencies_ms, most_told
    from commands._demo_show import show_account, show_record
    from commands._demo_watch import percentiles
    from tidings.kafka.tally import account_of

    with console.status("counting, from the topics themselves"):
        account = account_of(cluster, "admin")
        views = sum(account.feeds.values())
        watcher.wait_for(views, SETTLE_SECONDS)
        watcher.stop()
        latency = percentiles(latencies_ms(cluster, policy, watcher.arrivals))
        shown = most_told(cluster, policy, catalogue, SHOWN_TYPE)
    if shown is not None:
        show_record(console, shown.event_type, shown.event, shown.views)
    problems = account.imbalances()
    show_account(console, account, problems)
    console.print(
        f"End-to-end latency, inbox to subscriber: p50 {latency.get('p50')} ms, p99 {latency.get('p99')} ms "
        f"over {views} deliveries, TLS and SCRAM on.",
        highlight=False,
    )
    return {"balanced": not problems, **account.table(), "latency_ms": latency}


def _observe(console: Console, data: Path, cluster_file: Path) -> None:
    from deploy.prometheus.observe import observe

    console.print(f"Prometheus is at {observe(data, cluster_file)}, with every rule.", highlight=False)


def _write(out: Path, summary: dict[str, Any]) -> None:
    import orjson

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _try_next(console: Console, cluster_file: Path, data: Path) -> None:
    console.print("\nThe stack and the exchange are still up. Try:", highlight=False)
    console.print(f"  export TIDINGS_CLUSTER={cluster_file}", highlight=False, soft_wrap=True)
    for line in (
        "tidings feed bereavement-benefits --as dwp --limit 3",
        "tidings notices --as gro",
        "tidings plan",
        "tidings stop agreement electoral-roll",
        "tidings client-config dwp",
        "tidings publish examples/death-extract.xml --as gro     # again: every event is a duplicate",
        f"tidings down --data {data}",
    ):
        console.print(f"  .venv/bin/{line}", highlight=False, soft_wrap=True)
