"""Writes `artifacts.lock` anew from `pom.xml`: `python -m deploy.local.lock`. Needs mvn, once, and a network.

Maven resolves the versions; the hashes are of what `jgo` downloads, the way `artifacts.py` will.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.artifacts import LOCK_FILE, Artifact, _download, sha256_of
from tidings.errors import Fatal

POM = Path(__file__).with_name("pom.xml")
REGISTRY_VERSION = "3.3.3"
_LISTED = re.compile(r"\s+([\w.-]+):([\w.-]+):(jar):([\w.-]+):(?:runtime|compile)\b")
_HEAD = """\
# What the local stack runs: exact coordinates and SHA-256. Made from pom.xml by `python -m deploy.local.lock`.
"""


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = [*_resolve(Path(folder)), ("io.apicurio", "apicurio-registry-app", REGISTRY_VERSION, "all", "tar.gz")]
        lines = []
        for group, name, version, classifier, packaging in sorted(wanted):
            artifact = Artifact(group, name, version, classifier, packaging, "")
            digest = sha256_of(_download(artifact, Path(folder) / "repository"))
            lines.append(f"{artifact.coordinate} sha256:{digest}\n")
    LOCK_FILE.write_text(_HEAD + "".join(lines), "utf-8")
    sys.stdout.write(f"{LOCK_FILE.name}: {len(lines)} artifacts\n")


def _resolve(folder: Path) -> list[tuple[str, str, str, str, str]]:
    maven = shutil.which("mvn")
    if maven is None:
        raise Fatal("the lock is made with Maven: put mvn on the PATH")
    listing = folder / "list.txt"
    shutil.copy(POM, folder / "pom.xml")
    goal = [maven, "-q", "-B", "dependency:list", "-DincludeScope=runtime", f"-DoutputFile={listing}"]
    subprocess.run(goal, cwd=folder, check=True)
    found = (_LISTED.match(line) for line in listing.read_text("utf-8").splitlines())
    return [(m[1], m[2], m[4], "", m[3]) for m in found if m]


if __name__ == "__main__":
    main()
