"""Fetches what the local stack runs: the exact files of `artifacts.lock`, each held against its SHA-256, always.

`jgo` only downloads, one coordinate at a time: its own version mediation mixes in kafka-clients 3.9, which fails at
start. A file is moved into the cache only after its hash matched, so the cache never holds half a file or a wrong one;
and only this user (or root) may change the cache, or a file could be exchanged after its hash was looked at.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from deploy.local.files import private_dir, trusted
from tidings.errors import Fatal, Retriable, TidingsError

LOCK_FILE = Path(__file__).with_name("artifacts.lock")
REGISTRY_APP = "apicurio-registry-app"
_PARALLEL = 8
_TIMEOUT_SECONDS = 60

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is (0 where that is not known)."""

Fetch = Callable[["Artifact", Path], Path]
"""Downloads one artifact below a folder and returns the file. Raises Retriable."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a Maven repository, and what it must hash to. `classifier` may be empty."""

    group: str
    name: str
    version: str
    classifier: str
    packaging: str
    sha256: str

    @property
    def filename(self) -> str:
        """The file's name in a repository and in our cache."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{suffix}.{self.packaging}"

    @property
    def coordinate(self) -> str:
        """`group:name:version[:classifier]:packaging`, as the lock writes it."""
        parts = [self.group, self.name, self.version, self.classifier, self.packaging]
        return ":".join(part for part in parts if part)


def cache_dir() -> Path:
    """Where artifacts are kept between runs: `$TIDINGS_CACHE`, else the XDG cache folder's `tidings`."""
    named = os.environ.get("TIDINGS_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidings"


def read_lock(path: Path = LOCK_FILE) -> tuple[Artifact, ...]:
    """The artifacts of a lock file, in its order. Raises Fatal where a line is malformed or a file stands twice."""
    artifacts: dict[str, Artifact] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        artifact = _parse(line)
        if artifact is None or artifact.filename in artifacts:
            raise Fatal(f"{path.name}:{number}: not a new file as `group:name:version[:classifier]:packaging sha256:…`")
        artifacts[artifact.filename] = artifact
    return tuple(artifacts.values())


def fetch(
    artifacts: Iterable[Artifact],
    progress: Progress | None = None,
    *,
    cache: Path | None = None,
    download: Fetch | None = None,
) -> dict[Artifact, Path]:
    """Every artifact's verified path, downloading in parallel what the cache lacks. Of several processes that lack
    something, one downloads and the others wait for it.

    Args:
        artifacts: what is wanted, usually `read_lock()`.
        progress: told after each file.
        cache: where files are kept; `cache_dir()` unless given.
        download: how one file is got; jgo unless given.

    Raises:
        Retriable: a download failed; whatever arrived is kept, so the next call goes on from there.
        Fatal: a file, downloaded or cached, is not the one of the lock, or others may change the cache.
    """
    wanted = list(artifacts)
    home = _cache(cache or cache_dir()) / "artifacts"
    _cache(home)
    found: dict[Artifact, Path] = {}
    lacking = any(not (home / each.filename).exists() for each in wanted)
    with _alone(home) if lacking else nullcontext(), ThreadPoolExecutor(_PARALLEL) as pool:
        jobs = {pool.submit(_fetch_one, each, home, download or _download): each for each in wanted}
        try:
            for job in as_completed(jobs):
                found[jobs[job]] = job.result()
                if progress:
                    progress("Kafka and registry files", len(found), len(wanted))
        except TidingsError:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return {each: found[each] for each in wanted}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process downloads into `folder`, and keep others waiting."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _cache(folder: Path) -> Path:
    """A folder of the cache, made where there is none. A cache that others may read, but not change, is as good."""
    return trusted(folder) if folder.exists() else private_dir(folder)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_one(artifact: Artifact, home: Path, download: Fetch) -> Path:
    target = home / artifact.filename
    if target.exists():
        if sha256_of(trusted(target)) != artifact.sha256:
            raise Fatal(f"{target} is not the file of artifacts.lock (SHA-256 differs); remove it and try again")
        return target
    staging = Path(tempfile.mkdtemp(prefix=".incoming-", dir=home))
    try:
        arrived = download(artifact, staging)
        if sha256_of(arrived) != artifact.sha256:
            raise Fatal(f"{artifact.coordinate}: the download is not the file of artifacts.lock (SHA-256 differs)")
        arrived.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _download(artifact: Artifact, folder: Path) -> Path:
    from jgo.maven import MavenContext  # slow to import, and needed only on a cold cache

    context = MavenContext(repo_cache=folder, timeout=_TIMEOUT_SECONDS)
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    try:
        return Path(component.artifact(artifact.classifier, artifact.packaging).resolve())
    except (OSError, RuntimeError, ValueError) as error:  # what requests and jgo raise
        raise Retriable(
            f"{artifact.coordinate} could not be downloaded ({type(error).__name__}); is the network there?"
        ) from None


def _parse(line: str) -> Artifact | None:
    coordinate, _, digest = line.partition(" sha256:")
    parts = coordinate.split(":")
    if len(parts) == 4:
        parts.insert(3, "")
    if len(parts) != 5 or len(digest) != 64 or any("/" in part for part in parts):
        return None
    group, name, version, classifier, packaging = parts
    return Artifact(group, name, version, classifier, packaging, digest)
