"""Every source connector on files that chance wrote: a fast round of what was fuzzed for hours with atheris, and each
file that once went wrong, again.

A finding is a file in `corpus/<connector>/`, named after what it was; the suite replays it for ever.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import SOURCES
from connectors.sources.base import SourceRecord
from tests.compliance.fuzz import TOKENS
from tests.compliance.judge_source import judge
from tests.compliance.sources import SAMPLES

ALL = sorted(SOURCES)
CORPUS = sorted(path for path in (Path(__file__).parent / "corpus").glob("*/*") if path.is_file())

EDITS = st.lists(
    st.tuples(st.integers(0, 9_999), st.integers(0, 12), st.sampled_from(TOKENS) | st.binary(max_size=6)),
    min_size=1,
    max_size=6,
)


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
