"""Runs the benchmarks named on the command line, else all of them."""

import sys

from benchmarks import quarter

BENCHMARKS = {"quarter": quarter.run}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"== {name}")
    BENCHMARKS[name]()
