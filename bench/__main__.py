"""``python -m bench`` asks what takes less than five minutes; ``full`` asks everything, which takes half an hour."""

import argparse

from bench.questions import FULL, QUICK
from bench.runner import everything
from bench.suites import INSTALLED, SUITES, on_suite

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("which", nargs="?", choices=("quick", "full"), default="quick")
    parser.add_argument("--suite", choices=SUITES, default=INSTALLED, help="Open vSwitch and OVN to measure")
    chosen = parser.parse_args()
    with on_suite(chosen.suite):
        everything([question.measure for question in (FULL if chosen.which == "full" else QUICK)], chosen.suite)
