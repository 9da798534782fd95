"""Measurements on a real broker. Each file is a program: `python -m benchmarks.latency --help`."""
