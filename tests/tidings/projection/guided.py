"""`python -m tests.tidings.projection.guided`: coverage-guided fuzzing of the executors, by atheris (libFuzzer).

It is steered by what an input reaches: lines of the generated Python, of what that runs on and, where the extension was
built with SanitizerCoverage, of the Rust. `bodies` damages events of the catalogue and of event types that hypothesis
made; `worlds` has libFuzzer choose event type, versions, agreements and event, all of them, through hypothesis. Both
hold every executor to the reference. An input on which they differ is kept as libFuzzer does it; `--again` runs it.

Needs `pip install atheris`, which is none of the project's own requirements. CONTRIBUTING.md, "Fuzzing the projection".
"""

from __future__ import annotations

import builtins
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)  # the extension's counters look for libFuzzer's functions
import atheris  # noqa: E402 - the flags come first

with atheris.instrument_imports(include=["tidings.projection"]):
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    from tests.agreements.test_example_country import catalogue
    from tests.tidings.projection import fuzz, local, strategies, versions
    from tests.tidings.projection.executors import EXECUTORS, SOME_FLAGS, Pair
    from tidings.projection import generate_source

_MADE_UP = 40
_EVENTS_EACH = 3
_MAX_BYTES = 1_500
_MAX_CHOICES = 4_000
_ALL = list(HealthCheck)
_ANY = st.tuples(st.just(local.SCHEMA_ID), strategies.worlds()) | st.tuples(
    st.just(versions.OTHER_ID), versions.worlds()
)
"""An event type, agreements on it and events, under the current version or under another."""

app = typer.Typer(add_completion=False)


def _instrumented(source: str, name: str, mode: str) -> Any:
    """`compile` for the generated modules, which no import brings in."""
    return atheris.patch_code(builtins.compile(source, name, mode), True, True)


Hold = Callable[[bytes], None]


def _bodies(folder: Path) -> Callable[[bytes], None]:
    """Two bytes choose an event type, the rest is the event. Puts sound events into `folder` to begin with."""
    holds: list[Hold] = []
    for name in sorted(catalogue().event_types):
        _begin(folder, len(holds), list(fuzz._seeds(name)))
        holds.append(fuzz.Judge(name).hold)

    @seed(5)
    @settings(max_examples=_MADE_UP, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=_ALL)
    @given(data=st.data())
    def collect(data: st.DataObject) -> None:
        schema_id, (inbox, views, bodies) = data.draw(_ANY)
        events = [data.draw(bodies) for _ in range(_EVENTS_EACH)]
        pairs = [Pair(factory, inbox, views, local.KEYS) for factory in EXECUTORS.values()]
        _begin(folder, len(holds), events)
        holds.append(lambda body: _hold(pairs, schema_id, body))

    collect()

    def one(data: bytes) -> None:
        if len(data) >= 2:
            holds[int.from_bytes(data[:2]) % len(holds)](data[2:])

    return one


def _hold(pairs: list[Pair], schema_id: int, body: bytes) -> None:
    for pair in pairs:
        pair.outcome(schema_id, body, fuzz.NOW_MS, SOME_FLAGS)


def _begin(folder: Path, number: int, events: list[bytes]) -> None:
    for at, event in enumerate(events):
        if len(event) <= _MAX_BYTES:
            (folder / f"{number}-{at}").write_bytes(number.to_bytes(2) + event)


def _worlds(folder: Path) -> Callable[[bytes], None]:
    """Every byte is hypothesis's; to begin with they are by chance."""
    chance = random.Random(5)  # noqa: S311 - no secret comes of it
    for at in range(_MADE_UP):
        (folder / f"chance-{at}").write_bytes(chance.randbytes(_MAX_CHOICES))

    @settings(deadline=None, suppress_health_check=_ALL, database=None)
    @given(data=st.data())
    def any_world(data: st.DataObject) -> None:
        schema_id, (inbox, views, bodies) = data.draw(_ANY)
        body = data.draw(bodies)
        others = [data.draw(strategies.damaged(body)) for _ in range(2)]
        for factory in EXECUTORS.values():
            pair = Pair(factory, inbox, views, local.KEYS)
            for each in (body, *others):
                pair.outcome(schema_id, each, fuzz.NOW_MS, SOME_FLAGS)

    run: Callable[[bytes], object] = any_world.hypothesis.fuzz_one_input
    return lambda data: (run(data), None)[1]


_MODES = {"bodies": _bodies, "worlds": _worlds}


@app.command()
def guided(
    mode: Annotated[Literal["bodies", "worlds"], typer.Argument(help="What libFuzzer chooses.")],
    folder: Annotated[Path, typer.Argument(help="Where inputs that reach something new are kept.")],
    seconds: Annotated[int, typer.Option(min=1, help="For how long.")] = 60,
    again: Annotated[Path | None, typer.Option(help="Run this one input only.")] = None,
) -> None:
    """Damage, guided by coverage, until executors differ (exit 1) or the time is over."""
    if "native" not in EXECUTORS:
        typer.echo("the native extension is not built: generated Python alone is held to the reference", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    if mode == "bodies":  # of a module that runs once, counting costs more than it tells
        generate_source.compile = _instrumented  # type: ignore[attr-defined]
    one = _MODES[mode](folder)
    options = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=4096", f"-artifact_prefix={folder.parent}/"]
    most = [f"-max_len={_MAX_BYTES if mode == 'bodies' else _MAX_CHOICES}"]
    atheris.Setup([sys.argv[0], *options, *most, "-len_control=0", str(again or folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    app()
