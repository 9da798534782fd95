"""How long topics keep what they hold, where one length depends on another. Days of 24 hours.

An event in quarantine stays in its inbox until it is replayed: the inbox outlives the quarantine's own records by the
longest outage that is planned for, so that every event that `tidings quarantine list` names can still be read.
"""

from __future__ import annotations

QUARANTINE_DAYS = 7
OUTAGE_DAYS = 3
INBOX_LEAST_DAYS = QUARANTINE_DAYS + OUTAGE_DAYS
