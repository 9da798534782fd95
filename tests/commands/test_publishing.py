"""A file goes into a real broker once, however often and wherever its publication is broken off."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from producers.journal import Fate, Journal
from tests.commands.kit import CHECKOUT
from tests.commands.publishing_process import STEPS, publish, run
from tests.tidings.kafka.test_write_once import Agency, new_agency
from tidings.errors import BadInput, Fatal
from tidings.kafka.read import read_to_end

if TYPE_CHECKING:
    from tidings.kafka.cluster import Cluster

pytestmark = pytest.mark.broker

EXAMPLE = CHECKOUT / "examples" / "death-extract.xml"
PUBLISHED, RECORDS = 6, 7


@pytest.fixture
def agency(broker: Cluster) -> Agency:
    """A publisher of deaths that nobody had before."""
    return new_agency(broker)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The example's seven deaths, one of which is refused."""
    return Path(shutil.copy(EXAMPLE, tmp_path / "deaths.xml"))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the journal is to be."""
    return tmp_path / "journal" / "deaths.sqlite"


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_second_run_ends_with_the_same_account(
    agency: Agency, file: Path, journal: Path, step: str
) -> None:
    """SIGKILL in the middle of the second of four transactions: every event stands there once, and the account is
    that of a run that nobody broke off."""
    other = new_agency(agency.cluster)
    _, undisturbed = publish(other.cluster, other.name, file, journal.with_name("other.sqlite"))

    killed, _ = run(agency.cluster, agency.name, file, journal, step=step)
    code, account = run(agency.cluster, agency.name, file, journal)

    assert (killed, code) == (-signal.SIGKILL, 0)
    assert account == undisturbed
    assert (account["records"], account["published"], account["refused"]["records"]) == (RECORDS, PUBLISHED, 1)
    assert len(agency.seen()) == len(set(agency.seen())) == PUBLISHED
    with Journal(journal, make=False) as kept:
        places = {(r.inbox, r.partition, r.offset) for r in kept.records() if r.fate is Fate.PUBLISHED}
    there = read_to_end(agency.cluster, "admin", agency.topic)
    assert places == {(each.topic, each.partition, each.offset) for each in there}


def test_a_file_that_is_whole_says_so(agency: Agency, file: Path, journal: Path) -> None:
    """Published again, renamed or touched, nothing is sent; a changed file is another one."""
    first, account = publish(agency.cluster, agency.name, file, journal)
    renamed = file.rename(file.with_name("again.xml"))
    renamed.touch()
    again, same = publish(agency.cluster, agency.name, renamed, journal, received_at_ms=None)

    assert (first.sent, first.whole_before) == (PUBLISHED, False)
    assert (again.sent, again.whole_before) == (0, True)
    assert {**same, "file": ""} == {**account, "file": ""}
    assert len(agency.seen()) == PUBLISHED

    renamed.write_bytes(renamed.read_bytes() + b"\n")
    changed, _ = publish(agency.cluster, agency.name, renamed, journal.with_name("changed.sqlite"))
    assert (changed.sent, changed.whole_before) == (PUBLISHED, False)


def test_another_time_of_arrival_is_refused(agency: Agency, file: Path, journal: Path) -> None:
    """It would make other bytes under the same ids."""
    publish(agency.cluster, agency.name, file, journal)

    with pytest.raises(BadInput, match="received-at-changed"):
        publish(agency.cluster, agency.name, file, journal, received_at_ms=2)


def test_without_its_journal_nothing_is_sent_again(agency: Agency, file: Path, journal: Path) -> None:
    """On another machine, or after the journal was lost: the broker knows how far the file came, in the middle too."""
    _, account = publish(agency.cluster, agency.name, file, journal)
    sent, rebuilt = publish(agency.cluster, agency.name, file, journal.with_name("other.sqlite"), received_at_ms=None)
    assert (sent.sent, rebuilt) == (0, account)
    assert len(agency.seen()) == PUBLISHED

    other = new_agency(agency.cluster)
    run(other.cluster, other.name, file, journal.with_name("lost.sqlite"), step="committed")
    rest, whole = publish(other.cluster, other.name, file, journal.with_name("new.sqlite"), received_at_ms=None)
    assert 0 < rest.went_on_after < RECORDS
    assert rest.sent < PUBLISHED
    assert whole == account
    assert len(other.seen()) == PUBLISHED


def test_a_second_run_takes_over_from_the_first(agency: Agency, file: Path, journal: Path) -> None:
    """Two at once: the older one ends, Fatal, and what it had open is not seen."""
    taken_over = False

    def second_run(step: str) -> None:
        nonlocal taken_over
        if step == "produced" and not taken_over:
            taken_over = True
            publish(agency.cluster, agency.name, file, journal.with_name("second.sqlite"))

    with pytest.raises(Fatal):
        publish(agency.cluster, agency.name, file, journal, probe=second_run)

    assert len(agency.seen()) == PUBLISHED


def test_a_file_that_changes_while_it_is_read_is_refused(agency: Agency, file: Path, journal: Path) -> None:
    """What was read of it is said for, but the file is not whole: nothing says that it is."""

    def change(step: str) -> None:
        if step == "committed":
            file.touch()

    with pytest.raises(BadInput, match="file-changed"):
        publish(agency.cluster, agency.name, file, journal, probe=change)


def test_no_value_of_a_record_is_in_the_journal(agency: Agency, file: Path, journal: Path) -> None:
    """Neither a name nor a place nor a number of the example's people."""
    publish(agency.cluster, agency.name, file, journal)
    kept = journal.read_bytes()

    assert b"death-registered" in kept
    values = re.findall(rb">([^<>\s][^<>]{3,})<", file.read_bytes())
    said = {value for value in values if re.search(rb"[A-Za-z]", value)}
    assert len(said) > 20
    assert not [value for value in said if value in kept]
