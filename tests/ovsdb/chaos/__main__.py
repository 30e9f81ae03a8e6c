"""``python -m tests.ovsdb.chaos --seeds 10 --transactions 10000``: exit code 0 when every copy was right at every
pause. What a release asks for is this, and the same with ``--members 3``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.ovsdb.chaos.chaos import chaos


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ovsdb.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first, from which all of a run follows; default 1")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one run for each; default 1")
    parser.add_argument("--transactions", type=int, default=1000, help="of each run; default 1000")
    parser.add_argument("--members", type=int, default=1, help="of the cluster; 1, the default, is a server alone")
    parser.add_argument("--clustered", action="store_true", help="a cluster also of one member, which keeps a history")
    given = parser.parse_args()
    failures = 0
    for seed in range(given.seed, given.seed + given.seeds):
        began = time.monotonic()
        try:
            said = str(asyncio.run(chaos(seed, given.transactions, members=given.members, clustered=given.clustered)))
        except AssertionError as error:
            failures += 1
            said = f"FAILED: {error}"
        sys.stdout.write(f"seed {seed}, {time.monotonic() - began:.0f} s: {said}\n")
        sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
