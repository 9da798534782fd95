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
from tidings.deployment import CORRECTION_WINDOW, slot_name
from tidings.provisioning.processors import principal_of

HOME = Path(__file__).resolve().parent
JOBS = ("exchange", "monitor", "processor", CORRECTION_WINDOW)
OUTBOX_JOB = "outbox"
"""An agency's relays: where they say where they are, beside the exchange or on the agency's own machines."""
HEALTH_PORT = 9400
"""Where workers and monitor serve in a container."""
COMPOSE_WORKERS = 2
COMPOSE_PROCESSORS = ("data-quality", "life-event-journey", "risk-monitor")
"""The derived processors that deploy/compose runs; one of your own is a service beside them."""
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
    jobs = [{"job_name": job, "file_sd_configs": [_watched(f"{targets}/{job}-*.json")]} for job in (*JOBS, OUTBOX_JOB)]
    return _config(rules, interval, jobs)


def compose_config_file() -> str:
    """The same for deploy/compose, where every process has a name and a fixed port."""
    workers = [_named(f"exchange-{slot}", slot_name("main", slot)) for slot in range(COMPOSE_WORKERS)]
    jobs = [
        {"job_name": "exchange", "static_configs": workers},
        {"job_name": "monitor", "static_configs": [_named("monitor", "monitor-main")]},
        {
            "job_name": "processor",
            "static_configs": [_named(principal_of(each), f"{principal_of(each)}-main") for each in COMPOSE_PROCESSORS],
        },
        {
            "job_name": CORRECTION_WINDOW,
            "static_configs": [_named(CORRECTION_WINDOW, slot_name("main", 0, CORRECTION_WINDOW))],
        },
    ]
    alertmanagers = [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]
    return _config("rules/*.yml", "15s", jobs, {"alerting": {"alertmanagers": alertmanagers}})


def kubernetes_config_file() -> str:
    """The same for deploy/kubernetes: pods of the namespace `tidings` with a port `health`, by their labels."""
    pod = "__meta_kubernetes_pod_"
    name, part = f"{pod}label_app_kubernetes_io_name", f"{pod}label_app_kubernetes_io_component"
    slots = f"(exchange|{CORRECTION_WINDOW});(.+)"
    relabel = [
        {
            "source_labels": [f"{pod}label_app_kubernetes_io_part_of", f"{pod}container_port_name"],
            "regex": "tidings;health",
            "action": "keep",
        },
        {"source_labels": [part], "target_label": "job"},
        {"source_labels": [name], "regex": "(.+)", "target_label": "worker", "replacement": "$1-main"},
        {
            "source_labels": [name, f"{pod}label_apps_kubernetes_io_pod_index"],
            "regex": slots,
            "target_label": "worker",
            "replacement": "$1-main-$2",
        },
    ]
    found = {"role": "pod", "namespaces": {"names": ["tidings"]}}
    jobs = [{"job_name": "tidings", "kubernetes_sd_configs": [found], "relabel_configs": relabel}]
    return _config("rules/*.yml", "15s", jobs)


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
        "kubernetes.yml": kubernetes_config_file(),
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
