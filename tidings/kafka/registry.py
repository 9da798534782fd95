"""A small client of a schema registry that speaks Confluent's API, through TLS and a principal's own credentials.

Source: Confluent Schema Registry API reference, v7; Apicurio Registry 3.3 serves it under `/apis/ccompat/v7`.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from tidings.closing import Closing
from tidings.errors import Fatal, Retriable
from tidings.kafka.cluster import Cluster

API_PATH = "/apis/ccompat/v7"
FULL_TRANSITIVE = "FULL_TRANSITIVE"
_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
_NOT_FOUND, _CONFLICT, _INVALID = 404, 409, 422

Schema = dict[str, Any]


def registry_api(cluster: Cluster) -> str:
    """The address that a stock Confluent client is given. Raises Fatal where the cluster has no registry."""
    if not cluster.registry_url:
        raise Fatal("this cluster has no registry: its file names no registry_url")
    base = cluster.registry_url.rstrip("/")
    return base if base.endswith(API_PATH) else base + API_PATH


class Registry(Closing):
    """The registry of `cluster`, as `principal`. From any thread; close it, or use `with`.

    Every call may raise Retriable (no answer, or an answer that says so) and Fatal (refused); the text holds the
    subject and the status, nothing of a schema.
    """

    def __init__(self, cluster: Cluster, principal: str = "admin", *, timeout_seconds: float = 15.0) -> None:
        self._http = httpx.Client(
            base_url=registry_api(cluster),
            auth=(principal, cluster.password(principal)),
            verify=ssl.create_default_context(cafile=str(cluster.ca_file)),
            timeout=timeout_seconds,
            headers={"Content-Type": _CONTENT_TYPE},
            trust_env=False,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def subjects(self) -> tuple[str, ...]:
        """Every subject that the principal may see."""
        return tuple(self._ask("GET", "/subjects").json())

    def lookup(self, subject: str, schema: Schema) -> int | None:
        """The id of exactly this schema under `subject`, or None where it is not registered there."""
        answer = self._ask("POST", f"/subjects/{quote(subject)}", {"schema": json.dumps(schema)}, (_NOT_FOUND,))
        return None if answer.status_code == _NOT_FOUND else int(answer.json()["id"])

    def register(self, subject: str, schema: Schema) -> int:
        """The id of `schema`, registered under `subject` as its newest version unless it is there.

        Raises Fatal where the registry finds it incompatible with a version before.
        """
        path = f"/subjects/{quote(subject)}/versions"
        answer = self._ask("POST", path, {"schema": json.dumps(schema)}, (_CONFLICT, _INVALID))
        if answer.status_code == _CONFLICT:
            raise Fatal(f"{subject}: incompatible with a registered version (FULL_TRANSITIVE); make a new version")
        if answer.status_code == _INVALID:
            raise Fatal(f"{subject}: the registry does not take this schema")
        return int(answer.json()["id"])

    def versions(self, subject: str) -> tuple[Schema, ...]:
        """The registered versions of `subject`, oldest first; empty where there are none."""
        answer = self._ask("GET", f"/subjects/{quote(subject)}/versions", but=(_NOT_FOUND,))
        if answer.status_code == _NOT_FOUND:
            return ()
        numbers: Sequence[int] = sorted(answer.json())
        paths = (f"/subjects/{quote(subject)}/versions/{number}" for number in numbers)
        return tuple(json.loads(self._ask("GET", path).json()["schema"]) for path in paths)

    def schema(self, schema_id: int) -> Schema:
        """The schema of an id. Raises Fatal where there is none, or it is another agency's."""
        found: Schema = json.loads(self._ask("GET", f"/schemas/ids/{schema_id}").json()["schema"])
        return found

    def compatibility(self) -> str:
        """The level that a new version is held to where its subject has none of its own."""
        return str(self._ask("GET", "/config").json()["compatibilityLevel"])

    def set_compatibility(self, level: str = FULL_TRANSITIVE, subject: str | None = None) -> None:
        """The level that every new version is held to; with `subject`, of that one alone."""
        path = "/config" if subject is None else f"/config/{quote(subject)}"
        self._ask("PUT", path, {"compatibility": level})

    def is_compatible(self, subject: str, schema: Schema) -> bool:
        """Whether `schema` could be registered beside all versions of `subject`; true where there are none."""
        path = f"/compatibility/subjects/{quote(subject)}/versions"
        answer = self._ask("POST", path, {"schema": json.dumps(schema)}, (_NOT_FOUND,))
        return answer.status_code == _NOT_FOUND or bool(answer.json()["is_compatible"])

    def _ask(self, method: str, path: str, body: object = None, but: tuple[int, ...] = ()) -> httpx.Response:
        """One call. A status in `but` is an answer, not an error."""
        try:
            answer = self._http.request(method, path, content=None if body is None else json.dumps(body))
        except httpx.HTTPError as error:
            raise Retriable(f"the registry does not answer: {type(error).__name__}") from None
        if answer.is_success or answer.status_code in but:
            return answer
        text = f"the registry answers {answer.status_code} to {method} {path}"
        if answer.status_code in (408, 429) or answer.is_server_error:
            raise Retriable(text)
        raise Fatal(text)
