"""Every source connector on files that chance wrote: a fast round of what was fuzzed for hours with atheris, and each
file that once went wrong, again.

A finding is a file in `corpus/<connector>/`, named after what it was; the suite replays it for ever.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import SOURCES
from connectors.sources._values import unsafe_fields
from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from producers.encode import Encoder
from tests.compliance.sources import AGENCIES, SAMPLES, connector, context
from tidings.catalogue import default_catalogue_dir, load_catalogue

ALL = sorted(SOURCES)
CORPUS = sorted(path for path in (Path(__file__).parent / "corpus").glob("*/*") if path.is_file())

TOKENS = st.sampled_from(
    [
        b"", b"\0", b"\n", b"\r\n", b"\t", b",", b'"', b'""', b"<", b"</", b">", b"&", b"&#x1b;", b"&x;", b"]]>",
        b"<!--",
        b"<!DOCTYPE a [", b"<![CDATA[", b"<?", b"{", b"}", b"[]", b"\\u0000", b"\xff", b"\xc3", b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"=1+1", b"@A1", b"+", b"-", b"0", b"9999999999", b"2025-02-30", b"0000-01-01", b"9999-12-31T23:59:59Z", b"X",
        b"N",
        b"append-entry\t", b"add-item\t", b"\xe2\x80\xae", b"\xef\xbf\xbd", b"\xd9\xa0", b"GB", b"null", b"true",
    ]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, 9_999), st.integers(0, 12), TOKENS | st.binary(max_size=6)), min_size=1, max_size=6
)


@cache
def encoders() -> dict[str, Encoder]:
    """What writes events of each type, as its owner."""
    types = load_catalogue(default_catalogue_dir()).event_types
    return {name: Encoder(each.owner, name, 1, each.schema) for name, each in types.items()}


def judge(name: str, content: bytes) -> list[Outcome]:
    """Read a file and hold what is said of it against what every connector promises."""
    outcomes = list(connector(name).read(io.BytesIO(content), context(name)))
    counted = [each.number for each in outcomes if each.number]

    assert counted == list(range(1, len(counted) + 1)), "every record is said once, in order"
    for each in outcomes:
        if isinstance(each, RefusedRecord):
            assert each.problem.file == "sample"
            assert each.problem.field
            assert each.problem.rule
        elif isinstance(each, SourceRecord):
            assert each.event["source"]["agency"] == AGENCIES[name]
            assert list(unsafe_fields(each.event)) == []
            encoders()[each.event_type].encode(each.event)
    return outcomes


def edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """The content with bytes taken out and put in at places in ten-thousandths of its length."""
    for place, length, put in edits:
        at = place * len(content) // 10_000
        content = content[:at] + put + content[at + length :]
    return content


@pytest.mark.parametrize("name", ALL)
@given(edits=EDITS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_edited_samples(name: str, edits: list[tuple[int, int, bytes]]) -> None:
    """Whatever is put into a good file or taken out of it, every record is said once, what goes on fits its type and is
    safe, and a second reading says the same."""
    content = edited(SAMPLES[name], edits)

    assert judge(name, content) == judge(name, content)


@pytest.mark.parametrize("name", ALL)
@given(content=st.binary(max_size=200))
@settings(max_examples=30, deadline=None)
def test_noise(name: str, content: bytes) -> None:
    """Bytes of chance make no event and nothing raises."""
    assert not [each for each in judge(name, content) if isinstance(each, SourceRecord)]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    """Each file that once broke a promise keeps them all."""
    judge(path.parent.name, path.read_bytes())
