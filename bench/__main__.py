"""``python -m bench`` asks what takes less than five minutes; ``python -m bench full`` asks everything."""

import sys

from bench.questions import FULL, QUICK
from bench.runner import everything

if __name__ == "__main__":
    everything([question.measure for question in (FULL if sys.argv[1:] == ["full"] else QUICK)])
