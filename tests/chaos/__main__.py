"""``python -m tests.chaos --seed 1 --transactions 10000``: exit code 0 when every copy was right at every pause."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.chaos.chaos import chaos


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="what all follows from; default: the time")
    parser.add_argument("--transactions", type=int, default=1000, help="how many, default 1000")
    parser.add_argument("--clustered", action="store_true", help="a clustered database, which keeps a history")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        outcome = asyncio.run(chaos(arguments.seed, arguments.transactions, clustered=arguments.clustered))
    except AssertionError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    sys.stdout.write(f"seed {arguments.seed}, {time.monotonic() - began:.0f} s: {outcome}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
