"""Grafana's dashboards, written as code. Only the generator is here: Grafana reads the JSON files beside it."""
