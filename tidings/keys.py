"""The exchange's secret keys: one root secret, from which every mask, tag and pseudonym key is derived by name.

Source: RFC 5869 (HKDF-SHA-256). The root comes from a file of mode 0600, never from git or a command line.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tidings.errors import Fatal

ROOT_BYTES = 32
_SEPARATOR = "\x1f"


class KeyRing:
    """Derives keys by name from one root secret. Has no repr of what it holds."""

    __slots__ = ("_cache", "_root", "version")

    def __init__(self, root: bytes, version: int = 1) -> None:
        if len(root) != ROOT_BYTES:
            raise Fatal(f"a root key has {ROOT_BYTES} bytes")
        self._root = root
        self.version = version
        self._cache: dict[tuple[str, ...], bytes] = {}

    @classmethod
    def from_file(cls, path: Path) -> KeyRing:
        """Read a root key written as 64 hex digits. Raises Fatal where it is absent, open to others or malformed."""
        try:
            mode = path.stat().st_mode & 0o777
            text = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Fatal(f"{path}: the root key cannot be read") from None
        if mode & 0o077:
            raise Fatal(f"{path}: the root key may be read by others (mode {mode:o}); use 0600")
        try:
            root = bytes.fromhex(text)
        except ValueError:
            raise Fatal(f"{path}: the root key is not hexadecimal") from None
        return cls(root)

    def derive(self, *name: str, length: int = 32) -> bytes:
        """The key of `name` (for example `("agreement", "bereavement-benefits", "pseudonym")`), `length` bytes long."""
        if any(_SEPARATOR in part for part in name):
            raise ValueError("a part of a key's name holds the separator: two names would be one")
        label = (*name, str(length))
        if label not in self._cache:
            info = _SEPARATOR.join(("tidings", f"v{self.version}", *name)).encode()
            self._cache[label] = HKDF(SHA256(), length, None, info).derive(self._root)
        return self._cache[label]

    def __repr__(self) -> str:
        return f"KeyRing(version={self.version})"
