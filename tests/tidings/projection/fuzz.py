"""`python -m tests.tidings.projection.fuzz`: goes on damaging samples until executors differ or the time is over.

Guided by what comes out: a damaged record that is told from all before (other refusals, findings, outcomes of views, or
left over by the native executor) is damaged further, and `--keep` adds it to the corpus. Records on which executors
differ are always added; the fast tests replay the corpus for ever.
"""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tests.agreements.test_example_country import catalogue, policy
from tests.tidings.projection import local
from tests.tidings.projection.executors import EXECUTORS, SOME_FLAGS, Pair
from tidings.agreements.samples import encode_sample, load_samples
from tidings.catalogue import default_catalogue_dir
from tidings.clock import SystemClock
from tidings.errors import Reject
from tidings.projection import reference_projector

CORPUS = Path(__file__).with_name("corpus")
NOW_MS = 1_780_315_200_000
SCHEMA_ID = 1
_PIECES = [
    b"\0",
    b"\1",
    b"\2",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc3\xab",
    b"\x80\0",
    b"\xff" * 9 + b"\1",
    b"\1\2\0",
    b"\xff" * 5,
]
_MOST_STEPS = 4
_POOL = 400

app = typer.Typer(add_completion=False)


def kept(event_type: str) -> list[bytes]:
    """The corpus of one event type: one record a line, in base64."""
    path = CORPUS / f"{event_type}.txt"
    return [base64.b64decode(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def damaged(body: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """The body with a few bytes changed, cut off, put in, taken out, repeated, or of another record."""
    made = bytearray(body)
    for _ in range(chance.randint(1, _MOST_STEPS)):
        at = chance.randrange(len(made) + 1)
        end = min(len(made), at + chance.choice([1, 1, 2, 4, 16]))
        match chance.randrange(7):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1 if at < len(made):
                made[at] ^= 1 << chance.randrange(8)
            case 2 if not chance.randrange(3):
                del made[at:]
            case 3:
                made[at:at] = chance.choice(_PIECES)
            case 4:
                del made[at:end]
            case 5:
                made[at:at] = made[at:end]
            case _:
                other = chance.choice(others)
                made[at:end] = other[at:end]
    return bytes(made)


class Judge:
    """One event type by all executors."""

    def __init__(self, event_type: str) -> None:
        inbox = next(each for each in policy().inboxes if each.event_type == event_type)
        self.pairs = {
            name: Pair(factory, inbox, policy().views, local.KEYS, policy().version)
            for name, factory in EXECUTORS.items()
        }
        self._reference = reference_projector(inbox, policy().views, local.KEYS, policy().version)
        self._views = [view for view in policy().views if view.inbox == inbox.topic]

    def hold(self, body: bytes) -> None:
        """Raises AssertionError where an executor is not the reference."""
        for pair in self.pairs.values():
            pair.outcome(SCHEMA_ID, body, NOW_MS, SOME_FLAGS)

    def kind(self, body: bytes) -> str:
        """What comes of the body, in words that hold nothing of it."""
        try:
            scan = self._reference.scan(SCHEMA_ID, body)
        except Reject as refusal:
            return f"refused {sorted(map(str, refusal.findings))}"
        findings = sorted({str(finding) for finding in self._reference.findings(scan, NOW_MS)})
        outcomes = [self._reference.decide(scan, view, ()).outcome for view in self._views]
        native = self.pairs.get("native")
        before = native.made.decided if native else 0
        if native:
            native.outcome(SCHEMA_ID, body, NOW_MS)
        return f"{scan.change} {scan.protection} {findings} {outcomes} {native.made.decided - before if native else ''}"


@app.command()
def fuzz(
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 60,
    seed: Annotated[int, typer.Option(help="Of chance; -1: another each time.")] = -1,
    keep: Annotated[int, typer.Option(min=0, help="Keep new kinds until an event type has so many records.")] = 0,
) -> None:
    """Damage samples until executors differ (exit 1) or the time is over."""
    chosen = int.from_bytes(os.urandom(4)) if seed < 0 else seed
    typer.echo(f"seed {chosen}, executors: reference, {', '.join(EXECUTORS)}")
    chance, clock = random.Random(chosen), SystemClock()  # noqa: S311 - no secret comes of it
    ends = clock.monotonic() + seconds
    judges = {name: Judge(name) for name in sorted(catalogue().event_types)}
    pools = {name: list(_seeds(name)) for name in judges}
    kinds = {name: {judges[name].kind(body) for body in pools[name]} for name in judges}
    count = 0
    while clock.monotonic() < ends:
        name = chance.choice(sorted(judges))
        body = damaged(chance.choice(pools[name]), chance, pools[name])
        count += 1
        try:
            judges[name].hold(body)
        except Exception as failure:  # noqa: BLE001 -- whatever it raised, it is not what the reference does
            _add(name, body)
            typer.echo(f"{name}: executors differ ({type(failure).__name__}); the record is in the corpus", err=True)
            raise typer.Exit(1) from None
        kind = judges[name].kind(body)
        if kind not in kinds[name]:
            kinds[name].add(kind)
            pools[name] = [*pools[name], body][-_POOL:]
            if len(kept(name)) < keep:
                _add(name, body)
    typer.echo(f"{count} records, {sum(map(len, kinds.values()))} kinds; executors never differed")


def _seeds(name: str) -> Iterator[bytes]:
    for event in load_samples(default_catalogue_dir())[name].values():
        yield encode_sample(catalogue().event_types[name], event)
    yield from kept(name)


def _add(name: str, body: bytes) -> None:
    CORPUS.mkdir(exist_ok=True)
    with (CORPUS / f"{name}.txt").open("a", encoding="ascii") as lines:
        lines.write(base64.b64encode(body).decode() + "\n")


if __name__ == "__main__":
    app()
