"""The three views as an application would write them: decode, pick, mask, encode. Shared by the Python peers.

It knows the three agreements by heart and nothing of Tidings; it neither checks nor filters, nor does it look for
repeats, and leaves no evidence. What it must have in common with the exchange is the outcome, so its ids are derived
alike: a uuid is one AES block, a text keyed BLAKE2b in base32. Logical types are left as texts and numbers, which is
quicker than making uuids and datetimes of them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import fastavro
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from benchmarks.task import Task, ViewTask

_POSTCODE = re.compile(r"([A-Z]{1,2})[0-9][0-9A-Z]? *[0-9][A-Z]{2}\Z")

Record = dict[str, Any]
Make = Callable[[Any], list[tuple[str, bytes, bytes]]]


def views_by_hand(task: Task) -> Make:
    """A function from an event's value to (feed, key, value) of each of its views."""
    read = fastavro.parse_schema(_plain(task.event_schema))
    views = [_View(view, task) for view in task.views]

    def make(value: bytes) -> list[tuple[str, bytes, bytes]]:
        event: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), read, None)
        scheme, value_of = event["subject"]["scheme"], event["subject"]["value"]
        named = _framed(scheme.encode(), (value_of if scheme == "nhs_number" else value_of.casefold()).encode())
        recorded = _framed(event["source"]["agency"].encode(), event["record_id"].encode())
        return [view.make(event, named, recorded) for view in views]

    return make


class _View:
    def __init__(self, view: ViewTask, task: Task) -> None:
        keys = {purpose: bytes.fromhex(key) for purpose, key in view.keys.items()}
        self._feed, self._body = view.feed, _BODIES[view.agreement]
        self._header = b"\0" + view.schema_id.to_bytes(4, "big")
        self._schema = fastavro.parse_schema(_plain(view.schema))
        self._subject_key, self._record_key = keys["pseudonym"], keys["record-id"]
        aes = Cipher(algorithms.AES(keys["event-id"]), modes.ECB())  # noqa: S305 -- one block: a permutation, no mode
        self._permute = aes.encryptor().update
        self._tag = f"v{task.key_version}."
        self._policy_version, self._sequence = task.policy_version, 0

    def make(self, event: Record, named: bytes, recorded: bytes) -> tuple[str, bytes, bytes]:
        self._sequence += 1
        subject = self._derived(self._subject_key, named)
        superseded = event["supersedes"]
        view = {
            "sequence": self._sequence,
            "kind": "LIVE",
            "policy_version": self._policy_version,
            "event_id": self._uuid(event["event_id"]),
            "change": event["change"],
            "record_id": self._derived(self._record_key, recorded),
            "record_version": event["record_version"],
            "supersedes": superseded and self._uuid(superseded),
            **self._body(event, subject),
        }
        out = io.BytesIO()
        out.write(self._header)
        fastavro.schemaless_writer(out, self._schema, view)
        return self._feed, subject.encode(), out.getvalue()

    def _derived(self, key: bytes, message: bytes) -> str:
        digest = hashlib.blake2b(message, digest_size=20, key=key).digest()
        return self._tag + base64.b32encode(digest).decode().lower()

    def _uuid(self, text: str) -> str:
        made = self._permute(bytes.fromhex(text.replace("-", ""))).hex()
        return f"{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{made[20:]}"


def _framed(name: bytes, value: bytes) -> bytes:
    return len(name).to_bytes(4, "big") + name + value


def _bereavement(event: Record, subject: str) -> Record:
    deceased, home = event["deceased"], event["usual_residence"]
    birth = deceased["date_of_birth"]
    return {
        "recorded_at": event["recorded_at"],
        "occurred_on": event["occurred_on"],
        "subject": subject,
        "deceased": {"names": deceased["names"], "date_of_birth": birth and birth["year"]},
        "usual_residence": home and {"postcode": home["postcode"]},
    }


def _driving(event: Record, subject: str) -> Record:
    del subject
    deceased, home = event["deceased"], event["usual_residence"]
    return {
        "recorded_at": event["recorded_at"],
        "occurred_on": event["occurred_on"],
        "deceased": {"names": deceased["names"], "date_of_birth": deceased["date_of_birth"]},
        "usual_residence": home and {"postcode": _first_three(home["postcode"])},
    }


def _mortality(event: Record, subject: str) -> Record:
    deceased, home, on = event["deceased"], event["usual_residence"], event["occurred_on"]
    birth, recorded_at = deceased["date_of_birth"], event["recorded_at"]
    return {
        "recorded_at": recorded_at and datetime.fromtimestamp(recorded_at / 1000, UTC).strftime("%Y-%m"),
        "occurred_on": on and f"{on['year']:04d}-{on['month']:02d}",
        "subject": subject,
        "deceased": {"sex": deceased["sex"], "date_of_birth": birth and birth["year"] // 10 * 10},
        "usual_residence": home and {"postcode": _area(home["postcode"])},
        "cause_of_death": event["cause_of_death"],
        "registration_district": event["registration_district"],
    }


def _first_three(text: str) -> str:
    return text[:3] + "*" * (len(text) - 3) if len(text) > 5 else "*" * len(text)


def _area(postcode: str) -> str | None:
    found = _POSTCODE.match(postcode)
    return found and found.group(1)


_BODIES = {
    "bereavement-benefits": _bereavement,
    "driving-licence-closure": _driving,
    "mortality-statistics": _mortality,
}


def _plain(schema: Any) -> Any:
    """The schema without its logical types."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if isinstance(schema, dict):
        return {name: _plain(each) for name, each in schema.items() if name != "logicalType"}
    return schema
