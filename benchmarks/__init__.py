"""Benchmarks: time and memory as ratios measured side by side in one run, beside the budget of docs/design.md.

`python -m benchmarks` runs them all, `python -m benchmarks quarter` one. No test depends on them.
"""
