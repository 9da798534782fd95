"""deploy/compose: what the specification says of it, who is told which secret, and that brokers start from it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from deploy.compose.folder import BROKERS, DERIVED, GATE, PRINCIPALS, Layout, make_folder
from deploy.local.java import environment, java_binary, kafka_jars
from deploy.local.ports import choose
from deploy.local.processes import Process, check_alive, spawn
from deploy.prometheus.files import COMPOSE_PROCESSORS, HEALTH_PORT
from deploy.settings import broker_settings
from stream_processors.host.discover import processor_names
from tests.commands.kit import tidings
from tests.deploy.command_lines import unknown
from tests.stacks import kill
from tidings.clock import StillClock, SystemClock
from tidings.errors import Fatal, Retriable

HOME = Path(__file__).resolve().parents[2] / "deploy" / "compose"
SPECIFICATION = Path(__file__).with_name("schemas") / "compose-spec.json"
# A test has no use for the second compiler, and half the processor time is its.
QUICK = ("-XX:TieredStopAtLevel=1",)


@cache
def composed() -> dict[str, Any]:
    """The file as YAML reads it, its merges done."""
    return dict(YAML(typ="safe").load((HOME / "compose.yaml").read_text("utf-8")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command makes."""
    made = tmp_path_factory.mktemp("compose") / "home"
    said = tidings("deploy", "compose", made)
    assert said.code == 0, said.err
    assert said.out == f"TIDINGS_HOME={made}\nTIDINGS_USER={os.getuid()}:{os.getgid()}\n"
    return made


def settings_of(path: Path) -> dict[str, str]:
    """A properties file of ours."""
    return dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())


def test_it_is_a_compose_file() -> None:
    """By the specification's own schema."""
    schema = json.loads(SPECIFICATION.read_bytes())
    errors = Draft7Validator(schema).iter_errors(composed())

    assert [f"{each.json_path}: {each.message}" for each in errors] == []


def test_the_schema_refuses_what_is_none() -> None:
    """The guard itself is tried."""
    schema = json.loads(SPECIFICATION.read_bytes())
    wrong = composed() | {"services": {"kafka-1": {"imagine": "apache/kafka"}}}

    assert list(Draft7Validator(schema).iter_errors(wrong))


def test_docker_compose_takes_it(folder: Path) -> None:
    """Where Docker Compose is: its own parser, with the folder's variables."""
    found = shutil.which("docker-compose")
    if found is None:
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        [found, "-f", str(HOME / "compose.yaml"), "--profile", "operate", "--profile", "alerts", "config", "-q"],
        env={**os.environ, "TIDINGS_HOME": str(folder), "TIDINGS_USER": "1000:1000"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_part_is_closed() -> None:
    """Nobody is root, nothing is written outside of what is mounted, and every image has a fixed tag and no host."""
    for name, service in composed()["services"].items():
        image, _, tag = service["image"].partition(":")
        assert service["user"].startswith("${TIDINGS_USER:?"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert tag not in ("", "latest"), name
        assert "." not in image.split("/")[0], name


def test_every_part_can_be_asked_how_it_is() -> None:
    """Brokers, gate, workers and what watches have a health check; what only runs once, or is the registry (asked by
    its gate) or keeps access (asked by nobody), has none."""
    services = composed()["services"]
    ours = {name for name, each in services.items() if each["image"].startswith("tidings:")}
    asked = {name for name, each in services.items() if "test" in each.get("healthcheck", {})}
    silent = {name for name, each in services.items() if each.get("healthcheck", {}).get("disable")}

    assert set(services) - asked - silent - ours == {"registry"}
    assert silent == {"operator", "policy", "prepare-brokers", "prepare-registry"}
    # The image's own check asks this port.
    for name in ours - asked - silent:
        command = services[name]["command"]
        assert command[command.index("--health-port") + 1] == "9400", name


def test_nothing_is_reached_from_outside_unless_it_is_said() -> None:
    """Ports are on loopback, but for brokers and gate where TIDINGS_ADDRESS names another."""
    ports = {name: each.get("ports", []) for name, each in composed()["services"].items()}
    open_ = {
        name for name, each in ports.items() if any(port.startswith("${TIDINGS_ADDRESS:-127.0.0.1}:") for port in each)
    }

    assert open_ == {"kafka-1", "kafka-2", "kafka-3", "registry-gate"}
    assert all(port.startswith("127.0.0.1:") for name, each in ports.items() if name not in open_ for port in each)


def test_the_registry_is_alone_with_its_gate_and_the_brokers() -> None:
    """Its own API is open to whoever reaches it."""
    on_it = {name for name, each in composed()["services"].items() if "registry" in each["networks"]}

    assert on_it == {"registry", "registry-gate", "kafka-1", "kafka-2", "kafka-3"}
    assert composed()["networks"]["registry"] == {"internal": True}


@pytest.mark.parametrize(
    ("service", "secrets"),
    [
        ("exchange-0", {"exchange-password", "root-key"}),
        ("monitor", {"monitor-password"}),
        ("correction-window", {"correction-window-password"}),
        *((f"processor-{each}", {f"processor-{each}-password"}) for each in COMPOSE_PROCESSORS),
        ("policy", {"admin-password"}),
        ("registry", {"registry-settings"}),
        ("registry-gate", {"gate-settings", "gate-key"}),
        ("grafana", {"grafana-password"}),
        ("prometheus", set()),
    ],
)
def test_each_part_is_told_its_own_secrets_alone(service: str, secrets: set[str]) -> None:
    """A worker knows no agency's password, and only workers know the root key."""
    assert {each["source"] for each in composed()["services"][service].get("secrets", [])} == secrets


def test_the_derived_processors_run() -> None:
    """A service each, with tables of its own that outlive it, and none for what is no processor."""
    services = composed()["services"]
    named = {name.removeprefix("processor-") for name in services if name.startswith("processor-")}

    assert named == set(COMPOSE_PROCESSORS) <= set(processor_names())
    for name in named:
        service = services[f"processor-{name}"]
        command, kept = service["command"], {each["target"]: each for each in service["volumes"]}
        assert command[:2] == ["run", name]
        data = kept[command[command.index("--data") + 1]]
        assert data["source"] == f"${{TIDINGS_HOME}}/processors/{name}"
        assert not data.get("read_only")


def test_every_command_is_one_that_there_is() -> None:
    """Verbs and options of every service of ours, by the command line itself."""
    ours = {name: each for name, each in composed()["services"].items() if each["image"].startswith("tidings:")}

    assert {name: wrong for name, each in ours.items() if (wrong := unknown(each.get("command", [])))} == {}


def test_prometheus_asks_every_part_that_serves_metrics() -> None:
    """Whoever has a health port is scraped there, over a network that both are on, and nobody else."""
    services = composed()["services"]
    config = YAML(typ="safe").load((HOME / "prometheus.yml").read_text("utf-8"))
    asked = {
        target
        for job in config["scrape_configs"]
        for entry in job["static_configs"]
        for target in entry["targets"]
    }  # fmt: skip
    serving = {name for name, each in services.items() if "--health-port" in each.get("command", [])}

    assert asked == {f"{name}:{HEALTH_PORT}" for name in serving}
    assert all("observed" in services[name]["networks"] for name in serving)


def test_whatever_is_mounted_is_made(folder: Path) -> None:
    """Each secret and each mount of the folder stands in it, but for what the alerts' addressees give."""
    wanted = {each["file"] for each in composed()["secrets"].values()}
    wanted |= {mount["source"] for each in composed()["services"].values() for mount in each.get("volumes", [])}
    for source in wanted:
        if "/alertmanager/" in source and not source.endswith("/data"):
            continue
        named = source.replace("${TIDINGS_HOME}", str(folder)).replace(
            "${TIDINGS_COUNTRY:-../../agreements}", "../../agreements"
        )
        assert (HOME / named).exists(), source


def test_nobody_else_may_look_into_the_folder(folder: Path) -> None:
    """0600 and 0700, and no two passwords are the same."""
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    passwords = [path.read_text() for path in folder.rglob("*.password")]

    assert len(passwords) == len(set(passwords)) == 1 + len(PRINCIPALS) + len(DERIVED)
    assert min(map(len, passwords)) > 30


def test_a_second_call_changes_nothing(folder: Path) -> None:
    """What was given out stays valid; another environment is refused."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    make_folder(folder, "SYNTHETIC", SystemClock())

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    with pytest.raises(Fatal, match="was made for SYNTHETIC"):
        make_folder(folder, "LIVE", SystemClock())


def test_no_secret_stands_where_a_process_list_shows_it(folder: Path) -> None:
    """Neither in the file nor in a command: only in argument files, settings and secrets."""
    text = (HOME / "compose.yaml").read_text("utf-8")
    secrets = [path.read_text().strip() for path in [*folder.rglob("*.password"), folder / "keys" / "root.key"]]

    assert not [secret for secret in secrets if secret in text]
    assert "PASSWORD:" not in text.replace("PASSWORD__FILE:", "")


@pytest.mark.parametrize("broker", [each.host for each in BROKERS])
def test_its_brokers_have_the_settings_of_the_table(folder: Path, broker: str) -> None:
    """To the letter, for three brokers; and they advertise the name by which others find them."""
    settings = settings_of(folder / "brokers" / broker / "server.properties")

    assert {name: settings[name] for name in broker_settings(3)} == {k: str(v) for k, v in broker_settings(3).items()}
    assert settings["advertised.listeners"].startswith(f"CLIENT://{broker}:909")
    assert settings["listeners"].startswith("CLIENT://:909")
    assert settings["log.dirs"] == "/var/lib/kafka/data"


def test_certificates_name_who_is_asked_for(folder: Path) -> None:
    """The brokers and the gate, by the names of their services."""
    from cryptography import x509

    for file, names in (("broker.pem", {each.host for each in BROKERS}), ("gate.pem", {GATE})):
        certificate = x509.load_pem_x509_certificate((folder / "tls" / file).read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names <= set(found.get_values_for_type(x509.DNSName))


@pytest.fixture
def broker_of_the_folder(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """One broker, formatted and started from the argument files as its container would; the folder and its port."""
    client, controller = choose([None, None])
    node = replace(BROKERS[0], client_port=client, controller_port=controller, host="localhost")
    jars, mounted = tmp_path / "libs", tmp_path / "run"
    jars.mkdir()
    for jar in kafka_jars():
        (jars / jar.name).symlink_to(jar)
    layout = Layout(mounted, tmp_path / "data", f"{jars}/*")
    folder = make_folder(
        tmp_path / "home", "SYNTHETIC", StillClock(SystemClock().now_ms()), brokers=[node], layout=layout
    )
    shutil.copytree(folder / "brokers" / "localhost", mounted)
    for name in ("ca.pem", "broker.pem"):
        shutil.copy(folder / "tls" / name, mounted)
    formatted = subprocess.run(
        [java_binary(), *QUICK, f"@{mounted / 'format.args'}"],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert formatted.returncode == 0, formatted.stderr
    process = spawn(
        "broker", [java_binary(), *QUICK, f"@{mounted / 'start.args'}"],
        tmp_path / "log", cwd=tmp_path, env=environment(),
    )  # fmt: skip
    try:
        yield folder, _served(process, client)
    finally:
        kill([process])


def _served(process: Process, port: int) -> int:
    import socket

    for _ in range(1_500):
        check_alive(process)
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port
        SystemClock().sleep(0.1)
    raise Retriable("the broker does not listen")


@pytest.mark.broker
def test_a_broker_starts_from_its_argument_files(broker_of_the_folder: tuple[Path, int]) -> None:
    """As in its container: formatted, started, reached over TLS as the admin; then the first principals."""
    from tidings.kafka.admin import Admin
    from tidings.kafka.cluster import Cluster

    folder, port = broker_of_the_folder
    content = json.loads((folder / "cluster.json").read_bytes())
    assert content["bootstrap_servers"] == f"localhost:{port}"
    # On the host, files stand where the containers' mounts have their sources.
    content |= {"ca_file": "tls/ca.pem", "keys_file": "keys/root.key"}
    (folder / "cluster.json").write_text(json.dumps(content))
    said = tidings("deploy", "brokers", "--cluster", folder / "cluster.json")

    assert said.code == 0, said.err
    assert tidings("deploy", "brokers", "--cluster", folder / "cluster.json").code == 0
    admin = Admin(Cluster.load(folder / "cluster.json"))
    assert admin.principals() == {"admin", "exchange", "monitor", "registry"}
    assert {each.principal for each in admin.acls()} == {"registry"}
    assert "all its replicas" in tidings("deploy", "in-sync", "--cluster", folder / "cluster.json").out
