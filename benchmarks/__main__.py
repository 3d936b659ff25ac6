"""Runs the benchmarks named on the command line, else all of them."""

import sys

from benchmarks import decision, identity, intake, linkage, quarter, welfare

BENCHMARKS = {
    "decision": decision.run,
    "identity": identity.run,
    "intake": intake.run,
    "linkage": linkage.run,
    "quarter": quarter.run,
    "welfare": welfare.run,
}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"== {name}")
    BENCHMARKS[name]()
