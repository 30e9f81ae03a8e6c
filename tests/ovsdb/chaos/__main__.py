"""``python -m tests.ovsdb.chaos --seeds 10 --transactions 10000``: exit code 0 when every copy was right at every
pause. What a release asks for is this, and the same with ``--members 3``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial

from tests.ovsdb.chaos.chaos import chaos


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ovsdb.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first, from which all of a run follows; default 1")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one run for each; default 1")
    parser.add_argument("--transactions", type=int, default=1000, help="of each run; default 1000")
    parser.add_argument("--members", type=int, default=1, help="of the cluster; 1, the default, is a server alone")
    parser.add_argument("--clustered", action="store_true", help="a cluster also of one member, which keeps a history")
    parser.add_argument("--jobs", type=int, default=5, help="runs at a time, which wait most of their time; default 5")
    given = parser.parse_args()
    one = partial(_run, transactions=given.transactions, members=given.members, clustered=given.clustered)
    failures = 0
    with ProcessPoolExecutor(given.jobs) as pool:
        runs = {pool.submit(one, seed): seed for seed in range(given.seed, given.seed + given.seeds)}
        for run in as_completed(runs):
            right, said = run.result()
            failures += not right
            sys.stdout.write(f"seed {runs[run]}, {said}\n")
            sys.stdout.flush()
    return 1 if failures else 0


def _run(seed: int, *, transactions: int, members: int, clustered: bool) -> tuple[bool, str]:
    """Whether it was right, and what is said of it."""
    began, right = time.monotonic(), True
    try:
        said = str(asyncio.run(chaos(seed, transactions, members=members, clustered=clustered)))
    except AssertionError as error:
        right, said = False, f"FAILED: {error}"
    return right, f"{time.monotonic() - began:.0f} s: {said}"


if __name__ == "__main__":
    sys.exit(main())
