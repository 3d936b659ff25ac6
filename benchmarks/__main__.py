"""Runs the benchmarks named on the command line, else all of them."""

import sys

from benchmarks import decision, identity, intake, linkage, missed, quarter, remedies, welfare

BENCHMARKS = {
    "decision": decision.run,
    "identity": identity.run,
    "intake": intake.run,
    "linkage": linkage.run,
    "missed": missed.run,
    "quarter": quarter.run,
    "remedies": remedies.run,
    "welfare": welfare.run,
}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"== {name}")
    BENCHMARKS[name]()
