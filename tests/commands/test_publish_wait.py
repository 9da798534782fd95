"""`tidings publish --wait` and `tidings notices` beside a running exchange: each decision, back to the file."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Running
from tests.commands.kit import CHECKOUT, Said

pytestmark = pytest.mark.stack

PUBLISHED, REFUSED = 7, 2
MORNING, EVENING = "2026-06-01T09:00:00Z", "2026-06-01T18:00:00Z"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files and journals of this test are."""
    monkeypatch.setenv("TIDINGS_JOURNAL", str(tmp_path / "journal"))
    return tmp_path


def copy_of_the_example(folder: Path, name: str) -> Path:
    """The example's messages in a file whose content is its own."""
    path = folder / name
    text = (CHECKOUT / "examples" / "nhs-messages.xml").read_text("utf-8")
    path.write_text(f"{text}<!-- {name} -->\n", "utf-8")
    return path


def publish(running: Running, file: Path, *more: str, sent: int = PUBLISHED) -> tuple[Said, dict[str, Any]]:
    """Publish as the NHS and wait; what was said, and the account."""
    said = running.life.tidings("publish", file, "--as", "nhs-pds", "--wait", "--json", *more)
    running.published += sent
    return said, json.loads(said.out)


def decided(account: dict[str, Any]) -> dict[str, int]:
    """How many records the exchange said what of."""
    return {name: each["records"] for name, each in account["exchange"].items() if name != "undecided"}


def test_each_record_s_decision_is_waited_for_and_heard(running: Running, folder: Path) -> None:
    """New events are accepted, the same bytes again are duplicates, other bytes under the same ids are rejected; each
    notice is read back to the file and record that caused it."""
    first, again, other = (copy_of_the_example(folder, f"{name}.xml") for name in ("first", "again", "other"))

    said, account = publish(running, first, "--received-at", MORNING)
    assert (said.code, account["refused"]["records"], account["published"]) == (65, REFUSED, PUBLISHED)
    assert Counter(decided(account)) == Counter(accepted=PUBLISHED)
    assert account["exchange"]["undecided"] == 0

    _, repeated = publish(running, again, "--received-at", MORNING)
    assert Counter(decided(repeated)) == Counter(duplicate=PUBLISHED)

    _, rejected = publish(running, other, "--received-at", EVENING)
    assert Counter(decided(rejected)) == Counter(rejected=PUBLISHED)
    assert rejected["exchange"]["rejected"]["reasons"] == {"event_id_reused": PUBLISHED}

    heard = running.life.tidings("notices", "--as", "nhs-pds", "--file", other, "--json")
    lines = [json.loads(line) for line in heard.out.splitlines()]
    assert [(each["file"], each["outcome"]) for each in lines] == [("other.xml", "rejected")] * PUBLISHED
    assert sorted(each["record"] for each in lines) == list(range(1, PUBLISHED + 1))
    assert {finding["code"] for each in lines for finding in each["findings"]} == {"event_id_reused"}
    assert running.life.tidings("notices", "--as", "nhs-pds", "--file", first).out == ""
    as_text = running.life.tidings("notices", "--as", "nhs-pds").out
    assert "duplicate   again.xml:" in as_text
    assert "rejected    other.xml:" in as_text

    said, same = publish(running, first, sent=0)
    assert (said.code, same) == (65, account)
    told = running.life.tidings("publish", first, "--as", "nhs-pds")
    assert "was published before, nothing was sent" in told.out


def test_a_file_that_this_machine_did_not_publish_has_no_journal(running: Running, folder: Path) -> None:
    """Said by name, with the code of a file to mend."""
    said = running.life.tidings("notices", "--as", "nhs-pds", "--file", copy_of_the_example(folder, "never.xml"))

    assert said.code == 65
    assert said.err.startswith("never.xml: --file: was not published from this machine")


def test_a_table_goes_in_by_its_mapping(running: Running, folder: Path) -> None:
    """The example table of deaths, by the example mapping; its account is printed line by line."""
    del folder
    table, mapping = CHECKOUT / "examples" / "deaths.csv", CHECKOUT / "examples" / "deaths.yaml"
    said = running.life.tidings("publish", table, "--mapping", mapping, "--as", "gro", "--wait")
    running.published += 4

    assert said.code == 65
    assert "deaths.csv (delimited-table)" in said.out
    assert re.search(r"^  published +4$", said.out, re.MULTILINE)
    assert "not yet decided" not in said.out
