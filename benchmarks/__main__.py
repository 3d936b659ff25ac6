"""Runs the benchmarks named on the command line, else all of them."""

import sys

from benchmarks import identity, intake, quarter

BENCHMARKS = {"identity": identity.run, "intake": intake.run, "quarter": quarter.run}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"== {name}")
    BENCHMARKS[name]()
