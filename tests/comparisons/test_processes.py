"""What is read from the kernel and from the peers' output."""

from __future__ import annotations

import os
import re
import sys
import time

import pytest

from bench import openflow_echo, readyz
from bench.laps.report import Cost, Stopwatch
from bench.processes import cpu_seconds, iter_until, memory, output, serving, spend
from ovsnet.errors import UnfitEnvironment

BURN = "import time; end = time.process_time() + 0.05\nwhile time.process_time() < end: pass"


def test_cost_is_told_by_operation() -> None:
    cost = Cost(count=1000, wall=0.5, cpu=0.002)
    assert cost.rate == 2000
    assert cost.cpu_us == pytest.approx(2)


def test_stopwatch_counts_what_was_burnt_since_it_was_made() -> None:
    watch = Stopwatch()
    end = time.process_time() + 0.01
    while time.process_time() < end:
        pass
    cost = watch.cost(1)
    assert cost.cpu >= 0.01
    assert cost.count == 1


def test_cpu_of_a_process_agrees_with_its_own_account() -> None:
    """Threads that ended before count in the account alone, so it is the growth that agrees."""
    account, seen = time.process_time(), cpu_seconds(os.getpid())
    while time.process_time() < account + 0.05:
        pass
    grown = cpu_seconds(os.getpid()) - seen
    assert 0.04 <= grown <= time.process_time() - account + 0.02


def test_spending_counts_the_commands_and_their_children() -> None:
    shell = ["sh", "-c", f"{sys.executable} -c '{BURN}'; true"]
    assert spend([shell, shell], {}).cpu >= 0.1


def test_shared_pages_count_in_part() -> None:
    used = memory(os.getpid())
    assert 0 < used.proportional <= used.resident


def test_failing_lap_says_why() -> None:
    with pytest.raises(UnfitEnvironment, match="no such thing"):
        output(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_lines_are_read_up_to_the_one_that_matches() -> None:
    lines = iter(["one", "serving on http://x", "three"])
    assert list(iter_until(lines, re.compile("serving"))) == ["one", "serving on http://x"]
    assert next(lines) == "three"


def test_rate_of_the_tool_is_found_in_what_it_prints() -> None:
    found = openflow_echo.RATE.search("Finished in 2049.0 ms (9761 packets/s) (156174 bytes/s)")
    assert found is not None
    assert found[1] == "9761"


@pytest.mark.parametrize(
    ("said", "bad"),
    [
        ("  107010 requests in 3.00s, 17.96MB read\nRequests/sec:  35670.12\n", False),
        ("  10 requests in 3.00s, 1MB read\n  Non-2xx or 3xx responses: 10\nRequests/sec:  3.33\n", True),
        ("  10 requests in 3.00s, 1MB read\n  Socket errors: connect 0, read 3\nRequests/sec:  3.33\n", True),
    ],
)
def test_run_with_a_bad_answer_does_not_count(said: str, bad: bool) -> None:
    if bad:
        with pytest.raises(UnfitEnvironment):
            readyz.parse(said)
    else:
        assert readyz.parse(said) == (107010, 35670.12)


@pytest.mark.parametrize(
    "line",
    ["12:00 INFO serving on http://127.0.0.1:80, http://[::1]:80", 'level=info msg="serving on http://127.0.0.1:80"'],
)
def test_address_of_a_server_is_found_in_its_log(line: str) -> None:
    script = f"import sys, time; print({line!r}, file=sys.stderr, flush=True); time.sleep(60)"
    with serving([sys.executable, "-c", script]) as server:
        assert server.url == "http://127.0.0.1:80"
