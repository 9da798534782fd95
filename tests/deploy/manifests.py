"""Kubernetes manifests as tests read them: every document, and what the definitions say of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

KUBERNETES_VERSION = "1.34"
SCHEMAS = Path(__file__).with_name("schemas")
_KUSTOMIZE = "kustomize.config.k8s.io"


def documents(path: Path) -> list[dict[str, Any]]:
    """Every document of a file."""
    return [each for each in YAML(typ="safe").load_all(path.read_text("utf-8")) if each]


def below(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every document below a folder with its file, Kustomize's own left out."""
    for path in sorted(folder.rglob("*.yaml")):
        for each in documents(path):
            if not each["apiVersion"].startswith(_KUSTOMIZE):
                yield path, each


def problems(document: dict[str, Any]) -> list[str]:
    """What Kubernetes, or whoever defined the kind, has against a document."""
    schema = _definitions().get(f"{document['apiVersion']}/{document['kind']}")
    if schema is not None:
        validator = Draft202012Validator(schema)
        return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(document["spec"])]
    try:
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


def kustomized(folder: Path) -> list[dict[str, Any]] | None:
    """What Kustomize makes of a folder; None where it is not installed."""
    found = shutil.which("kustomize")
    if found is None:
        return None
    done = subprocess.run([found, "build", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in YAML(typ="safe").load_all(done.stdout) if each]


@cache
def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("strimzi.json", "keda.json"):
        found |= json.loads((SCHEMAS / name).read_bytes())["kinds"]
    return {kind: _closed(schema) for kind, schema in found.items()}


def _closed(schema: Any) -> Any:
    """A definition that refuses what it does not know: a cluster only drops it, and says nothing."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and "type" in schema
    if named and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made
