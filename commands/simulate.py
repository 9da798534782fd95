"""`tidings simulate`: a small country's events, from a seed, into a file or into the inboxes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidings.errors import BadUsage

if TYPE_CHECKING:
    from producers.simulator import Settings

OUTCOMES = ("accepted", "rejected", "duplicate")
AT_ONCE_IN_ONE_PROCESS = 50_000
"""Below so many events more processes take longer to start than they save."""


def share(text: str) -> float:
    """A share from `2%` or `0.02`."""
    number = text.removesuffix("%")
    try:
        found = float(number) / (100 if number != text else 1)
    except ValueError:
        raise typer.BadParameter("give a share such as 2% or 0.02") from None
    if not 0 <= found < 1:
        raise typer.BadParameter("a share is from 0 to below 1")
    return found


def simulate(
    events: Annotated[int, typer.Option(min=1, help="How many events.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events, byte for byte.")] = 1,
    people: Annotated[int, typer.Option(help="How many people live there at the start.")] = 500_000,
    start: Annotated[str, typer.Option(help="The day of the first event.")] = "2012-01-02",
    bad: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="The share of bad records, all kinds alike.")
    ] = "2%",  # type: ignore[assignment]
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SHARE", help="A kind of bad record with a share of its own.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="EVENT_TYPE", help="Nothing else happens. May be repeated.")
    ] = None,
    times: Annotated[
        list[str] | None, typer.Option(metavar="HAPPENING=FACTOR", help="It happens so many times as often.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write them here and publish nothing.")] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Of the file: avro (a container of what is sent), json (a line an event), or the name of a source "
            "connector, in whose format it is written.",
        ),
    ] = "avro",
    processes: Annotated[
        int, typer.Option(min=0, help="How many make an avro file; 0: as many as there are processors.")
    ] = 0,
    source: Annotated[Path | None, typer.Option("--from", help="Publish a container that was written before.")] = None,
    rate: Annotated[float, typer.Option(min=0.0, help="At most so many events a second; 0: as fast as it goes.")] = 0.0,
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
) -> None:
    """Simulate a population and publish its events as the agencies that own them, bad records included.

    What the exchange must make of them is printed: accepted, rejected, duplicate. People are nobody: NHS numbers begin
    with 999, the environment is SYNTHETIC. What happens and how often: docs/guides/simulator.md.
    """
    if source is not None:
        if out is not None:
            raise BadUsage("--out", "from-and-out", "--from publishes a file and writes none; take one of them away")
        _publish_container(source, rate, cluster)
        return
    settings = _settings(seed, people, start, bad, fault or [], only, times or [])
    if out is None:
        _publish(settings, events, rate, cluster)
    elif form in ("avro", "json"):
        _write(settings, events, out, processes if form == "avro" else None)
    else:
        _write_legacy(settings, events, out, form)


# Each imports only what it needs: importing all of it takes as long as writing some 50,000 events.


def _publish_container(source: Path, rate: float, cluster: Path | None) -> None:
    from commands._simulate_publish import publish_container
    from tidings.clock import SystemClock

    _say(publish_container(source, rate, cluster, SystemClock()))


def _publish(settings: Settings, events: int, rate: float, cluster: Path | None) -> None:
    from commands._simulate_publish import publish
    from tidings.clock import SystemClock

    _say(publish(settings, events, rate, cluster, SystemClock()))


def _write(settings: Settings, events: int, out: Path, processes: int | None) -> None:
    from commands import _simulate as work

    if processes is None:
        _say(work.write_lines(settings, events, out))
    else:
        chosen = processes or (work.processors() if events > AT_ONCE_IN_ONE_PROCESS else 1)
        _say(work.write_container(settings, events, out, chosen))


def _write_legacy(settings: Settings, events: int, out: Path, form: str) -> None:
    from commands._simulate_legacy import write_legacy

    typer.echo(f"{write_legacy(settings, events, out, form)} sound events in the format of {form}")


def _settings(
    seed: int, people: int, start: str, bad: float, faults: list[str], only: list[str] | None, times: list[str]
) -> Settings:
    from producers.simulation.faults import FAULTS
    from producers.simulation.happenings import HAPPENINGS
    from producers.simulation.shapes import EVENT_TYPES
    from producers.simulator import Settings

    if unknown := sorted(set(only or ()) - set(EVENT_TYPES)):
        raise BadUsage("--only", "unknown-name", f"{unknown[0]} is none of {', '.join(sorted(EVENT_TYPES))}")
    try:
        day = date.fromisoformat(start)
    except ValueError:
        raise BadUsage("--start", "date", "give a day such as 2012-01-02") from None
    try:
        return Settings(
            seed=seed,
            people=people,
            start_ms=int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000,
            bad_share=bad,
            faults=_pairs("--fault", faults, tuple(FAULTS)),
            only=None if only is None else frozenset(only),
            times=_pairs("--times", times, HAPPENINGS),
        )
    except ValueError as error:  # of our own, with no value of an event
        raise BadUsage("", "settings", str(error)) from None


def _pairs(option: str, texts: list[str], names: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in names:
            raise BadUsage(option, "unknown-name", f"a name is one of {', '.join(names)}")
        try:
            found[name] = share(value) if option == "--fault" else float(value)
        except (ValueError, typer.BadParameter):
            raise BadUsage(option, "number", f"{name} needs a number, as in {name}=0.01") from None
    return found


def _say(outcomes: Counter[str]) -> None:
    typer.echo(", ".join(f"{outcome}: {outcomes[outcome]}" for outcome in OUTCOMES))
