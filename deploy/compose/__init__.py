"""One machine with a container engine: three brokers, registry and gate, workers, Prometheus and Grafana."""
