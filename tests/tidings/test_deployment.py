"""What parts of a deployment are called."""

from __future__ import annotations

import pytest

from tidings.deployment import is_once_group, once_name


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (once_name("gro", "outbox"), True),
        (once_name("nhs-pds", "publish-0a1b"), True),
        ("gro.reader", False),
        ("gro.team.once.a-day", False),
        ("exchange-main", False),
    ],
)
def test_a_once_writer_s_group_is_known(group: str, expected: bool) -> None:
    """The monitor passes over it, since it reads nothing, and over no subscriber's own group with the word in it."""
    assert is_once_group(group) is expected
