"""Every policy version that `exchange.policy` still holds, for accounts and audits."""

from __future__ import annotations

from collections import defaultdict

import orjson

from tidings.errors import Fatal
from tidings.kafka.clients import ClientSettings
from tidings.kafka.policy_store import CURRENT, WHERE
from tidings.kafka.read import LogReader
from tidings.policy import codec
from tidings.policy.model import Policy


def policy_versions(cluster: ClientSettings, principal: str) -> dict[int, Policy]:
    """All policies by version. Raises Fatal where one is incomplete or damaged, Retriable where no broker answers."""
    parts: dict[int, dict[int, bytes]] = defaultdict(dict)
    with LogReader(cluster, principal) as reader:
        for record in reader.read_to_end(WHERE.topic):
            if record.key in (None, CURRENT) or record.value is None:
                continue
            version, _, part = record.key.decode("ascii").partition("/")
            parts[int(version)][int(part)] = record.value
    return {version: whole_policy(version, found) for version, found in sorted(parts.items())}


def whole_policy(version: int, found: dict[int, bytes]) -> Policy:
    """The policy of a version's parts. Raises Fatal where they are not all, or not what the policy's own hash says."""
    if sorted(found) != list(range(len(found))):
        raise Fatal(f"policy {version} is incomplete")
    whole = b"".join(found[number] for number in sorted(found))
    try:
        its_hash = str(orjson.loads(whole)["hash"])
    except (ValueError, KeyError, TypeError):
        raise Fatal(f"policy {version} cannot be decoded") from None
    return codec.decode([whole], its_hash)
