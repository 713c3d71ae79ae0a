"""Measurements: `python -m benchmarks.NAME` from the project's root."""
