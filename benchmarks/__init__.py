"""Measurements on a real broker. `python -m benchmarks --help` says which."""
