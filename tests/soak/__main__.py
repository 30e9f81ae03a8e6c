"""``python -m tests.soak --faults 200 --seed 1``: exit code 0 when all that was said was true and nothing leaked."""

from __future__ import annotations

import argparse
import logging
import sys
import time

import uvloop

from ovsnet.io.memory import share_one_heap
from tests.soak.soak import replay, soak


def say(line: str) -> None:
    """At once, for a person who watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many, default 200")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="what they follow from; default: the time")
    arguments = parser.parse_args()
    logging.getLogger("ovsnet").addHandler(logging.NullHandler())  # it is told in one line per round
    share_one_heap()  # as the service does
    began = time.monotonic()
    outcome = uvloop.run(soak(arguments.faults, arguments.seed, say))
    say(
        f"\n{outcome.faults} of {arguments.faults} faults in {outcome.rounds} rounds and "
        f"{time.monotonic() - began:.0f} s, seed {arguments.seed}: {len(outcome.mismatches)} mismatches; "
        f"{outcome.tasks} tasks and {outcome.descriptors} descriptors before and after; "
        f"{outcome.warm_mib:.1f} MiB after the warm-up, {outcome.end_mib:.1f} at the end"
    )
    for mismatch in outcome.mismatches:
        say(f"MISMATCH  {mismatch}")
    if outcome.mismatches:
        say(f"the same again: {replay(arguments.faults, arguments.seed)}")
    return 1 if outcome.mismatches or outcome.faults < arguments.faults else 0


sys.exit(main())
