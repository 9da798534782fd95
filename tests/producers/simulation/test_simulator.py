"""The simulated country: a seed's bytes are fixed, each event is what it says it is, and all of life is there."""

from __future__ import annotations

import hashlib
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from subprocess import PIPE, Popen
from typing import Any

import pytest

from producers.simulation import country
from producers.simulation.container import read
from producers.simulation.faults import FAULTS
from producers.simulation.fields import Draft
from producers.simulation.people import NHS_OF_COUNTY, fictional_key, populate
from producers.simulation.rates import DAY_MS, rates
from producers.simulation.shapes import EVENT_TYPES
from producers.simulation.spoil import decode
from producers.simulator import START_MS, Settings, SimulatedEvent, simulate, write_container
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import Checker, FolderLists
from tidings.checks.identifier_checksum import valid
from tidings.clock import StillClock
from tidings.errors import BadInput, Fatal, Severity

CATALOGUE = load_catalogue(default_catalogue_dir())
NOW_MS = StillClock().now_ms()
PEOPLE = 20_000
SOUND = Settings(seed=2, people=4 * PEOPLE, bad_share=0, duplicate_share=0, times={"country": 4.0})
"""More entries of a register than usual: few keys have a third one in so short a time."""
SOUND_EVENTS = 18_000


def container(settings: Settings, events: int, processes: int = 1) -> bytes:
    """A container as bytes."""
    out = io.BytesIO()
    write_container(out, events, settings, processes, lambda _done: None)
    return out.getvalue()


@cache
def sound() -> tuple[SimulatedEvent, ...]:
    """Eight months of a small country without bad records."""
    return tuple(simulate(SOUND_EVENTS, SOUND))


def of_type(name: str) -> list[dict[str, Any]]:
    """The sound events of a type."""
    return [each.event for each in sound() if each.event_type == name]


def test_the_same_seed_is_the_same_bytes() -> None:
    """Two runs of one seed are equal byte for byte, and another seed is another country; fewer events are its
    beginning."""
    settings = Settings(seed=5, people=5_000)
    longer = [(each.key, each.value) for each in simulate(1_500, settings)]

    assert container(settings, 1_000) == container(settings, 1_000)
    assert longer[:1_000] == [(each.key, each.value) for each in simulate(1_000, settings)]
    assert container(settings, 1_000) != container(Settings(seed=6, people=5_000), 1_000)


def test_the_bytes_do_not_change_by_themselves() -> None:
    """A seed's bytes are what they were: who changes this figure makes another country of every seed, on purpose."""
    made = container(Settings(seed=1, people=5_000), 1_000)

    assert hashlib.sha256(made).hexdigest()[:16] == "213ad2485ebf3e0b"


def test_processes_make_the_same_bytes() -> None:
    """Three processes, which have counties in unlike numbers, write the file that one writes."""
    settings = Settings(seed=3, people=8_000)

    assert container(settings, 1_500, processes=3) == container(settings, 1_500)


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("pass", Fatal),
        ("import sys; sys.stdout.buffer.write(b'\\x80\\x04\\x95')", Fatal),
        ("import pickle, sys; pickle.dump(('a problem',), sys.stdout.buffer)", BadInput),
    ],
)
def test_a_process_that_ends_is_noticed(program: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends without a word, or within one, is Fatal; what it refuses is refused."""
    started: list[Popen[bytes]] = []

    def start(*_: object) -> Popen[bytes]:
        started.append(Popen([sys.executable, "-S", "-c", program], stdout=PIPE))
        return started[-1]

    monkeypatch.setattr(country, "_started", start)
    with pytest.raises(error):
        next(country.records(Settings(people=2_000), 1, processes=2))
    assert all(each.returncode is not None for each in started)


def test_settings_are_written_in_one_order() -> None:
    """A container's head, from which its marker follows, does not depend on the order of names."""
    one = Settings(people=2_000, only=frozenset(EVENT_TYPES), times={"moves": 2.0, "deaths": 1.0})
    other = Settings(people=2_000, only=frozenset(reversed(EVENT_TYPES)), times={"deaths": 1.0, "moves": 2.0})

    assert container(one, 0) == container(other, 0)
    assert b"address-changed, birth-notified" in container(one, 0)


def test_a_container_holds_what_is_sent() -> None:
    """Keys, values and expectations of a container are those of the events, framing faults included."""
    settings = Settings(seed=4, people=PEOPLE, bad_share=0.2)
    stored = list(read(io.BytesIO(container(settings, 1_500)), "file"))
    events = list(simulate(1_500, settings))

    assert [(each.event_type, each.agency, each.expected, each.codes) for each in stored] == [
        (each.event_type, each.agency, each.expected, each.codes) for each in events
    ]
    assert [(each.key, each.value) for each in stored] == [(each.key, each.value) for each in events]


def test_another_file_is_no_container() -> None:
    """What is not written by the simulator is refused by name, without a word of its content."""
    with pytest.raises(BadInput, match=r"x\.avro.*container") as refusal:
        list(read(io.BytesIO(b"MARKED"), "x.avro"))
    assert "MARKED" not in str(refusal.value)


def test_each_event_gets_the_findings_that_it_expects() -> None:
    """Good events pass every check without so much as a flag; a spoiled one gets its one reason, and no other."""
    checkers = {name: Checker(each.checks, FolderLists()) for name, each in CATALOGUE.event_types.items()}
    for each in simulate(4_000, Settings(seed=11, people=PEOPLE, bad_share=0.3, times={"country": 20})):
        findings = checkers[each.event_type].run(each.event, NOW_MS)
        found = {
            severity: tuple(str(finding) for finding in findings if finding.severity is severity)
            for severity in Severity
        }
        assert found[Severity.REJECT] == tuple(code for code in each.codes if ":" in code), each.fault
        assert found[Severity.FLAG] == each.flags, each.fault


def test_every_kind_of_bad_record_at_its_share() -> None:
    """Every fault occurs; the whole has its share, and a fault can be given its own."""
    times = {"country": 5, "local-authority": 5}
    settings = Settings(seed=2, people=PEOPLE, bad_share=0.1, faults={"checksum": 0.05}, times=times)
    made = list(simulate(6_000, settings))
    kinds = Counter(each.fault for each in made if each.fault is not None)

    assert set(kinds) == set(FAULTS)
    assert kinds["checksum"] == pytest.approx(300, abs=40)
    assert sum(kinds.values()) - kinds["checksum"] == pytest.approx(0.1 * 6_000 * 21 / 22, rel=0.1)
    assert Counter(each.expected for each in made)["duplicate"] == pytest.approx(60, abs=20)
    assert {each.codes for each in made if each.fault == "used-id"} == {("event_id_reused",)}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_fields_are_found_in_an_event(name: str) -> None:
    """Each field is where fastavro reads it, and written anew it makes the same event."""
    kind = EVENT_TYPES.index(name)
    body = next(each.body for each in sound() if each.event_type == name)
    event = decode(kind, body)
    for path, value in fields_of(event):
        draft = Draft(kind, body)
        assert (draft.value(path) is None) == (value is None)
        draft.put(path, draft.field(path).written(value))
        assert draft.body == body


def fields_of(event: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of an event, also those within others, with its path."""
    for name, value in event.items():
        yield f"{path}{name}", value
        if isinstance(value, dict):
            yield from fields_of(value, f"{path}{name}.")


def test_a_field_that_nothing_holds() -> None:
    """Within what is null there is nothing to find, and nothing to replace."""
    kind = EVENT_TYPES.index("record-changed")
    draft = Draft(kind, next(each.body for each in sound() if each.event_type == "record-changed"))

    assert draft.value("message.routed_to") is None
    with pytest.raises(ValueError, match="nothing holds"):
        draft.put("message.routed_to", b"")


def test_no_bad_record_where_none_is_asked_for() -> None:
    """With a share of 0 everything is sound."""
    assert {(each.expected, each.fault) for each in sound()} == {("accepted", None)}


def test_a_repeat_is_the_same_record_later() -> None:
    """A duplicate has key and value of a record before it; a used id has its id and other bytes."""
    seen: dict[bytes, bytes] = {}
    settings = Settings(seed=7, people=PEOPLE, bad_share=0, duplicate_share=0.1, faults={"used-id": 0.1})
    for each in simulate(2_000, settings):
        event_id = each.body[:37]
        if each.expected == "duplicate":
            assert seen[event_id] == (each.key, each.value)
        elif each.fault == "used-id":
            assert seen[event_id] != (each.key, each.value)
        else:
            assert event_id not in seen
            seen[event_id] = (each.key, each.value)


def test_an_agency_publishes_only_what_it_owns() -> None:
    """Each event goes to the inbox of its type's owner, and every event type that is simulated comes."""
    for each in sound():
        assert CATALOGUE.event_types[each.event_type].owner == each.agency == each.event["source"]["agency"]
    assert {each.event_type for each in sound()} == set(EVENT_TYPES)


def test_they_come_in_the_order_of_time() -> None:
    """Events are received one after another, from the start on, each after it was recorded and happened before that."""
    received = [each.event["received_at"] for each in sound()]

    assert received == sorted(received)
    assert received == [each.received_ms for each in sound()]
    assert received[0] >= START_MS
    for each in sound():
        assert each.event["recorded_at"] < each.event["received_at"]


def test_nobody_is_meant() -> None:
    """NHS numbers begin with 999, pass their checksum and are no two people's; one in eleven has none; all events are
    synthetic."""
    counties = [populate(county, 3_000, 1, 2012, rates()) for county in (0, 7)]
    keys = [people.key(8 * number)[1].decode() for people in counties for number in range(3_000)]
    numbers = [key.removeprefix("nhs_number:") for key in keys if key.startswith("nhs_number:")]

    assert all(number.startswith("999") and valid("nhs_number", number) for number in numbers)
    assert len(set(keys)) == len(keys)
    assert 0.88 < len(numbers) / len(keys) < 0.94
    assert fictional_key(7, NHS_OF_COUNTY)[1] == b"simulated_person:S7000125000"
    assert {each.event["environment"] for each in sound()} == {"SYNTHETIC"}


def test_the_key_is_the_subject() -> None:
    """A sound event's Kafka key is scheme and value of its subject."""
    for each in sound():
        subject = each.event["subject"]
        assert each.key == f"{subject['scheme']}:{subject['value']}".encode()


def test_records_go_on_as_registers_do() -> None:
    """Versions of a record count up, each names the event that it supersedes, and a record keeps its subject."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    changes: Counter[str] = Counter()
    for each in sound():
        event, record = each.event, (each.event_type, each.event["record_id"])
        before = last.get(record)
        changes[event["change"]] += 1
        if before is not None:
            assert event["record_version"] == before["record_version"] + 1
            assert event["subject"] == before["subject"]
            assert event["change"] != "CREATED" or each.event_type in ("country", "local-authority")
            if each.event_type not in ("country", "local-authority"):
                assert event["supersedes"] == before["event_id"]
        last[record] = event

    assert set(changes) == {"CREATED", "CHANGED", "CORRECTED", "ANNULLED", "REINSTATED", "ENDED"}
    assert 0.02 < changes["CORRECTED"] / SOUND_EVENTS < 0.06
    assert 0.01 < changes["ANNULLED"] / SOUND_EVENTS < 0.04


def test_a_wrong_person_is_annulled_and_the_right_one_created() -> None:
    """Under the old key ANNULLED, under the new one CREATED, as another record that names the annulment."""
    events = {each.event["event_id"]: each for each in sound()}
    mended = [each for each in sound() if each.event["change"] == "CREATED" and each.event["supersedes"]]
    seen = 0
    for each in mended:
        annulment = events.get(each.event["supersedes"])
        if annulment is None:  # before the first event
            continue
        seen += 1
        assert annulment.event["change"] == "ANNULLED"
        assert {annulment.event["reason"], each.event["reason"]} == {"wrong_subject"}
        assert annulment.key != each.key
        assert annulment.event["record_id"] != each.event["record_id"]
    assert seen > 30


def test_corrections_put_something_right() -> None:
    """A correction differs from what it corrects, in its body."""
    events = {each.event["event_id"]: each.event for each in sound()}
    head = {"event_id", "change", "reason", "record_version", "supersedes", "recorded_at", "received_at"}
    corrections = [each.event for each in sound() if each.event["change"] == "CORRECTED"]
    pairs = [(events[each["supersedes"]], each) for each in corrections if each["supersedes"] in events]

    assert {each["reason"] for each in corrections} == {"formal_correction", "quality_assurance", "typographical"}
    different = [any(before[name] != after[name] for name in before if name not in head) for before, after in pairs]
    assert len(different) > 300
    assert sum(different) / len(different) > 0.95  # now and then the mistake is the truth


def days_of(*names: str) -> dict[bytes, list[tuple[int, int, int]]]:
    """When new facts of some types happened, by whom they are about; those told of the wrong person first are left
    out."""
    found = defaultdict(list)
    for each in sound():
        event = each.event
        if each.event_type in names and event["change"] == "CREATED" and event["reason"] is None:
            day = event["occurred_on"]
            found[each.key or b""].append((day["year"], day["month"], day["day"] or 31))
    return found


def test_one_dies_once_and_does_nothing_afterwards() -> None:
    """One person has one death; who has died neither moves nor marries later."""
    died = days_of("death-registered")
    happened = days_of("address-changed", "partnership-registered", "name-changed")
    later = [key for key, days in died.items() if any(each > days[0] for each in happened.get(key, ()))]

    assert len(died) > 300
    # Some were told of the wrong person, and are annulled afterwards.
    assert sum(len(days) > 1 for days in died.values()) <= 0.02 * len(died)
    assert len(later) <= 0.03 * len(died)


def test_deaths_come_with_age_and_births_in_years_of_fertility() -> None:
    """Half of those who die are above 75; mothers are from 15 to 49."""
    deaths = [each for each in of_type("death-registered") if each["change"] == "CREATED"]
    ages = sorted(each["occurred_on"]["year"] - each["deceased"]["date_of_birth"]["year"] for each in deaths)
    births = [each for each in of_type("birth-registered") if each["change"] == "CREATED"]
    mothers = [each["occurred_on"]["year"] - each["mother"]["date_of_birth"]["year"] for each in births]

    assert 76 <= ages[len(ages) // 2] <= 86
    assert all(14 <= age <= 50 for age in mothers)
    assert 28 <= sorted(mothers)[len(mothers) // 2] <= 33


def test_life_at_real_rates() -> None:
    """There are as many births, deaths and moves as the rates say."""
    created = Counter(each.event_type for each in sound() if each.event["change"] == "CREATED")
    years = (sound()[-1].received_ms - START_MS) / DAY_MS / 365.2425
    a_thousand = {name: count / years / SOUND.people * 1000 for name, count in created.items()}

    assert a_thousand["birth-registered"] == pytest.approx(10, rel=0.2)
    assert a_thousand["death-registered"] == pytest.approx(9.5, rel=0.2)
    assert a_thousand["address-changed"] == pytest.approx(105, rel=0.15)
    assert a_thousand["partnership-registered"] == pytest.approx(8.5, rel=0.3)


def test_twins_stillbirths_children_and_protected_people() -> None:
    """All of them are there, and as they must be: twins are two events of one life event."""
    births = [each for each in of_type("birth-notified") if each["change"] == "CREATED" and each["reason"] is None]
    twins = defaultdict(list)
    for each in births:
        assert (each["births_at_delivery"] == 2) == (each["life_event_id"] is not None)
        if each["life_event_id"]:
            twins[each["life_event_id"]].append(each["birth_order"])
    moves = [each for each in of_type("address-changed") if each["person"] is not None]
    ages = [each["occurred_on"]["year"] - each["person"]["date_of_birth"]["year"] for each in moves]

    assert len(twins) >= 3
    assert sum(sorted(orders) == [1, 2] for orders in twins.values()) >= len(twins) - 2
    only = frozenset({"birth-registered"})
    many = simulate(2_000, Settings(people=PEOPLE, bad_share=0, only=only))
    assert 2 <= sum(bool(each.event["stillbirth"]) for each in many) <= 20
    assert sum(age < 18 for age in ages) > 500
    assert {each.event["protection"] for each in sound()} == {"NONE", "LOCATION", "FULL"}
    assert {each["level"] for each in of_type("protection-changed")} >= {"NONE", "LOCATION", "FULL"}


def test_pairs_are_joined() -> None:
    """A partnership is two events of one life event, each about one of the two; a death ends one for the survivor."""
    joined = defaultdict(list)
    for each in of_type("partnership-registered"):
        if each["change"] == "CREATED" and each["reason"] is None:
            joined[each["life_event_id"]].append(each)
    whole = [pair for pair in joined.values() if len(pair) == 2]

    assert len(whole) > 0.9 * len(joined)
    for one, other in whole[:100]:
        assert one["person"] == other["partner"] or one["change"] != "CREATED" or one["person"] != other["person"]
    assert {each["ending"] for each in of_type("partnership-ended")} >= {"DIVORCE", "DEATH"}


def test_identities_are_superseded_merged_and_split() -> None:
    """Each kind comes; a superseded id is no subject of that person's later events."""
    identities = of_type("identity-changed")
    sizes = {
        each["identity_change"]: (len(each["former"]), len(each["current"])) for each in identities if each["current"]
    }

    assert sizes == {"SUPERSEDED": (1, 1), "MERGED": (2, 1), "SPLIT": (1, 2)}
    replaced = {each["current"][0]["value"] for each in identities if each["identity_change"] == "SUPERSEDED"}
    assert any(each.event["subject"]["value"] in replaced for each in sound() if each.event_type != "identity-changed")


def days_to_record(name: str) -> list[float]:
    """How many days after they happened new facts of a type were recorded, sorted."""
    found = []
    for each in of_type(name):
        on = each["occurred_on"]
        if each["change"] == "CREATED" and on["day"]:
            day_ms = datetime(on["year"], on["month"], on["day"], tzinfo=UTC).timestamp() * 1000
            found.append((each["recorded_at"] - day_ms) / DAY_MS)
    return sorted(found)


def test_some_are_recorded_late() -> None:
    """Half of all deaths are recorded within days, some only after months; births after their 42 days too."""
    deaths, births = days_to_record("death-registered"), days_to_record("birth-registered")
    assert 3 < deaths[len(deaths) // 2] < 7
    assert deaths[-1] > 100
    assert any(delay > 44 for delay in births)
    assert min(*deaths, *births) >= 0


def test_a_death_notified_becomes_formal_or_is_removed() -> None:
    """An informal notice is followed by a formal one of the same record; a wrong one is removed by an annulment."""
    statuses = defaultdict(list)
    for each in of_type("death-notified"):
        statuses[each["record_id"]].append((each["change"], each["status"]))
    ways = {tuple(each) for each in statuses.values()}

    assert (("CREATED", "INFORMAL"), ("CHANGED", "FORMAL")) in ways
    assert (("CREATED", "INFORMAL"), ("ANNULLED", "REMOVED")) in ways


def test_the_count_is_exact() -> None:
    """No event too many is made."""
    settings = Settings(people=2_000)

    assert [len(list(simulate(number, settings))) for number in (0, 1, 2, 17)] == [0, 1, 2, 17]


def test_only_some_event_types() -> None:
    """Where some event types are asked for, nothing else comes."""
    only = frozenset({"death-registered", "country"})
    made = list(simulate(500, Settings(people=PEOPLE, only=only)))

    assert {each.event_type for each in made} == only


@pytest.mark.parametrize(
    "wrong",
    [
        {"bad_share": 1.5},
        {"faults": {"checksum": 0.6}, "bad_share": 0.5},
        {"people": 10},
        {"only": frozenset({"no-such-type"})},
        {"times": {"wars": 1.0}},
        {"times": {"moves": -1.0}},
        {"faults": {"no-such-fault": 0.1}},
        {"start_ms": 0},
    ],
)
def test_settings_are_held_to_their_range(wrong: dict[str, Any]) -> None:
    """A share is between 0 and 1, a name is known, a country begins in an age that it can write."""
    with pytest.raises(ValueError, match=r"\w"):
        Settings(**wrong)
