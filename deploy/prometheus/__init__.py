"""Prometheus: what it scrapes, what it records and alerts on, and a real one beside the local stack."""
