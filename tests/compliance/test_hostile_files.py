"""What every source connector must do with files that mean harm: say so, by file, line, field and rule, and go on."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import SOURCES, find_source, open_source_file
from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from tests.compliance.hostile import LAUGHS, XML, in_utf16, with_prolog, with_text
from tests.compliance.memory import OF_XML
from tests.compliance.sources import MAPPING, MARK, SAMPLES, connector, context, read
from tidings.errors import BadInput

ALL = sorted(SOURCES)
CEILING_MIB = 16
"""What a connector may need beyond its sample, whatever the file: one record at its bound, a few times over."""


def refusals(outcomes: list[Outcome]) -> list[tuple[int, str]]:
    """Record and rule of each refusal."""
    return [(each.number, each.problem.rule) for each in outcomes if isinstance(each, RefusedRecord)]


def events(outcomes: list[Outcome]) -> list[SourceRecord]:
    """The outcomes that are events."""
    return [each for each in outcomes if isinstance(each, SourceRecord)]


def test_memory_has_a_ceiling() -> None:
    """A process that reads files that were never written (many good records; one value, attribute or record without
    end) needs no more memory for 48 MiB than for a sample, and every record is said."""
    command = [sys.executable, "-m", "tests.compliance.memory", "48", "--records-part", "40"]
    checkout = Path(__file__).resolve().parents[2]
    lines = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True, timeout=200).stdout
    measured = [json.loads(line) for line in lines.splitlines()]

    assert {(each["connector"], each["file"]) for each in measured} == {
        *((name, kind) for name in ALL for kind in ("records", "one value")),
        *((name, kind) for name in XML for kind in OF_XML),
    }
    assert [each for each in measured if each["rise_MiB"] > CEILING_MIB] == []
    for each in measured:
        rules = each["outcomes"].keys() - {"SourceRecord", "SetAsideRecord", "record-count"}
        assert bool(rules) == (each["file"] != "records"), each


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    ("prolog", "rules"),
    [
        (LAUGHS, {"dtd-forbidden"}),
        (f'<?xml version="1.0"?>{LAUGHS}', {"dtd-forbidden"}),
        ("<!DOCTYPE l [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", {"dtd-forbidden"}),
        ("<!DOCTYPE l [<!ENTITY % x SYSTEM 'http://{site}/x'> %x;]>", {"dtd-forbidden", "entities-forbidden"}),
        ("<!DOCTYPE l SYSTEM 'http://{site}/x.dtd'>", {"dtd-forbidden"}),
        ("<!DOCTYPE l PUBLIC '-//X//Y' 'http://{site}/x.dtd'>", {"dtd-forbidden"}),
        ("<!DOCTYPE l>", {"dtd-forbidden"}),
        ('<?xml version="1.0" encoding="no-such"?>', {"encoding"}),
        ('<?xml version="1.0" encoding="utf-16"?>', {"encoding", "malformed-xml"}),
        ("<x/>", {"root-element"}),
        ("<![CDATA[x]]>", {"malformed-xml"}),
    ],
)
def test_prologs_of_xml(name: str, prolog: str, rules: set[str]) -> None:
    """A document type with entities or from elsewhere, a wrong encoding and another root refuse the file before any
    record, and nothing is fetched."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        content = with_prolog(name, prolog.replace("{site}", f"127.0.0.1:{server.getsockname()[1]}"))
        outcomes = read(name, content)
        with pytest.raises(BlockingIOError):
            server.accept()

    assert len(outcomes) == 1
    assert refusals(outcomes)[0][0] == 0
    assert refusals(outcomes)[0][1] in rules


@pytest.mark.parametrize("name", XML)
def test_a_dtd_beside_the_file_is_not_read(name: str, tmp_path: Path) -> None:
    """A document type that names a local file is refused for itself: what is in that file, here no DTD, is not seen."""
    (tmp_path / "x.dtd").write_text("<<< no DTD", "utf-8")
    outcomes = read(name, with_prolog(name, f"<!DOCTYPE l SYSTEM '{(tmp_path / 'x.dtd').as_uri()}'>"))

    assert refusals(outcomes) == [(0, "dtd-forbidden")]


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"&undefined;", "entities-forbidden"),
        (b"\0", "malformed-xml"),
        (b"&#0;", "malformed-xml"),
        (b"\xff\xfe", "encoding"),
        (b"\x1b[2J", "malformed-xml"),
        (b"</x>", "malformed-xml"),
        (b"<unclosed>", "malformed-xml"),
    ],
)
def test_values_that_end_an_xml_file(name: str, text: bytes, rule: str) -> None:
    """Where XML is broken inside a record the file ends there: it is said at its line, and what stood before was
    read. In an attribute an unescaped `<` is itself the break."""
    outcomes = read(name, with_text(name, text))
    whole = events(read(name, SAMPLES[name]))
    problems = [each.problem for each in outcomes if isinstance(each, RefusedRecord)]

    assert refusals(outcomes)[-1] == (0, rule)
    assert problems[-1].line >= 1
    assert problems[-1].field
    assert 0 < len(events(outcomes)) < len(whole)
    assert [each.event for each in events(outcomes)] == [each.event for each in whole][: len(events(outcomes))]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"=cmd|' /C calc'!A0", "formula"),
        (b"@SUM(1)*cmd|A0", "formula"),
        (b"+A1", "formula"),
        (b"-A1", "formula"),
        ("\u202eA".encode(), "control-character"),
        ("A\x9bB".encode(), "control-character"),
    ],
)
def test_values_that_a_reader_would_obey(name: str, text: bytes, rule: str) -> None:
    """A formula or a hidden character refuses its record, or is left out of an annulment; the other records go on."""
    content = with_text(name, text)
    if name == "register-rsf":
        content = rehashed(content)
    outcomes = read(name, content)
    whole = events(read(name, SAMPLES[name]))
    refused = {number for number, each in refusals(outcomes) if each == rule}
    left_out = [
        each for each in events(outcomes) if ("not-in-annulment" in {cleansed.rule for cleansed in each.cleansed})
    ]

    assert len(refused) + len(left_out) == 1
    assert len(events(outcomes)) + len(refused) == len(whole)
    assert text.decode() not in repr([each.event for each in events(outcomes)])


def rehashed(content: bytes) -> bytes:
    """A register whose last entry names the last item again, which was altered."""
    import hashlib

    items = [line for line in content.splitlines() if line.startswith(b"add-item\t")]
    lines = content.splitlines(keepends=True)
    digest = hashlib.sha256(items[-1].partition(b"\t")[2]).hexdigest().encode()
    return b"".join(lines[:-1]) + lines[-1][: -len(digest) - 1] + digest + b"\n"


@pytest.mark.parametrize("name", ALL)
def test_a_mark_of_utf8_is_no_value(name: str) -> None:
    """A file that begins with UTF-8's byte order mark gives the same events as one without."""
    assert events(read(name, b"\xef\xbb\xbf" + SAMPLES[name])) == events(read(name, SAMPLES[name]))


@pytest.mark.parametrize("name", ALL)
def test_utf16_is_known_or_refused(name: str) -> None:
    """A whole file in UTF-16 gives the same events (XML) or a refusal by its encoding, and no others."""
    outcomes = read(name, in_utf16(SAMPLES[name]))

    if name in XML:
        assert [each.event for each in events(outcomes)] == [each.event for each in events(read(name, SAMPLES[name]))]
    else:
        assert refusals(outcomes)
        assert events(outcomes) == []


@pytest.mark.parametrize("name", [*ALL, None])
@pytest.mark.parametrize(
    "start",
    [b"PK\x03\x04\x14\x00", b"\x1f\x8b\x08\x00", b"BZh91AY", b"\xfd7zXZ\x00", b"(\xb5/\xfd", b"7z\xbc\xaf'\x1c",
     b"Rar!\x1a\x07\x01", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"a.xml".ljust(257, b"\0") + b"ustar\x0000"],
)  # fmt: skip
def test_archives_are_not_taken(name: str | None, start: bytes) -> None:
    """A packed or compressed file is refused by its own rule, whatever it is called and whichever connector is named:
    nothing is unpacked, so no bomb can go off."""
    mapping = MAPPING if name and SOURCES[name].spec.needs_mapping else None

    with pytest.raises(BadInput) as refused:
        find_source("deaths.xml", start, name, mapping)
    assert [(each.file, each.field, each.rule) for each in refused.value.problems] == [
        ("deaths.xml", "(file)", "archive-not-taken")
    ]


def test_only_files_are_opened(tmp_path: Path) -> None:
    """A link, a folder, a pipe without a writer, a socket, a device and a name that is none are refused by rule, at
    once; a file is opened, also under a name with `..` in it."""
    file = tmp_path / "deaths.xml"
    file.write_bytes(SAMPLES["gro-death-extract"])
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        rules = {
            name: rule_of(tmp_path / name)
            for name in ("link", "loop", "folder", "pipe", "socket", "absent", "deaths.xml/x", "x\0y", "n" * 300)
        }

    assert rules == {
        "link": "symbolic-link",
        "loop": "symbolic-link",
        "folder": "directory",
        "pipe": "not-a-file",
        "socket": "unreadable",
        "absent": "no-such-file",
        "deaths.xml/x": "unreadable",
        "x\0y": "unreadable",
        "n" * 300: "unreadable",
    }
    assert rule_of(Path("/dev/zero")) == "not-a-file"
    with open_source_file(tmp_path / "folder" / ".." / "deaths.xml") as opened:
        assert opened.read() == SAMPLES["gro-death-extract"]


def rule_of(path: Path) -> str:
    """The rule by which a path is refused; its name is in the message and nothing else of the path is needed."""
    with pytest.raises(BadInput) as refused:
        open_source_file(path)
    [problem] = refused.value.problems
    assert problem.file == path.name
    return problem.rule


@pytest.mark.parametrize("name", ALL)
def test_no_value_opens_a_file(name: str) -> None:
    """Whatever path a value holds, reading opens nothing."""
    opened: list[str] = []
    reading = connector(name)
    looking = [True]

    def watch(event: str, _args: tuple[object, ...]) -> None:
        if looking[0] and event in ("open", "os.open", "socket.connect", "subprocess.Popen"):
            opened.append(event)

    sys.addaudithook(watch)
    for path in (b"../../../etc/passwd", b"file:///etc/passwd", b"/dev/zero", b"http://127.0.0.1:9/x"):
        for _ in reading.read(io.BytesIO(with_text(name, path)), context(name)):
            pass
    looking[0] = False

    assert opened == []
    assert MARK.encode() in SAMPLES[name]
