"""The door of the registry: TLS, a password for each principal, and only what that principal may see.

The registry's own API is open to whoever reaches it, so it listens on loopback, behind this proxy. `admin` and
`registry` may do everything. An agency may read the subjects of its own feeds, inboxes and notices, and the schema ids
that belong to one of them; all else is 403. Whoever is not known is 401. Nothing of a request is logged.

Run as `python -m deploy.local.registry_gate SETTINGS.json`.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import httpx
from fastapi import FastAPI, Request, Response

from deploy.local.ports import HOST
from stream_processors.host.declaration import FEED, PUBLISHER, SUBSCRIBER
from stream_processors.host.discover import load_processor, processor_names
from tidings.provisioning.processors import PRINCIPAL_PREFIX, is_processor
from tidings.topics import is_id

API = "/apis/ccompat/v7"
_WRITERS = frozenset({"admin", "registry"})
_SUBJECT = re.compile(r"/subjects/([^/]+)(?:/versions(?:/(?:[0-9]+|latest)(?:/schema)?)?)?\Z")
_SCHEMA_ID = re.compile(r"/schemas/ids/([0-9]+)(?:/(?:schema|subjects|versions))?\Z")
_OPEN = frozenset({"/schemas/types"})
_PASSED_ON = ("accept", "content-type")
_TIMEOUT_SECONDS = 30.0
_BODY_MAX_BYTES = 5 * 1024 * 1024


class Credentials:
    """The `<principal>.password` files of a folder, read again when they change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache: dict[str, tuple[tuple[int, int], bytes]] = {}

    def principal_of(self, authorization: str | None) -> str | None:
        """Who sent this Authorization header (RFC 7617), or None where nobody did whom we know."""
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, given = base64.b64decode(encoded, validate=True).partition(b":")
            principal = name.decode("ascii")
        except ValueError:  # not base64, not ASCII inside or outside
            return None
        # One comparison in every case, so that time does not tell a wrong name from a wrong password.
        kept = self._password(principal) if is_id(principal) else None
        same = secrets.compare_digest(given, kept if kept is not None else secrets.token_bytes(32))
        return principal if same and kept else None

    def _password(self, principal: str) -> bytes | None:
        path = self._folder / f"{principal}.password"
        try:
            found = path.stat()
            version = (found.st_mtime_ns, found.st_ino)
            cached = self._cache.get(principal)
            if cached is None or cached[0] != version:
                cached = (version, path.read_bytes().strip())
                self._cache[principal] = cached
        except OSError:
            self._cache.pop(principal, None)
            return None
        return cached[1]


def is_own_subject(agency: str, subject: str) -> bool:
    """Whether `subject` describes a feed, an inbox, the notices of `agency` or what a processor
    writes for it, or what `agency`, where it is a processor, declared (TopicNameStrategy)."""
    if is_processor(agency):
        return is_declared(agency, subject)
    return subject.startswith((f"feed.{agency}.", f"inbox.{agency}.")) or subject in (
        f"notices.{agency}-value",
        f"notices.{agency}-key",
        *_written_for(agency),
    )


_PLACES = re.compile("|".join(re.escape(re.escape(place)) for place in (PUBLISHER, SUBSCRIBER)))


@cache
def _written_for(agency: str) -> tuple[str, ...]:
    """The subjects of what processors write for a publisher or a subscriber."""
    written = (each.topic for name in processor_names() for each in load_processor(name).writes)
    filled = ((topic, topic.replace(PUBLISHER, agency).replace(SUBSCRIBER, agency)) for topic in written)
    return tuple(own + "-value" for topic, own in filled if own != topic)


@cache
def _declared(principal: str) -> re.Pattern[str] | None:
    """What a processor's principal may read the schemas of; None where there is no such processor."""
    name = principal.removeprefix(PRINCIPAL_PREFIX)
    if name not in processor_names():
        return None
    processor = load_processor(name)
    topics = [*(each.topic for each in processor.reads), *(each.topic for each in processor.writes)]
    patterns = [
        r"feed\.[a-z0-9.-]+" if topic == FEED else _PLACES.sub("[a-z0-9-]+", re.escape(topic)) for topic in topics
    ]
    return re.compile(rf"(?:{'|'.join(patterns)})-value\Z")


def is_declared(principal: str, subject: str) -> bool:
    """Whether a processor declared the topic that `subject` describes."""
    declared = _declared(principal)
    return declared is not None and declared.match(subject) is not None


def gate(registry_url: str, credentials: Credentials, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The proxy in front of `registry_url`. `transport` stands in for the registry in tests."""
    client = httpx.AsyncClient(base_url=registry_url, timeout=_TIMEOUT_SECONDS, trust_env=False, transport=transport)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)

    async def subjects_of(schema_id: str) -> list[str]:
        answer = await client.get(f"{API}/schemas/ids/{schema_id}/subjects")
        found = answer.json() if answer.status_code == httpx.codes.OK else []
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

    async def may_read(agency: str, path: str, query: str) -> bool:
        if query:
            return False
        if path in _OPEN:
            return True
        subject = _SUBJECT.match(path)
        if subject:
            return is_own_subject(agency, subject[1])
        schema_id = _SCHEMA_ID.match(path)
        if schema_id and not path.endswith(("/subjects", "/versions")):  # which would name other agencies' subjects
            return any(is_own_subject(agency, each) for each in await subjects_of(schema_id[1]))
        return False

    app.add_api_route(
        "/{path:path}", _handler(client, credentials, may_read), methods=["GET", "POST", "PUT", "DELETE", "HEAD"]
    )
    return app


def _handler(
    client: httpx.AsyncClient, credentials: Credentials, may_read: Callable[[str, str, str], Awaitable[bool]]
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        principal = credentials.principal_of(request.headers.get("authorization"))
        if principal is None:
            return _refusal(401, "credentials needed", {"www-authenticate": 'Basic realm="registry"'})
        raw = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
        path, query = unquote(raw), request.url.query
        if (
            "//" in path
            or "/.." in path
            or "/." in path
            or "\\" in path
            or "%" in path
            or not path.startswith(f"{API}/")
        ):
            return _refusal(403, "no such thing here")
        if path.startswith(f"{API}/associations/"):
            # Confluent's deserializers ask here first, and take TopicNameStrategy only where the answer is 404.
            return _refusal(404, "no associations here")
        if principal not in _WRITERS:
            harmless = _without_defaults(query)
            if request.method != "GET" or not await may_read(principal, path.removeprefix(API), harmless):
                return _refusal(403, "not yours to see")
        body = await _body(request)
        if body is None:
            return _refusal(413, "too large")
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        try:
            answer = await client.request(
                request.method, httpx.URL(path=path, query=query.encode()), content=body, headers=headers
            )
        except httpx.InvalidURL:  # a control character, or a ? or # that was escaped
            return _refusal(403, "no such thing here")
        except httpx.HTTPError:
            return _refusal(503, "the registry does not answer")
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.content, answer.status_code, media_type=kind)

    return handle


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_MAX_BYTES:
            return None
    return bytes(body)


def _without_defaults(query: str) -> str:
    """A query without the parts that stock deserializers send and that widen nothing."""
    harmless = re.compile(r"(?:deleted=false|fetchMaxId=false|normalize=false|subject=[^&]*|format=)\Z", re.IGNORECASE)
    return "&".join(part for part in query.split("&") if part and not harmless.match(part))


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(
        json.dumps({"error_code": status, "message": message}), status, headers, media_type="application/json"
    )


def main(settings_file: Path) -> None:
    """Serve until told to stop. The settings name port, certificate, credentials folder and the registry, and as `host`
    where to listen: loopback unless it is given."""
    import uvicorn

    settings = json.loads(settings_file.read_bytes())
    uvicorn.run(
        gate(settings["registry_url"], Credentials(Path(settings["credentials_dir"]))),
        host=settings.get("host", HOST),
        port=settings["port"],
        ssl_certfile=settings["certificate"],
        ssl_keyfile=settings["certificate"],
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
