"""`tidings simulate` as a user calls it: files, what it prints, and what is wrong with what was asked."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import orjson
import pytest

from commands._simulate import new_file
from commands._simulate_publish import Publishers, publish, publish_container
from producers.simulation.container import read
from producers.simulation.faults import FAULTS
from producers.simulation.happenings import HAPPENINGS
from producers.simulation.legacy import LEGACY
from producers.simulator import START_MS, Settings
from tests.commands.kit import CHECKOUT, Said, tidings
from tidings.clock import StillClock
from tidings.errors import BadInput, BadUsage

SMALL = ("--people", "5000", "--events", "600")


def said(out: str) -> dict[str, int]:
    """The outcomes that were printed."""
    return {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", out)}


def test_a_container_and_its_account(tmp_path: Path) -> None:
    """What is printed is what stands in the file; a second run writes the same bytes."""
    one, two = tmp_path / "one.avro", tmp_path / "two.avro"
    printed = tidings("simulate", *SMALL, "--bad", "20%", "--out", one)
    tidings("simulate", *SMALL, "--bad", "0.2", "--out", two, "--processes", "1")

    with one.open("rb") as file:
        stored = Counter(each.expected for each in read(file, "one"))
    assert printed.code == 0
    assert said(printed.out) == stored == Counter(stored)
    assert stored["rejected"] > 50
    assert one.read_bytes() == two.read_bytes()


def test_lines_of_json(tmp_path: Path) -> None:
    """A line an event, decoded, with what the exchange must make of it."""
    path = tmp_path / "events.json"
    printed = tidings("simulate", *SMALL, "--out", path, "--format", "json", "--fault", "checksum=10%", "--bad", "0")
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]

    assert said(printed.out) == Counter(line["expected"] for line in lines)
    assert {line["fault"] for line in lines} == {None, "checksum"}
    assert {tuple(line["codes"]) for line in lines} == {(), ("checksum_invalid:subject",)}
    assert all(line["event"]["environment"] == "SYNTHETIC" for line in lines)


def test_a_legacy_file_is_published_as_it_is(tmp_path: Path) -> None:
    """What is written in a connector's format, `tidings publish` takes whole."""
    path = tmp_path / "extract.xml"
    written = tidings("simulate", "--people", "5000", "--events", "60", "--out", path, "--format", "gro-death-extract")
    published = tidings("publish", path, "--as", "gro", "--dry-run")

    assert written.out.strip() == "60 sound events in the format of gro-death-extract"
    assert published.code == 0
    assert re.search(r"records +60\s+would be published +60\s+refused here +0\s", published.out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault", "nonsense=1%"), "a name is one of checksum"),
        (("--fault", "checksum"), "checksum needs a number"),
        (("--times", "wars=2"), "a name is one of deaths"),
        (("--start", "yesterday"), "such as 2012-01-02"),
        (("--people", "3"), "people are from"),
        (("--only", "nonsense"), "--only: nonsense is none of address-changed, "),
        (("--format", "csv"), "a format is avro, json, delimited-table"),
        (("--format", "gro-death-extract", "--only", "name-changed"), "gro-death-extract holds death-registered"),
        (("--format", "register-rsf", "--only", "country", "--only", "local-authority"), "one in a file"),
        (("--from", "/nowhere/file"), "--from publishes a file and writes none"),
        (("--times", "moves=nan"), "from 0 to 1000000 times"),
        (("--times", "moves=inf"), "from 0 to 1000000 times"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """Exit code 64, the option and what may be given; nothing is written."""
    refused: Said = tidings("simulate", "--out", tmp_path / "out", *arguments)

    assert refused.code == 64
    assert message in refused.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", "no-such-folder/out", "file/out", "n" * 300])
def test_a_place_that_cannot_be_written_is_said(name: str, tmp_path: Path) -> None:
    """Where the file cannot be made it is bad input, by its name and the system's reason, and no defect."""
    (tmp_path / "file").write_bytes(b"")
    refused = tidings("simulate", *SMALL, "--out", tmp_path / name)

    assert refused.code == 65
    assert "cannot be opened (" in refused.err


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    """Neither half a file nor another one."""
    out = tmp_path / "out"
    out.write_bytes(b"before")

    def half() -> None:
        with new_file(out) as file:
            file.write(b"half")
            raise BadUsage("--events", "end-of-time", "so many do not happen")

    with pytest.raises(BadUsage):
        half()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("out", b"before")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_said() -> None:
    """Where the disk is full the command stops and says so."""
    stopped = tidings("simulate", "--people", "5000", "--events", "60", "--out", "/dev/full")

    assert stopped.code == 1
    assert "could not be written to its end (No space left on device)" in stopped.err


@pytest.mark.parametrize(("name", "message"), [("absent", "no such file"), ("", "is a folder")])
def test_what_cannot_be_published_again_is_said(name: str, message: str, tmp_path: Path) -> None:
    """`--from` takes a file that is there."""
    refused = tidings("simulate", "--from", tmp_path / name)

    assert refused.code == 65
    assert message in refused.err


class Sent:
    """Publishers that count."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: list[tuple[str, str, bytes | None, bytes | None]] = []
        monkeypatch.setattr("commands._simulate_publish.Cluster.load", lambda _path: None)
        monkeypatch.setattr(Publishers, "send", lambda _self, each: self.records.append(each[:4]))
        monkeypatch.setattr(Publishers, "flush", lambda _self: len(self.records))


def test_a_container_is_published_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record of a file is sent as its agency, in order, with key and value."""
    path, sent = tmp_path / "events.avro", Sent(monkeypatch)
    tidings("simulate", *SMALL, "--bad", "20%", "--out", path)

    publish_container(path, 0.0, None, StillClock())
    with path.open("rb") as file:
        assert sent.records == [(each.agency, each.event_type, each.key, each.value) for each in read(file, "path")]


def test_nothing_is_published_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is received later than now is not sent, and the command says what to do."""
    sent, clock = Sent(monkeypatch), StillClock(START_MS + 40 * 86_400_000)

    with pytest.raises(BadInput, match="reaches today"):
        publish(Settings(people=5_000), 600, 0.0, None, clock)
    assert 50 < len(sent.records) < 600


def test_the_guide_names_everything() -> None:
    """Every kind of bad record, every happening and all that a legacy format loses stand in the guide."""
    guide = (CHECKOUT / "docs" / "guides" / "simulator.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z-]+)`", guide))

    assert set(FAULTS) - named == set()
    assert set(HAPPENINGS) - named == set()
    for each in LEGACY.values():
        assert f"| `{each.name}` |" in guide
        for loss in each.losses:
            assert f"| | `{loss.field}` | {loss.becomes} |" in guide
        assert each.unheld in guide
