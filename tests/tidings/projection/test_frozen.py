"""Formats at rest: derived ids and a whole view, byte by byte."""

from __future__ import annotations

from tests.tidings.projection import local
from tidings.projection import ids


def test_golden_ids() -> None:
    """Derived ids change only with a new key version and an ADR: subscribers hold them."""
    assert ids.event_id(local.KEYS, "benefits", local.EVENT_ID) == "3e9f6691-1e33-450e-5a43-9dc77dc3dfb9"
    assert ids.life_event_id(local.KEYS, "benefits", local.EVENT_ID) == "38d09721-2949-12d6-fc82-39315c7c63ae"
    assert ids.record_id(local.KEYS, "benefits", "gro", "R/17") == "v1.rmwxp7dqw3cmeksnelra4txedadeflq6"
    assert ids.feed_key(local.KEYS, "benefits", ("nhs_number", "9990000018")) == b"v1.uptss4mbdxh2dguz7wl2hyjkp5fatrvc"


def test_golden_view() -> None:
    """The bytes of a view after its sequence: decision blocks commit to them."""
    schema = local.schema_of()
    view = local.view(schema, {"note": "keep"})
    projector = local.projector(schema, view)
    scan = projector.scan(local.SCHEMA_ID, local.encode(schema, local.event()))
    assert projector.decide(scan, view, ()).tail.hex() == (
        "0006024833653966363639312d316533332d343530652d356134332d3964633737646333646662390200004676312e726d77787037"
        "64717733636d656b736e656c72613474786564616465666c7136020400024865356233643338622d323536612d313238322d613065"
        "322d6331343031396231633461350280a0a484ce6700020c72656d61726b"
    )
