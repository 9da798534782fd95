"""The one tree of errors, split by what the caller does next. None ever carries a value of an event.

| class | who acts | what the caller does | exit code |
| --- | --- | --- | --- |
| `Retriable` | nobody | tries the same call again, with back-off | 75 |
| `Reject` | the publisher | mends the event and publishes a new one | 65 |
| `Quarantine` | the operator | mends our code, then replays by offset | 70 |
| `BadInput` | whoever wrote the file | mends the file at the named line | 65 |
| `BadUsage` | whoever called the command | gives another option or argument | 64 |
| `Fatal` | the operator | the process stops; nothing was committed | 1 |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class ReasonCode(StrEnum):
    """Why an event was rejected or flagged: a closed list, safe as a metric label."""

    # Framing: what the record says around the event.
    NULL_KEY = "null_key"
    NULL_VALUE = "null_value"
    WIRE_FORMAT = "wire_format"
    SCHEMA_UNKNOWN = "schema_unknown"
    UNDECODABLE = "undecodable"
    KEY_MISMATCH = "key_mismatch"
    PARTITION_MISMATCH = "partition_mismatch"
    SOURCE_MISMATCH = "source_mismatch"
    ENVIRONMENT_MISMATCH = "environment_mismatch"
    SUBJECT_MISMATCH = "subject_mismatch"
    EVENT_ID_INVALID = "event_id_invalid"
    EVENT_ID_REUSED = "event_id_reused"
    EVENT_TOO_LARGE = "event_too_large"
    PUBLISHER_STOPPED = "publisher_stopped"
    # Checks: what a field's value says.
    CHECKSUM_INVALID = "checksum_invalid"
    CODE_UNKNOWN = "code_unknown"
    DATE_IMPOSSIBLE = "date_impossible"
    DATE_IN_FUTURE = "date_in_future"
    DATE_ORDER = "date_order"
    PATTERN_MISMATCH = "pattern_mismatch"
    REQUIRED_MISSING = "required_missing"
    SPREADSHEET_DATE = "spreadsheet_date"
    # Ours: an event on which our own code failed.
    INTERNAL = "internal"


class Severity(StrEnum):
    """What a failed check does: `reject` refuses the event, `flag` lets it pass with a note."""

    REJECT = "reject"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One reason about one field of one event: a code and a field path, never the value.

    `path` is dotted (`deceased.names`), or empty where the reason is about the whole event.
    """

    code: ReasonCode
    path: str = ""
    severity: Severity = Severity.REJECT

    def __str__(self) -> str:
        return f"{self.code.value}:{self.path}" if self.path else self.code.value


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file that a person wrote: where it stands and which rule it breaks, never a personal value.

    `line` counts from 1; 0 means the whole file. `field` is a dotted path. `rule` is a short name in kebab-case.
    """

    file: str
    line: int
    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.field or '(document)'}: {self.message} [{self.rule}]"


class TidingsError(Exception):
    """The root. `action` says in one phrase what the caller does; `exit_code` is what a command ends with."""

    action: ClassVar[str] = "read the message"
    exit_code: ClassVar[int] = 1


class Retriable(TidingsError):
    """The same call may succeed later: a broker is away, a time-out, a queue is full."""

    action = "try the same call again, with back-off"
    exit_code = 75


class Reject(TidingsError):
    """The event is refused; its publisher mends it. Carries every finding, never a value."""

    action = "mend the event and publish it under a new event_id"
    exit_code = 65

    def __init__(self, findings: Sequence[Finding]) -> None:
        if not findings:
            raise ValueError("a rejection has at least one finding")
        self.findings = tuple(findings)
        super().__init__(", ".join(str(finding) for finding in self.findings))


class Quarantine(TidingsError):
    """Our own code failed on one event; an operator mends and replays it."""

    action = "mend the code, then `tidings quarantine replay`"
    exit_code = 70


class BadInput(TidingsError):
    """A file cannot be taken; lists every problem with file, line, field and rule."""

    action = "mend what the lines above name"
    exit_code = 65

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("bad input has at least one problem")
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BadUsage(BadInput):
    """An option or argument cannot be taken: one that does not exist, or with a value that does not fit."""

    action = "mend the command; `--help` after it says what it takes"
    exit_code = 64

    def __init__(self, option: str, rule: str, message: str) -> None:
        super().__init__([Problem("(command line)", 0, option, rule, message)])


class Fatal(TidingsError):
    """Going on could lose, leak or repeat something: the process stops before it commits."""

    action = "stop; read the message; mend; start again"
    exit_code = 1
