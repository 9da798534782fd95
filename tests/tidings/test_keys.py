"""The root key: where it comes from, and that what is derived from it is kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tidings.errors import Fatal
from tidings.keys import KeyRing

ROOT = bytes(range(32))


def test_a_key_is_hkdf_of_its_name() -> None:
    """RFC 5869 over the root, with version and name as info: another program can derive it, too."""
    info = b"tidings\x1fv1\x1fagreement\x1fbenefits"

    assert KeyRing(ROOT).derive("agreement", "benefits") == HKDF(SHA256(), 32, None, info).derive(ROOT)


def test_names_versions_and_lengths_give_other_keys() -> None:
    """No key is the beginning of another, nor the same under another version."""
    ring = KeyRing(ROOT)
    made = {ring.derive("a", "b"), ring.derive("ab"), ring.derive("a"), KeyRing(ROOT, version=2).derive("a", "b")}

    assert len(made) == 4
    assert len(ring.derive("a", length=16)) == 16


def test_the_root_is_read_from_a_private_file(tmp_path: Path) -> None:
    """64 hex digits, mode 0600."""
    path = tmp_path / "root.key"
    path.write_text(ROOT.hex() + "\n")
    path.chmod(0o600)

    assert KeyRing.from_file(path).derive("a") == KeyRing(ROOT).derive("a")


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (ROOT.hex(), 0o640, "may be read by others"),
        ("xyz", 0o600, "not hexadecimal"),
        ("00ff", 0o600, "32 bytes"),
        ("é", 0o600, "cannot be read"),
    ],
)
def test_a_bad_root_is_refused_without_a_word_of_it(tmp_path: Path, text: str, mode: int, message: str) -> None:
    """Open to others, malformed, too short: Fatal, and the text holds nothing of the file."""
    path = tmp_path / "root.key"
    path.write_text(text, "utf-8")
    path.chmod(mode)

    with pytest.raises(Fatal, match=message) as raised:
        KeyRing.from_file(path)
    assert text not in str(raised.value)


def test_an_absent_root_is_refused(tmp_path: Path) -> None:
    """No key is ever made up."""
    with pytest.raises(Fatal, match="cannot be read"):
        KeyRing.from_file(tmp_path / "none")


def test_it_does_not_show_what_it_holds() -> None:
    """Neither root nor derived key stands in its repr."""
    ring = KeyRing(ROOT)
    ring.derive("a")

    assert repr(ring) == "KeyRing(version=1)"


def test_a_part_with_the_separator_is_refused() -> None:
    """Two names would otherwise have one key: ("a", "b") and ("a\\x1fb",)."""
    with pytest.raises(ValueError, match="separator"):
        KeyRing(ROOT).derive("a\x1fb")
