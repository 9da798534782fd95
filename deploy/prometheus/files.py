"""The files that Prometheus reads, made from the tables: rules, and the configuration that names what is scraped."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.prometheus.alerts import STATE_ALERTS
from deploy.prometheus.rule import Alert
from deploy.prometheus.runbooks import BASE_URL, page_of
from deploy.prometheus.slos import burn_alerts, recordings
from tidings.deployment import slot_name

HOME = Path(__file__).resolve().parent
JOBS = ("exchange", "monitor", "processor")
HEALTH_PORT = 9400
"""Where workers and monitor serve in a container."""
COMPOSE_WORKERS = 2
_HEAD = "# Made by `make docs` from deploy/prometheus/{module}.py; not edited by hand.\n"


def rules_file(runbooks: str = BASE_URL) -> str:
    """`rules/tidings.yml`: `runbooks` is where operators read docs/runbooks, with a slash at its end."""
    groups = [
        {"name": "tidings-slo", "rules": [{"record": each.record, "expr": each.expr} for each in recordings()]},
        {"name": "tidings-slo-alerts", "rules": [_alert(each, runbooks) for each in burn_alerts()]},
        {"name": "tidings-alerts", "rules": [_alert(each, runbooks) for each in STATE_ALERTS]},
    ]
    return _HEAD.format(module="alerts") + _yaml({"groups": groups})


def config_file(targets: str = "targets", rules: str = "rules/*.yml", interval: str = "15s") -> str:
    """`prometheus.yml`: `targets` is the folder in which workers and monitor say where they are (`--targets`).

    Paths that are not absolute are relative to the file.
    """
    jobs = [{"job_name": job, "file_sd_configs": [_watched(f"{targets}/{job}-*.json")]} for job in JOBS]
    return _config(rules, interval, jobs)


def compose_config_file() -> str:
    """The same for deploy/compose, where every process has a name and a fixed port."""
    workers = [_named(f"exchange-{slot}", slot_name("main", slot)) for slot in range(COMPOSE_WORKERS)]
    jobs = [
        {"job_name": "exchange", "static_configs": workers},
        {"job_name": "monitor", "static_configs": [_named("monitor", "monitor-main")]},
    ]
    alertmanagers = [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]
    return _config("rules/*.yml", "15s", jobs, {"alerting": {"alertmanagers": alertmanagers}})


def _named(host: str, worker: str) -> dict[str, Any]:
    """One process, labelled as it would say itself (`tidings.kafka.announce`)."""
    return {"targets": [f"{host}:{HEALTH_PORT}"], "labels": {"worker": worker}}


def _config(rules: str, interval: str, jobs: list[dict[str, Any]], more: dict[str, Any] | None = None) -> str:
    content = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [rules],
        **(more or {}),
        "scrape_configs": jobs,
    }
    return _HEAD.format(module="files") + _yaml(content)


def files(runbooks: str = BASE_URL) -> dict[str, str]:
    """Every generated file by its path below deploy/prometheus."""
    return {
        "rules/tidings.yml": rules_file(runbooks),
        "prometheus.yml": config_file(),
        "../compose/prometheus.yml": compose_config_file(),
    }


def _watched(pattern: str) -> dict[str, Any]:
    # Changes are noticed at once; this is for file systems that do not tell.
    return {"files": [pattern], "refresh_interval": "30s"}


def _alert(alert: Alert, runbooks: str) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.hold,
        "labels": {"severity": alert.severity.value},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": runbooks + page_of(alert.name),
        },
    }


def _yaml(content: dict[str, Any]) -> str:
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(content, out)
    return out.getvalue()
