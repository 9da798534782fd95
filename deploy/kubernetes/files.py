"""What of deploy/kubernetes is written from the code: the brokers' settings, and what Prometheus scrapes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.kubernetes.manifests import API, BROKERS, CLUSTER
from deploy.settings import AUTHORIZER, SUPER_USER, broker_settings

HOME = Path(__file__).resolve().parent
HELD_ELSEWHERE = ("authorizer.class.name", "super.users")
"""What Strimzi refuses among `config` and takes from `authorization`. Source: its `KafkaClusterSpec`."""
_HEAD = "# Made by `make docs` from deploy/kubernetes/files.py; not edited by hand.\n"


def settings_patch() -> dict[str, Any]:
    """The table of `deploy.settings` as a patch of the Kafka resource.

    `supportsAdminApi: false` keeps the User Operator from access rules: `tidings apply` and `run policy` hold them.
    """
    config = {name: value for name, value in broker_settings(BROKERS).items() if name not in HELD_ELSEWHERE}
    authorization = {
        "type": "custom",
        "authorizerClass": AUTHORIZER,
        "supportsAdminApi": False,
        "superUsers": [SUPER_USER],
    }
    return {
        "apiVersion": API,
        "kind": "Kafka",
        "metadata": {"name": CLUSTER},
        "spec": {"kafka": {"authorization": authorization, "config": config}},
    }


def files() -> dict[str, str]:
    """Every generated file by its path below deploy/kubernetes."""
    return {"base/kafka-settings.yaml": _HEAD + _yaml(settings_patch())}


def _yaml(content: dict[str, Any]) -> str:
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(content, out)
    return out.getvalue()
