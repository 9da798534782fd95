"""Every dashboard there is."""

from __future__ import annotations

from deploy.grafana.agency import AGENCY
from deploy.grafana.agreement import AGREEMENT
from deploy.grafana.data_quality import DATA_QUALITY
from deploy.grafana.every_processor import PROCESSORS
from deploy.grafana.outbox import OUTBOX
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.panel import Board
from deploy.grafana.risk import RISK
from deploy.grafana.worker import WORKER

BOARDS: tuple[Board, ...] = (OVERVIEW, AGENCY, AGREEMENT, WORKER, PROCESSORS, DATA_QUALITY, RISK, OUTBOX)
