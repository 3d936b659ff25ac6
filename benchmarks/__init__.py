"""Benchmarks: time and memory as ratios measured side by side in one run, beside the budget of docs/design.md.

`python -m benchmarks` runs them all, `python -m benchmarks quarter` one. No test depends on them.
"""

import pipelines  # noqa: F401 - Polars' allocator is told before Polars is loaded, as on the command line
