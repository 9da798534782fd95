"""How many subjects share each combination of quasi-identifiers, by a sketch of fixed size.

Source: P. H. Chia and others, "KHyperLogLog: Estimating Reidentifiability and Joinability of Large Data at Scale", IEEE
Symposium on Security and Privacy, 2019: of all combinations those with the smallest hashes are kept, which is a uniform
sample of them, and for each of these, how many different subjects had it.

The paper counts subjects by a HyperLogLog each; whether fewer than `FEW` share a combination is all that is asked
here, so at most so many hashes of subjects are kept instead, and the count up to there is exact. The sample is cut in
`BUCKETS` rows by the hash, so that a view writes one of about a kilobyte and not the whole. (Apache DataSketches has
the sketches of the paper, not their combination; each is stored as a whole.) Adding is commutative and idempotent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from stream_processors.host.declaration import Json

BUCKETS = 64
IN_BUCKET = 16
FEW = 5
"""A combination that so many subjects share counts as shared."""
_HASH_BITS = 64
_SPACE = 1 << _HASH_BITS


@dataclass(frozen=True, slots=True)
class Shared:
    """What a sketch says: estimates of how many combinations there are, of which share one subject alone has each, and
    which share fewer than `FEW` subjects have. `sampled` is of how many that is known."""

    combinations: float
    unique_share: float
    few_share: float
    sampled: int


def hash_of(data: bytes) -> str:
    """64 bits of BLAKE2b (RFC 7693) in hexadecimal."""
    return hashlib.blake2b(data, digest_size=_HASH_BITS // 8).hexdigest()


def bucket_of(combination: str) -> int:
    """Which row a combination's hash belongs to."""
    return int(combination[-2:], 16) % BUCKETS


def takes(row: Json | None, combination: str, subject: str) -> bool:
    """Whether the pair would change the row. What does not now never will: a row's bounds only fall."""
    if row is None or (combination not in row and len(row) < IN_BUCKET):
        return True
    if combination not in row:
        return bool(combination < max(row))
    subjects = row[combination]
    return subject not in subjects and (len(subjects) < FEW or bool(subject < subjects[-1]))


def add(row: Json | None, combination: str, subject: str) -> Json:
    """A row with one subject seen to have a combination; both are hashes."""
    made: dict[str, list[str]] = dict(row or {})
    # Which of many subjects are kept makes no difference to the count, but must not depend on who came first.
    made[combination] = sorted({*made.get(combination, ()), subject})[:FEW]
    return {each: made[each] for each in sorted(made)[:IN_BUCKET]}


def merge(rows: Iterable[Json | None]) -> Json:
    """One bucket's rows of several windows as one."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for combination, subjects in (row or {}).items():
            found[combination] = sorted({*found.get(combination, ()), *subjects})[:FEW]
    return {each: found[each] for each in sorted(found)[:IN_BUCKET]}


def shared(buckets: Iterable[Json]) -> Shared:
    """What all buckets of a sketch say together."""
    total = unique = few = 0.0
    sampled = 0
    for bucket in buckets:
        kept = len(bucket)
        if not kept:
            continue
        sampled += kept
        # How many there are by how low the k-th lies: (k - 1) / bound. Source: K. Beyer and others, "On Synopses for
        # Distinct-Value Estimation Under Multiset Operations", SIGMOD 2007.
        bound = int(max(bucket), 16) / _SPACE
        count = float(kept) if kept < IN_BUCKET else max(kept, (kept - 1) / bound)
        total += count
        unique += count * sum(len(subjects) == 1 for subjects in bucket.values()) / kept
        few += count * sum(len(subjects) < FEW for subjects in bucket.values()) / kept
    return Shared(total, unique / total if total else 0.0, few / total if total else 0.0, sampled)
