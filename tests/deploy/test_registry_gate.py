"""The registry's gate: who may do what, tried on the gate itself with a stand-in for the registry."""

from __future__ import annotations

import httpx
import pytest
from fastapi.testclient import TestClient

from deploy.local.registry_gate import API, Credentials, gate, is_own_subject

SUBJECTS = {
    "1": ["feed.dwp.benefits.v1.death-registered-value"],
    "2": ["inbox.gro.death-registered-value"],
    "3": ["exchange.decisions-value"],
}


def registry(request: httpx.Request) -> httpx.Response:
    """A registry that knows three ids and says yes to everything else."""
    path = request.url.path.removeprefix(API)
    if path.endswith("/subjects") and path.startswith("/schemas/ids/"):
        return httpx.Response(200, json=SUBJECTS.get(path.split("/")[3], []))
    return httpx.Response(200, json={"path": path, "authorization": request.headers.get("authorization")})


@pytest.fixture
def folder(tmp_path):
    """A credentials folder with an administrator and two agencies."""
    for name in ("admin", "registry", "dwp", "gro"):
        (tmp_path / f"{name}.password").write_text(f"{name}-secret\n")
    return tmp_path


@pytest.fixture
def client(folder):
    """A client of a gate before that registry."""
    with TestClient(gate("http://registry", Credentials(folder), httpx.MockTransport(registry))) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/subjects/feed.dwp.benefits.v1.death-registered-value/versions/latest",
        "/subjects/feed.dwp.benefits.v1.death-registered-value/versions",
        "/subjects/inbox.dwp.address-changed-value/versions/1",
        "/subjects/notices.dwp-value/versions/latest",
        "/schemas/ids/1",
        "/schemas/ids/1?subject=feed.dwp.benefits.v1.death-registered-value",
    ],
)
def test_agency_reads_its_own(client, path):
    """An agency reads the schemas of its feeds, inboxes and notices, and ids that belong to them."""
    answer = client.get(API + path, auth=("dwp", "dwp-secret"))

    assert answer.status_code == 200
    assert answer.json()["authorization"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/subjects"),
        ("GET", "/config"),
        ("GET", "/contexts"),
        ("GET", "/schemas"),
        ("GET", "/schemas/ids/2"),
        ("GET", "/schemas/ids/3"),
        ("GET", "/schemas/ids/99"),
        ("GET", "/schemas/ids/1/subjects"),
        ("GET", "/schemas/ids/1/versions"),
        ("GET", "/subjects/inbox.gro.death-registered-value/versions/latest"),
        ("GET", "/subjects/feed.dwp-other.x.v1.y-value/versions/latest"),
        ("GET", "/subjects/feed.dwp.x%2F..%2F..%2Fconfig/versions"),
        ("GET", "/subjects/feed.dwp.x/../../config"),
        ("GET", "/subjects/feed.dwp.x.v1.y-value/versions/latest?deleted=true"),
        ("POST", "/subjects/feed.dwp.x.v1.y-value/versions"),
        ("PUT", "/config"),
        ("PUT", "/config/feed.dwp.x.v1.y-value"),
        ("DELETE", "/subjects/feed.dwp.x.v1.y-value"),
        ("HEAD", "/subjects/feed.dwp.x.v1.y-value/versions/latest"),
    ],
)
def test_agency_is_refused_all_else(client, method, path):
    """Every other path, subject, id and method is 403 for an agency."""
    assert client.request(method, API + path, auth=("dwp", "dwp-secret")).status_code == 403


def test_associations_are_not_found(client):
    """Confluent's stock deserializer goes on to the topic's own subject after 404, and fails after 403."""
    answer = client.get(
        f"{API}/associations/resources/-/feed.dwp.x.v1.y?resourceType=topic", auth=("dwp", "dwp-secret")
    )

    assert answer.status_code == 404


@pytest.mark.parametrize("principal", ["admin", "registry"])
def test_administrator_may_write(client, principal):
    """The administrator and the registry's own principal may write."""
    assert client.put(f"{API}/config", json={}, auth=(principal, f"{principal}-secret")).status_code == 200


def test_nothing_outside_the_api_is_reachable(client):
    """Not even the administrator reaches the registry's other interfaces through the gate."""
    assert client.get("/apis/registry/v3/admin", auth=("admin", "admin-secret")).status_code == 403


@pytest.mark.parametrize(
    "auth", [None, ("dwp", "wrong"), ("dwp", ""), ("nobody", "x"), ("../credentials/dwp", "dwp-secret"), ("", "")]
)
def test_unknown_principal_is_refused(client, auth):
    """Without the right password of a known principal everything is 401."""
    assert client.get(f"{API}/schemas/ids/1", auth=auth).status_code == 401


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer x", "Basic " + "=" * 9, "Basic /////w=="])
def test_malformed_credentials_are_refused(client, header):
    """A header that is no basic credential is 401, never an error of ours."""
    assert client.get(f"{API}/schemas/ids/1", headers={"authorization": header}).status_code == 401


def test_changed_password_counts_at_once(client, folder):
    """A new password in the folder replaces the old one, and a removed file shuts the agency out."""
    path = f"{API}/schemas/ids/1"
    assert client.get(path, auth=("dwp", "dwp-secret")).status_code == 200

    (folder / "new").write_text("another")
    (folder / "new").replace(folder / "dwp.password")
    assert client.get(path, auth=("dwp", "dwp-secret")).status_code == 401
    assert client.get(path, auth=("dwp", "another")).status_code == 200

    (folder / "dwp.password").unlink()
    assert client.get(path, auth=("dwp", "another")).status_code == 401


@pytest.mark.parametrize("header", [b"Basic \xe9", b"Basic \xff\xff", b"basic"])
def test_credentials_that_are_no_ascii_are_refused(client, header):
    """Neither an error of ours nor a line in a log, to which anybody could write without a password."""
    assert client.get(f"{API}/schemas/ids/1", headers={"authorization": header}).status_code == 401


@pytest.mark.parametrize("path", ["%0aa", "%00", "a%3Fb", "a%23b", "a%7f"])
def test_a_subject_that_makes_no_address_is_refused(client, path):
    """What the client library does not take is no error of ours; for those who may pass, too."""
    url = f"{API}/subjects/feed.dwp.{path}/versions"
    for principal in ("dwp", "admin"):
        assert client.get(url, auth=(principal, f"{principal}-secret")).status_code in (200, 403, 404)


@pytest.mark.parametrize(
    ("principal", "subject", "own"),
    [
        ("processor-data-quality", "exchange.decisions-value", True),
        ("processor-data-quality", "scorecards.gro-value", True),
        ("processor-data-quality", "inbox.gro.death-registered-value", False),
        ("processor-data-quality", "exchange.decisions-value.more", False),
        ("processor-unknown", "exchange.decisions-value", False),
        ("processor-life-event-journey", "journeys.dwp-value", True),
        ("processor-life-event-journey", "exchange.decisions-value", False),
        ("dwp", "journeys.dwp-value", True),
        ("gro", "scorecards.gro-value", True),
        ("dwp", "scorecards.gro-value", False),
        ("gro", "exchange.decisions-value", False),
    ],
)
def test_a_processor_sees_what_it_declared_and_a_publisher_what_is_for_it(
    principal: str, subject: str, own: bool
) -> None:
    """And neither sees more."""
    assert is_own_subject(principal, subject) is own
