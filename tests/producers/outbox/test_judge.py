"""What becomes of rows: the extension's writer changes nothing but the time it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from producers.outbox import judge as judging
from producers.outbox.judge import Judged
from producers.outbox.rows import Rows
from producers.publisher import EventPublisher
from producers.simulator import Settings, simulate
from tests.producers.outbox.kit import CATALOGUE, Event, events, judge
from tidings.errors import Fatal
from tidings.kafka.schema_ids import NoInbox
from tidings.projection.native import native_version

[(KIND, SOUND)] = events(1)


def judged(*rows: Event | tuple[str, str]) -> Judged:
    """What a new judge makes of rows 1, 2, …"""
    texts = [event if isinstance(event, str) else json.dumps(event) for _, event in rows]
    kinds = [kind for kind, _ in rows]
    return judge().judge(Rows(range(1, len(rows) + 1), kinds, [text.encode() for text in texts]))


@pytest.mark.parametrize(
    ("kind", "event", "said"),
    [
        ("no-such-type", SOUND, "schema_unknown:event_type"),
        ("name-changed", SOUND, "source_mismatch:event_type"),
        (KIND, "{", "undecodable"),
        (KIND, "[]", "undecodable"),
        (KIND, {}, "undecodable:event_id"),
        (KIND, SOUND | {"deceased": "Jane"}, "undecodable:deceased"),
        (KIND, SOUND | {"unheard_of": 1}, "undecodable"),
        (KIND, SOUND | {"subject": {"scheme": "nhs_number"}}, "undecodable:subject.value"),
        (KIND, SOUND | {"environment": "LIVE"}, "environment_mismatch:environment"),
        (KIND, SOUND | {"source": SOUND["source"] | {"agency": "dwp"}}, "source_mismatch:source.agency"),
        (KIND, SOUND | {"event_id": "x"}, "event_id_invalid:event_id"),
        (
            KIND,
            SOUND | {"event_id": "x", "occurred_on": {"year": 2023, "month": 2, "day": 30}, "deceased": None},
            "date_impossible:occurred_on event_id_invalid:event_id required_missing:deceased",
        ),
        (KIND, SOUND | {"reason": "x" * 1_100_000}, "event_too_large"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_a_bad_row_is_refused_with_every_reason(kind: str, event: Any, said: str) -> None:
    """And the sound ones around it go on their way."""
    made = judged((KIND, SOUND), (kind, event), (KIND, SOUND))

    assert made.refused == [(2, said)]
    assert made.rows == [1, 3]
    assert len(made.records) == 2


def test_a_flagged_row_goes_on_its_way_with_the_note() -> None:
    """A doubt refuses nothing."""
    made = judged(
        (KIND, SOUND | {"usual_residence": (SOUND["usual_residence"] or {"lines": []}) | {"postcode": "none"}})
    )

    assert made.rows == [1]
    [(row, said)] = made.flagged
    assert row == 1
    assert "usual_residence.postcode" in said


@pytest.mark.skipif(native_version() is None, reason="the native extension is not built")
def test_the_extension_changes_no_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand simulated events, a third of them bad in every way there is, judged with and without."""
    owned = {name for name, each in CATALOGUE.event_types.items() if each.owner == "gro"}
    settings = Settings(seed=5, people=20_000, bad_share=0.3, only=frozenset(owned))
    made = [(each.event_type, json.dumps(each.event).encode()) for each in simulate(1_000, settings)]
    rows = Rows(range(1_000), [kind for kind, _ in made], [text for _, text in made])
    written = judge().judge(rows)
    monkeypatch.setattr(judging, "inbox_writer", lambda *_: None)
    checked = judge().judge(rows)

    assert len(written.refused) > 100
    assert (written.rows, written.records) == (checked.rows, checked.records)
    assert (written.refused, written.flagged) == (checked.refused, checked.flagged)


def test_a_type_without_inbox_refuses_its_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for once a batch, and again for the next one."""
    asked = []

    def encoder(_self: EventPublisher, name: str) -> Any:
        asked.append(name)
        raise NoInbox("no inbox")

    with monkeypatch.context() as patch:
        patch.setattr(EventPublisher, "encoder", encoder)
        one = judge()
        rows = Rows((1, 2), (KIND, KIND), (b"{}", b"{}"))
        first = one.judge(rows)
        one.judge(rows)

    assert first.refused == [(1, "schema_unknown:event_type"), (2, "schema_unknown:event_type")]
    assert asked == [KIND, KIND]


def test_a_registry_that_refuses_stops_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is refused for what is not its fault."""

    def encoder(_self: EventPublisher, _name: str) -> Any:
        raise Fatal("the registry answers 403")

    monkeypatch.setattr(EventPublisher, "encoder", encoder)
    with pytest.raises(Fatal, match="403"):
        judged((KIND, SOUND))


def test_a_row_too_large_to_be_fetched() -> None:
    """It is refused for that."""
    assert judge().judge(Rows((1,), (KIND,), (None,))).refused == [(1, "event_too_large")]


def test_counts_name_no_type_that_is_not_in_the_catalogue() -> None:
    """A label is an id of the catalogue or a word of ours."""
    made = judged(("Jane Doe", SOUND), (KIND, SOUND))

    assert made.refused_by_type == {"unknown": 1}
    assert made.reasons == {("unknown", "schema_unknown"): 1}
    assert made.sent_by_type == {KIND: 1}
