"""The registry of the whole stack, through its gate."""

from __future__ import annotations

import pytest

from deploy.local.files import write_private
from tidings.errors import Fatal
from tidings.kafka.registry import FULL_TRANSITIVE, Registry

pytestmark = pytest.mark.stack

SUBJECT = "feed.example.one.v1.x-value"


def record(kind: str) -> dict:
    """A record with one field of that type."""
    return {"type": "record", "name": "X", "namespace": "tidings.test", "fields": [{"name": "a", "type": kind}]}


def test_compatibility_is_enforced_from_the_start(stack):
    """A changed type is found incompatible, and refused when registered."""
    with Registry(stack.cluster) as registry:
        schema_id = registry.register(SUBJECT, record("int"))

        assert registry.compatibility() == FULL_TRANSITIVE
        assert registry.lookup(SUBJECT, record("int")) == schema_id
        assert not registry.is_compatible(SUBJECT, record("string"))
        with pytest.raises(Fatal, match="incompatible"):
            registry.register(SUBJECT, record("string"))


def test_agency_reads_its_own_schema_and_no_other(stack):
    """With its own password an agency reads its feed's schema by id; another is refused, and neither may write."""
    for agency in ("example", "other"):
        write_private(stack.cluster.credentials_dir / f"{agency}.password", f"{agency}-throwaway\n")
    with Registry(stack.cluster) as registry:
        schema_id = registry.register(SUBJECT, record("int"))

    with Registry(stack.cluster, "example") as own, Registry(stack.cluster, "other") as other:
        assert own.schema(schema_id)["name"] == "X"
        assert len(own.versions(SUBJECT)) == 1
        with pytest.raises(Fatal, match="403"):
            other.schema(schema_id)
        with pytest.raises(Fatal, match="403"):
            own.register(SUBJECT, record("int"))
        with pytest.raises(Fatal, match="403"):
            own.subjects()
