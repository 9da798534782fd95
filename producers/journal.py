"""What became of each record of one published file, kept beside the agency's own machine so that a later run goes on.

One SQLite file for each (cluster, agency, content): `<folder>/<cluster id>/<agency>/<content>.sqlite`, mode 0600 in
folders of mode 0700. It holds where records stand and the codes of what was decided, and no value of any of them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from tidings.closing import Closing
from tidings.errors import Fatal, Finding, Problem, ReasonCode, Severity

JOURNAL_VARIABLE = "TIDINGS_JOURNAL"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS records (
    ordinal INTEGER PRIMARY KEY, number INTEGER NOT NULL, line INTEGER NOT NULL, fate TEXT NOT NULL,
    kind TEXT NOT NULL, event_id TEXT NOT NULL, cleansed INTEGER NOT NULL, findings TEXT NOT NULL,
    field TEXT NOT NULL, rule TEXT NOT NULL, message TEXT NOT NULL,
    inbox TEXT, partition INTEGER, place INTEGER, decision TEXT, said TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_place ON records (inbox, partition, place);
CREATE INDEX IF NOT EXISTS by_event ON records (event_id);
"""
_WAITING = "fate = 'published' AND decision IS NULL"
_COLUMNS = (
    "ordinal, number, line, fate, kind, event_id, cleansed, findings, field, rule, message, inbox, partition, place, "
    "decision, said"
)


class Fate(StrEnum):
    """What the publisher's own side made of a record."""

    PUBLISHED = "published"
    REFUSED = "refused"
    SET_ASIDE = "set-aside"


class Decision(StrEnum):
    """What the exchange said of a published record."""

    ACCEPTED = "accepted"
    FLAGGED = "flagged"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """One record of a file.

    `ordinal` counts what the connector said, from 1; `number` is the record's own, 0 for the file itself. `kind` is the
    event type, or why a record was set aside. `findings` are the publisher's own checks', `problem` the connector's
    refusal, `said` the exchange's reasons. Where it stands (`inbox`, `partition`, `offset`) is known once published.
    """

    ordinal: int
    number: int
    line: int
    fate: Fate
    kind: str = ""
    event_id: str = ""
    cleansed: int = 0
    findings: tuple[Finding, ...] = ()
    problem: Problem | None = None
    inbox: str | None = None
    partition: int | None = None
    offset: int | None = None
    decision: Decision | None = None
    said: tuple[Finding, ...] = ()

    def placed(self, inbox: str, partition: int, offset: int) -> JournalRecord:
        """The same, standing there."""
        return replace(self, inbox=inbox, partition=partition, offset=offset)


class Journal(Closing):
    """One file's journal; with `make` off, one that is there. Raises Fatal where it cannot be used, or is none.

    Who calls: `tidings publish` and `tidings notices`, one thread. What holds afterwards: what a call wrote is on the
    disk when it returns.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        if make:
            _make_private(path)
        try:
            self._database = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=rw",
                uri=True,
                timeout=10,
                isolation_level=None,
            )
            if make:
                self._database.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;" + _SCHEMA)
            self._database.execute("SELECT count(*) FROM facts").fetchone()
        except sqlite3.Error as error:
            raise Fatal(f"the journal {path} cannot be used: {error.sqlite_errorname}") from None

    def fact(self, name: str) -> str | None:
        """What is noted under a name, or None."""
        found = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def note(self, **facts: str) -> None:
        """Note facts under their names."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def put(self, records: Iterable[JournalRecord]) -> None:
        """Write records, in place of those with the same ordinal."""
        marks = ", ".join("?" * len(_COLUMNS.split(",")))
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany(f"INSERT OR REPLACE INTO records VALUES ({marks})", map(_row, records))  # noqa: S608

    def cut(self, ordinal: int) -> None:
        """Forget every record after `ordinal`: it was written ahead of a transaction that was never committed."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM records WHERE ordinal > ?", (ordinal,))

    def has(self, ordinal: int) -> bool:
        """Whether a record is there."""
        return self._database.execute("SELECT 1 FROM records WHERE ordinal = ?", (ordinal,)).fetchone() is not None

    def count(self) -> int:
        """How many records there are."""
        return int(self._database.execute("SELECT count(*) FROM records").fetchone()[0])

    def records(self) -> Iterator[JournalRecord]:
        """All records, in the file's order."""
        file = self.fact("file") or ""
        for row in self._database.execute(f"SELECT {_COLUMNS} FROM records ORDER BY ordinal"):  # noqa: S608
            yield _record(row, file)

    def waiting(self) -> dict[tuple[str, int], int]:
        """For each inbox partition, the last offset of a record of which the exchange has said nothing yet."""
        asked = f"SELECT inbox, partition, max(place) FROM records WHERE {_WAITING} AND place IS NOT NULL GROUP BY 1, 2"  # noqa: S608
        return {(inbox, partition): last for inbox, partition, last in self._database.execute(asked)}

    def waiting_unplaced(self) -> list[str]:
        """The event types of such records whose place is not known: another machine published them."""
        asked = f"SELECT DISTINCT kind FROM records WHERE {_WAITING} AND place IS NULL ORDER BY 1"  # noqa: S608
        return [kind for (kind,) in self._database.execute(asked)]

    def accept(self, inbox: str, partition: int, below: int) -> None:
        """Whatever stands below an offset, and of which nothing was told, is accepted."""
        where = f"{_WAITING} AND inbox = ? AND partition = ? AND place < ?"
        self._accept(where, (inbox, partition, below))

    def accept_unplaced(self, event_type: str) -> None:
        """The same, of an event type's records whose place is not known."""
        self._accept(f"{_WAITING} AND place IS NULL AND kind = ?", (event_type,))

    def _accept(self, where: str, values: tuple[object, ...]) -> None:
        with self._database:
            self._database.execute("BEGIN")
            said = f"UPDATE records SET decision = '{Decision.ACCEPTED.value}' WHERE {where}"  # noqa: S608
            self._database.execute(said, values)

    def find(self, inbox: str, partition: int, offset: int, event_id: str | None) -> JournalRecord | None:
        """The record that stands in a place; else one of that event id whose place is not known."""
        asked = f"SELECT {_COLUMNS} FROM records WHERE "  # noqa: S608
        place = "inbox = ? AND partition = ? AND place = ?"
        row = self._database.execute(asked + place, (inbox, partition, offset)).fetchone()
        if row is None and event_id:
            row = self._database.execute(asked + "event_id = ? AND place IS NULL", (event_id,)).fetchone()
        return None if row is None else _record(row, self.fact("file") or "")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __repr__(self) -> str:
        return f"Journal({self.path})"


def journal_folder() -> Path:
    """Where journals are: `$TIDINGS_JOURNAL`, else `$XDG_STATE_HOME/tidings/journal`, else
    `~/.local/state/tidings/journal`. Source: XDG Base Directory Specification 0.8."""
    named = os.environ.get(JOURNAL_VARIABLE)
    if named:
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tidings" / "journal"


def journal_path(folder: Path, cluster_id: str, agency: str, content: str) -> Path:
    """The journal of one content (a hash in hex) that `agency` publishes to a cluster."""
    return folder / cluster_id / agency / f"{content}.sqlite"


def journals(folder: Path, cluster_id: str, agency: str) -> list[Path]:
    """Every journal of an agency on a cluster, the newest first."""
    found = (folder / cluster_id / agency).glob("*.sqlite")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _make_private(path: Path) -> None:
    """Make the file and the folders above it, for this user alone. Raises Fatal where others may read it."""
    try:
        for each in (*reversed([parent for parent in path.parents if not parent.exists()]),):
            each.mkdir(mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Fatal(
            f"the journal {path} cannot be made: {error.strerror}; name a folder with ${JOURNAL_VARIABLE}"
        ) from None
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise Fatal(f"{path} may be read by others (mode {mode:o}); use 0600")


def _row(record: JournalRecord) -> tuple[object, ...]:
    problem = record.problem or Problem("", 0, "", "", "")
    return (
        record.ordinal, record.number, record.line, record.fate.value, record.kind, record.event_id, record.cleansed,
        _written(record.findings), problem.field, problem.rule, problem.message, record.inbox, record.partition,
        record.offset, None if record.decision is None else record.decision.value, _written(record.said),
    )  # fmt: skip


def _record(row: tuple[Any, ...], file: str) -> JournalRecord:
    (ordinal, number, line, fate, kind, event_id, cleansed, findings, field, rule, message, inbox, partition, place,
     decision, said) = row  # fmt: skip
    return JournalRecord(
        ordinal, number, line, Fate(fate), kind, event_id, cleansed, _read(findings),
        Problem(file, line, field, rule, message) if rule else None, inbox, partition, place,
        None if decision is None else Decision(decision), _read(said),
    )  # fmt: skip


def _written(findings: tuple[Finding, ...]) -> str:
    return orjson.dumps([(each.code.value, each.path, each.severity.value) for each in findings]).decode()


def _read(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(ReasonCode(code), path, Severity(severity)) for code, path, severity in orjson.loads(text))
