"""The correction window: views that an agreement holds back go to its feed once their hold has passed (ADR 0030)."""
