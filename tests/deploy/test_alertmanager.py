"""Who hears of an alert: the example configuration, asked with Alertmanager's own tool."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from deploy.prometheus.alerts import ALERTS
from deploy.prometheus.files import HOME
from deploy.prometheus.rule import Severity
from tests.needs import need_alertmanager

CONFIG = HOME / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    """What amtool prints; it must end well. Skips where there is none and none is required."""
    need_alertmanager()
    amtool = shutil.which("amtool") or "amtool"
    done = subprocess.run([amtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.prometheus
def test_alertmanager_takes_it() -> None:
    """The whole file."""
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.prometheus
@pytest.mark.parametrize(("severity", "receiver"), [(Severity.PAGE, "on-call"), (Severity.TICKET, "tickets")])
def test_each_severity_goes_where_it_should(severity: Severity, receiver: str) -> None:
    """`page` wakes somebody, `ticket` does not."""
    found = amtool("config", "routes", "test", f"--config.file={CONFIG}", f"severity={severity.value}")

    assert found == receiver


@pytest.mark.prometheus
def test_an_alert_without_a_severity_is_not_lost() -> None:
    """It goes where somebody reads it."""
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", "alertname=Other") == "tickets"


def test_only_alerts_that_exist_silence_others() -> None:
    """A misspelt name would silence nothing, or let a page drown what matters."""
    config = YAML(typ="safe").load(CONFIG.read_text("utf-8"))
    named = {
        name
        for rule in config["inhibit_rules"]
        for side in ("source_matchers", "target_matchers")
        for matcher in rule[side]
        for name in matcher.partition('"')[2].rstrip('"').split("|")
    }
    known = {alert.name for alert in ALERTS}

    assert named
    assert named - known == set()


def test_no_secret_is_in_it() -> None:
    """Each is a file beside it."""
    text = CONFIG.read_text("utf-8")

    assert "smtp_auth_password_file:" in text
    assert "credentials_file:" in text
    assert not [key for key in ("smtp_auth_password:", "credentials:", "bearer_token:") if key in text]
