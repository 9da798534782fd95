"""`tidings publish` as a new user calls it: the account, the exit codes, what is refused before anything is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from commands._account import account_of
from producers.journal import Decision, Fate, JournalRecord
from tests.commands.kit import CHECKOUT, tidings
from tidings.errors import Finding, Problem, ReasonCode, Severity

EXAMPLES = CHECKOUT / "examples"
FLAG = Finding(ReasonCode.CODE_UNKNOWN, "usual_residence.country", Severity.FLAG)
REUSED = Finding(ReasonCode.EVENT_ID_REUSED)


def sent(number: int, decision: Decision | None, *said: Finding) -> JournalRecord:
    """A published record and what the exchange said of it."""
    return JournalRecord(number, number, number, Fate.PUBLISHED, "death-registered", f"id-{number}",
                         decision=decision, said=said)  # fmt: skip


def refused(number: int) -> JournalRecord:
    """A record that the connector refused."""
    problem = Problem("a.xml", number, "Died", "date", f"record {number}: no date")
    return JournalRecord(number, number, number, Fate.REFUSED, problem=problem)


@pytest.mark.parametrize(
    ("records", "waited", "code"),
    [
        ([], True, 0),
        ([sent(1, Decision.ACCEPTED), sent(2, Decision.FLAGGED, FLAG), sent(3, Decision.DUPLICATE)], True, 0),
        ([sent(1, None)], False, 0),
        ([sent(1, None)], True, 75),
        ([sent(1, None), sent(2, Decision.QUARANTINED)], True, 70),
        ([sent(1, Decision.QUARANTINED), sent(2, Decision.REJECTED, REUSED)], True, 65),
        ([refused(1), sent(2, None)], False, 65),
    ],
)
def test_the_exit_code_says_the_outcome(records: list[JournalRecord], waited: bool, code: int) -> None:
    """The worst of the records' outcomes, in the order of the help."""
    assert account_of("a.xml", "gro-death-extract", records).exit_code(waited=waited) == code


def test_an_account_balances() -> None:
    """records = published + refused + set aside; published = what the exchange said + what it has not said yet."""
    aside = JournalRecord(9, 9, 9, Fate.SET_ASIDE, "total")
    whole_file = JournalRecord(10, 0, 9, Fate.REFUSED, problem=Problem("a.xml", 9, "(file)", "truncated", "ends early"))
    said = [sent(number, decision) for number, decision in enumerate([*Decision, None], 1)]
    account = account_of("a.xml", "gro-death-extract", [*said, refused(8), aside, whole_file]).as_json(dry_run=False)

    exchange = dict(account["exchange"])
    assert account["records"] == account["published"] + account["refused"]["records"] + sum(
        account["set_aside"].values()
    )
    assert account["published"] == exchange.pop("undecided") + sum(each["records"] for each in exchange.values())
    assert account["refused"] == {"records": 1, "all": 2, "reasons": {"date": 1, "truncated": 1}}


def test_a_dry_run_says_all_and_needs_no_cluster() -> None:
    """Account, reason and place; exit code 65 where a record is refused."""
    said = tidings("publish", EXAMPLES / "death-extract.xml", "--as", "gro", "--dry-run", "--cluster", "/nowhere.json")

    assert said.code == 65
    assert said.err.strip() == (
        "death-extract.xml:142: occurred_on: record 6 is refused: the calendar has no such date [date_impossible]"
    )
    assert said.out.splitlines()[0] == "death-extract.xml (gro-death-extract): nothing was sent"
    assert re.search(r"records +7\s+would be published +6\s+refused here +1  date_impossible x1", said.out)


def test_several_files_are_a_line_of_json_each() -> None:
    """For scripts: the same words, and nothing else on standard output."""
    names = ("country.rsf", "country.rsf")
    said = tidings("publish", *(EXAMPLES / name for name in names), "--as", "fco-registers", "--dry-run", "--json")
    accounts = [json.loads(line) for line in said.out.splitlines()]

    assert [each["file"] for each in accounts] == list(names)
    assert all(
        each["dry_run"] and each["records"] == each["published"] + sum(each["set_aside"].values()) for each in accounts
    )
    assert said.code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("deaths.csv",), 65, "deaths.csv: --mapping: a delimited table needs --mapping FILE"),
        (
            ("death-extract.xml", "--source", "gro-death-extract", "--mapping", EXAMPLES / "deaths.yaml"),
            65,
            "has its own mapping; take --mapping away",
        ),
        (("deaths.csv", "--mapping", "/nowhere.yaml"), 65, "/nowhere.yaml: FILES: there is no such file"),
        (("nothing.xml",), 65, "there is no such file"),
        (("n" * 300,), 65, "cannot be opened (File name too long)"),
        (("death-extract.xml", "--received-at", "yesterday"), 64, "give an ISO 8601 date and time with its zone"),
        (("death-extract.xml", "--source", "paper"), 64, "there is no source 'paper'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    arguments: tuple[str | Path, ...], code: int, message: str
) -> None:
    """The exit code says whether the command or a file is to be mended, the message how."""
    said = tidings("publish", EXAMPLES / arguments[0], "--as", "gro", "--dry-run", *arguments[1:])

    assert said.code == code
    assert message in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("options", "step", "words"),
    [
        ((), "_real", "Stopped: the same command goes on after the last record that was committed, "),
        (("--dry-run",), "_dry", "Stopped: nothing was sent.\n"),
    ],
)
def test_ctrl_c_says_how_to_go_on(
    options: tuple[str, ...], step: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one line, with the code of every command that is broken off, and no trace."""

    def broken_off(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"commands.publish.{step}", broken_off)
    said = tidings("publish", EXAMPLES / "death-extract.xml", "--as", "gro", *options)

    assert (said.code, said.out) == (130, "")
    assert said.err.startswith(words)
    assert said.err.count("\n") == 1


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Whoever may write the folder could point it at a file that is not theirs to publish."""
    link = tmp_path / "a.xml"
    link.symlink_to(EXAMPLES / "death-extract.xml")

    said = tidings("publish", link, "--as", "gro", "--dry-run")

    assert (said.code, "is a link; name the file itself" in said.err) == (65, True)


def test_a_mapping_reads_the_example_table() -> None:
    """The table and mapping of examples/: eight rows, of which four become events."""
    said = tidings("publish", EXAMPLES / "deaths.csv", "--mapping", EXAMPLES / "deaths.yaml", "--as", "gro",
                   "--dry-run", "--json")  # fmt: skip
    account = json.loads(said.out)

    assert (account["source"], account["records"], account["published"], account["cleansed"]) == (
        "delimited-table", 8, 4, 5
    )  # fmt: skip
    assert account["set_aside"] == {"total": 1}
