"""The roof: Dagster definitions, jobs and schedule, the I/O manager, and the command line. No rule lives here."""

import os

# Polars' allocator reads this when it is loaded (docs/decisions/0011): what one query frees, the next one takes over.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:5000,muzzy_decay_ms:-1")
