"""What some tests need beside Python, and whether they may be skipped without it."""

from __future__ import annotations

import os
import shutil

import pytest


def need_prometheus() -> None:
    """Skip where Prometheus is not installed; fail where `TIDINGS_REQUIRE_PROMETHEUS` says that it must be."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return
    if os.environ.get("TIDINGS_REQUIRE_PROMETHEUS"):
        pytest.fail("prometheus and promtool are not installed, and TIDINGS_REQUIRE_PROMETHEUS is set")
    pytest.skip("prometheus and promtool are not installed: `apt-get install prometheus`")
