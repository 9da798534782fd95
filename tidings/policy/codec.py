"""Writes a policy as canonical JSON in parts that fit one record each, and reads it back only where its hash is right.

The form is that of `tidings.policy.canonical`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import ValidationError

from tidings.errors import Fatal
from tidings.policy.canonical import canonical_json
from tidings.policy.model import Policy

MAX_PART_BYTES = 900_000


def policy_hash(policy: Policy) -> str:
    """The SHA-256 of a policy's canonical JSON without its field `hash`, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(policy.model_dump(mode="json", exclude={"hash"}))).hexdigest()


def sealed(policy: Policy) -> Policy:
    """The same policy with its own hash in it."""
    return policy.model_copy(update={"hash": policy_hash(policy)})


def encode(policy: Policy) -> list[bytes]:
    """The parts of a sealed policy, in order, each at most 900,000 bytes. Raises Fatal where its hash is wrong."""
    if policy.hash != policy_hash(policy):
        raise Fatal(f"policy {policy.version} is not sealed: its hash is not that of its content")
    whole = canonical_json(policy.model_dump(mode="json"))
    return [whole[at : at + MAX_PART_BYTES] for at in range(0, len(whole), MAX_PART_BYTES)]


def decode(parts: Sequence[bytes], expected_hash: str) -> Policy:
    """The policy of `parts`. Raises Fatal where they are no policy, or not the one that `expected_hash` names: a worker
    that cannot load its policy stops."""
    try:
        policy = Policy.model_validate_json(b"".join(parts))
    except ValidationError as error:
        raise Fatal(
            f"the policy cannot be read: {error.error_count()} fields are not as this version knows them"
        ) from None
    if policy.hash != expected_hash or policy_hash(policy) != expected_hash:
        raise Fatal(f"policy {policy.version} is not the one that was announced: its hash differs")
    return policy
