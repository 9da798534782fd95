"""The locked artifacts: only the exact file passes, and the cache never holds another."""

from __future__ import annotations

import fcntl
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.artifacts import Artifact, fetch, read_lock
from tidings.errors import Fatal, Retriable

CONTENT = b"a jar"


def artifact(content: bytes = CONTENT) -> Artifact:
    """An artifact that must hash to `content`'s digest."""
    return Artifact("group", "name", "1", "", "jar", hashlib.sha256(content).hexdigest())


def deliver(content: bytes):
    """A download that delivers `content`."""

    def download(wanted: Artifact, folder: Path) -> Path:
        path = folder / wanted.filename
        path.write_bytes(content)
        return path

    return download


def test_lock_names_kafka_and_registry_without_addresses():
    """The lock pins the broker and the registry, and names no registry's address."""
    names = {(each.name, each.version) for each in read_lock()}

    assert {("kafka_2.13", "4.3.1"), ("kafka-clients", "4.3.1"), ("apicurio-registry-app", "3.3.3")} <= names
    assert "://" not in Path(read_lock.__globals__["LOCK_FILE"]).read_text()


def test_right_file_is_kept_and_not_fetched_again(tmp_path):
    """A file that matches goes into the cache, and the next call downloads nothing."""
    wanted = artifact()
    seen: list[tuple[str, int, int]] = []

    first = fetch([wanted], lambda *step: seen.append(step), cache=tmp_path, download=deliver(CONTENT))
    second = fetch([wanted], cache=tmp_path, download=deliver(b"never asked"))

    assert first == second
    assert first[wanted].read_bytes() == CONTENT
    assert seen[-1][1:] == (1, 1)


def test_wrong_download_is_refused_and_not_kept(tmp_path):
    """A download with another hash is Fatal, and nothing of it stays in the cache."""
    with pytest.raises(Fatal, match="SHA-256 differs"):
        fetch([artifact()], cache=tmp_path, download=deliver(b"another jar"))

    assert list((tmp_path / "artifacts").iterdir()) == []


def test_changed_cache_is_refused(tmp_path):
    """A cached file that was changed afterwards is Fatal: hashes are checked every time."""
    found = fetch([artifact()], cache=tmp_path, download=deliver(CONTENT))
    found[artifact()].write_bytes(b"changed")

    with pytest.raises(Fatal, match="SHA-256 differs"):
        fetch([artifact()], cache=tmp_path, download=deliver(CONTENT))


def test_a_cache_that_others_may_change_is_refused(tmp_path):
    """A right file would not stay right: folder, subfolder and file are looked at each time, and none is changed."""
    cache = tmp_path / "new" / "cache"
    [found] = fetch([artifact()], cache=cache, download=deliver(CONTENT)).values()
    assert {path.stat().st_mode & 0o777 for path in (cache.parent, cache, found.parent)} == {0o700}
    for path in (cache, found.parent, found):
        before = path.stat().st_mode & 0o777
        path.chmod(before | 0o022)
        with pytest.raises(Fatal, match="others may change it"):
            fetch([artifact()], cache=cache, download=deliver(CONTENT))
        assert path.stat().st_mode & 0o777 == before | 0o022
        path.chmod(before & ~0o022)
    assert fetch([artifact()], cache=cache, download=deliver(b"never asked"))


def test_failed_download_can_be_repeated(tmp_path):
    """A download that fails is Retriable, and the next call succeeds."""

    def fail(_wanted: Artifact, _folder: Path) -> Path:
        raise Retriable("no network")

    with pytest.raises(Retriable):
        fetch([artifact()], cache=tmp_path, download=fail)

    assert fetch([artifact()], cache=tmp_path, download=deliver(CONTENT))


def test_who_lacks_the_same_waits_for_the_first(tmp_path):
    """A second fetch that begins while the first downloads gets its file, and downloads nothing."""
    with ThreadPoolExecutor(1) as pool:
        later = []

        def download(wanted: Artifact, folder: Path) -> Path:
            later.append(pool.submit(fetch, [artifact()], cache=tmp_path, download=deliver(b"never asked")))
            with pytest.raises(BlockingIOError):
                alone_in(tmp_path / "artifacts")
            return deliver(CONTENT)(wanted, folder)

        first = fetch([artifact()], cache=tmp_path, download=download)
        [second] = later

        assert second.result(10) == first


def alone_in(folder: Path) -> None:
    """Take the lock of whoever downloads into `folder`. Raises BlockingIOError where another has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "line", ["g:n:1:jar", "g:n:1:jar sha256:00", "g:n sha256:" + "0" * 64, "g:../n:1:jar sha256:" + "0" * 64]
)
def test_malformed_lock_is_refused(tmp_path, line):
    """A lock line without its hash, or with a path in it, is Fatal with its number."""
    lock = tmp_path / "artifacts.lock"
    lock.write_text(line + "\n")

    with pytest.raises(Fatal, match=r"artifacts\.lock:1"):
        read_lock(lock)
