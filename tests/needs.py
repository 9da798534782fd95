"""What some tests need beside Python, and whether they may be skipped without it."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.postgres import binaries


def need_prometheus() -> None:
    """Skip where Prometheus is not installed; fail where `TIDINGS_REQUIRE_PROMETHEUS` says that it must be."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return
    if os.environ.get("TIDINGS_REQUIRE_PROMETHEUS"):
        pytest.fail("prometheus and promtool are not installed, and TIDINGS_REQUIRE_PROMETHEUS is set")
    pytest.skip("prometheus and promtool are not installed: `apt-get install prometheus`")


def need_postgresql() -> None:
    """Skip where PostgreSQL is not installed; fail where `TIDINGS_REQUIRE_POSTGRESQL` says that it must be."""
    if binaries() is not None:
        return
    if os.environ.get("TIDINGS_REQUIRE_POSTGRESQL"):
        pytest.fail("PostgreSQL is not installed, and TIDINGS_REQUIRE_POSTGRESQL is set")
    pytest.skip("PostgreSQL is not installed: `apt-get install postgresql`")


def need_alertmanager() -> None:
    """The same for Alertmanager's tool."""
    if shutil.which("amtool"):
        return
    if os.environ.get("TIDINGS_REQUIRE_PROMETHEUS"):
        pytest.fail("amtool is not installed, and TIDINGS_REQUIRE_PROMETHEUS is set")
    pytest.skip("amtool is not installed: `apt-get install prometheus-alertmanager`")
