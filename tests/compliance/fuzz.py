"""`python -m tests.compliance.fuzz`: goes on damaging files of every source connector until one breaks a promise or the
time is over.

Guided by what is said of a file: one that is told from all before (other rules, fields, kinds of event) is damaged
further. What breaks a promise is written to `corpus/<connector>/`, which the fast tests replay for ever: give it a name
that says what it was. `guided` does the same guided by branches.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import resource
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from connectors import SOURCES
from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from producers.simulation.legacy import LEGACY, LegacyFormat
from producers.simulation.settings import Settings
from producers.simulator import simulate
from tests.compliance.judge_source import Kept, judge
from tests.compliance.sources import AGENCIES, SAMPLES
from tidings.catalogue import default_catalogue_dir, load_catalogue

CORPUS = Path(__file__).with_name("corpus")
TOKENS = (
    b"", b"\0", b"\n", b"\r\n", b"\r", b"\t", b",", b'"', b'""', b"<", b"</", b">", b"&", b"&#x1b;", b"&x;", b"]]>",
    b"<!--", b"<!DOCTYPE a [", b"<![CDATA[", b"<?", b"{", b"}", b"[]", b"\\u0000", b"\xff", b"\xc3", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\xfe\xff", b"=1+1", b"@A1", b"+", b"-", b"0", b"9999999999", b"2025-02-30", b"0000-01-01",
    b"9999-12-31T23:59:59Z", b"2025-03-30T01:30:00", b"X", b"N", b"append-entry\t", b"add-item\t",
    b"assert-root-hash\t", b"sha-256:", b"\xe2\x80\xae", b"\xef\xbf\xbd", b"\xd9\xa0", b"GB", b"null", b"true",
    b' value="', b"urn:uuid:", b"<entry>", b"</entry>", b"<DeathRegistration>", b"1e999", b"\xf0\x9f\x91\xa9",
)  # fmt: skip
_MOST_STEPS = 5
_POOL = 300
_MOST_BYTES = 200_000
_SECONDS = 5.0
"""Of the processor's time, for one file below `_MOST_BYTES`: far above what any sound one takes."""
_RISE_MIB = 64
_WRITTEN = 3

app = typer.Typer(add_completion=False)


def damaged(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """The content with pieces changed, cut off, put in, taken out, repeated, moved, or of another file."""
    made = bytearray(content)
    for _ in range(chance.randint(1, _MOST_STEPS)):
        at = chance.randrange(len(made) + 1)
        end = min(len(made), at + chance.choice([1, 1, 2, 4, 16, 64, 512]))
        match chance.randrange(10):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1 if at < len(made):
                made[at] ^= 1 << chance.randrange(8)
            case 2 if not chance.randrange(4):
                del made[at:]
            case 3 | 4:
                made[at:at] = chance.choice(TOKENS)
            case 5:
                made[at:end] = chance.choice(TOKENS)
            case 6:
                del made[at:end]
            case 7:
                made[at:at] = made[at:end] * chance.choice([1, 1, 2, 50])
            case _:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                made[at:end] = other[start : start + chance.choice([1, 8, 64, 512])]
    return bytes(made[:_MOST_BYTES])


def kind(outcomes: list[Outcome]) -> str:
    """What was said, in words that hold nothing of the file."""
    said = Counter(
        f"{each.problem.field} {each.problem.rule}"
        if isinstance(each, RefusedRecord)
        else f"{each.event_type} {each.event['change']} {sorted({(c.field, c.rule) for c in each.cleansed})}"
        if isinstance(each, SourceRecord)
        else each.kind
        for each in outcomes
    )
    return repr(sorted((words, min(amount, 2)) for words, amount in said.items()))


class Fuzzed:
    """One connector: files to damage, and what was said so far."""

    def __init__(self, name: str, more: list[bytes]) -> None:
        self.name = name
        self.seeds = seeds(name, more)
        self._kept = {seed: Kept(name, seed) for seed in self.seeds}
        self.pool = self.seeds + [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
        self.kinds: set[str] = set()
        self.executions = 0
        self.seconds = self.slowest_seconds = 0.0

    def next(self, chance: random.Random) -> None:
        """Damage one file and judge it; AssertionError, or whatever the connector raised, is a finding."""
        seed = chance.choice(self.seeds) if chance.randrange(4) == 0 else chance.choice(self.pool)
        content = damaged(seed, chance, self.pool)
        try:
            outcomes = self.judge(content)
            if seed in self._kept:
                self._kept[seed].judge(content, outcomes)
        except Exception as broken:  # whatever it raised, a connector raises nothing
            raise Finding(self.name, content) from broken
        said = kind(outcomes)
        if said not in self.kinds:
            self.kinds.add(said)
            self.pool = [*self.pool, content][-_POOL:]

    def judge(self, content: bytes) -> list[Outcome]:
        """Hold a file's outcomes, memory and time against what is promised."""
        before, began = _peak_mib(), _processor_seconds()
        outcomes = judge(self.name, content)
        took = _processor_seconds() - began
        assert judge(self.name, content) == outcomes, "a second reading says something else"
        self.executions += 1
        self.seconds += took
        self.slowest_seconds = max(self.slowest_seconds, took)
        assert took < _SECONDS, "the file took too long"
        assert _peak_mib() - before < _RISE_MIB, "the file took too much memory"
        return outcomes


class Finding(Exception):
    """A file that broke a promise."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content
        super().__init__(name)


def seeds(name: str, more: list[bytes]) -> list[bytes]:
    """Good files of a connector: the suite's sample, small ones as the simulator writes them, and those given."""
    form = LEGACY[name]
    owners = {each.name: each.owner for each in load_catalogue(default_catalogue_dir()).event_types.values()}
    own = tuple(each for each in form.event_types if owners[each] == AGENCIES[name])
    return [SAMPLES[name], *(_written(form, chosen) for chosen in ([own] if form.together else zip(own))), *more]


def _written(form: LegacyFormat, event_types: tuple[str, ...]) -> bytes:
    settings = Settings(people=20_000, bad_share=0, only=frozenset(event_types), times={"country": 100.0})
    held = ((each.event_type, each.event) for each in simulate(20_000, settings) if form.holds(each.event))
    file = io.BytesIO()
    form.write(file, islice(held, _WRITTEN * len(event_types)))
    return file.getvalue()


def add(found: Finding) -> Path:
    """Write a finding into the corpus. Returns where."""
    path = CORPUS / found.name / hashlib.sha256(found.content).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found.content)
    return path


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _one(fuzzed: Fuzzed, chance: random.Random) -> None:
    """Judge one file more; ends the command at a finding."""
    try:
        fuzzed.next(chance)
    except Finding as found:
        typer.echo(f"{found.name}: {type(found.__cause__).__name__}; the file is {add(found)}", err=True)
        raise typer.Exit(1) from None


@app.command()
def fuzz(
    seconds: Annotated[float, typer.Option(min=1, help="Of the processor's time, over all connectors.")] = 60,
    seed: Annotated[int, typer.Option(help="Of chance; -1: another each time.")] = -1,
    connector: Annotated[list[str] | None, typer.Option(help="These only. May be repeated.")] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="A good file to damage as well, of the one connector.")
    ] = None,
) -> None:
    """Damage files until a connector breaks a promise (exit 1), the time is over, or Ctrl-C."""
    chosen = int.from_bytes(os.urandom(4)) if seed < 0 else seed
    names = connector or sorted(SOURCES)
    typer.echo(f"seed {chosen}, connectors: {', '.join(names)}")
    chance = random.Random(chosen)  # noqa: S311 - no secret comes of it
    more = [each.read_bytes() for each in file or ()] if len(names) == 1 else []
    all_fuzzed = [Fuzzed(name, more) for name in names]
    ends = _processor_seconds() + seconds
    with contextlib.suppress(KeyboardInterrupt):  # what was done by then is told
        while _processor_seconds() < ends:
            _one(min(all_fuzzed, key=lambda fuzzed: fuzzed.seconds), chance)
    for each in all_fuzzed:
        typer.echo(
            f"{each.name}: {each.executions} files, {len(each.kinds)} kinds of answer, {each.seconds:.0f} s, "
            f"slowest {each.slowest_seconds:.2f} s"
        )
    typer.echo(f"no promise was broken; highest memory {_peak_mib():.0f} MiB")


if __name__ == "__main__":
    app()
