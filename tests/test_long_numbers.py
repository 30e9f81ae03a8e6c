"""A number of more digits than int() takes is no number: a sentence, or nothing, and never a ValueError."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnet.bench.merge import _missing
from ovsnet.bench.race import Strategy
from ovsnet.config import load
from ovsnet.doctor.threads import _is_count
from ovsnet.errors import ConfigError, UsageError
from ovsnet.explain.dumps import _coverage
from ovsnet.health.checks.clients import usage
from ovsnet.io.listen import inherited
from ovsnet.io.sd_notify import Notifier
from ovsnet.node import datapath
from ovsnet.node.conntrack import of_userspace
from ovsnet.node.database_file import judge
from ovsnet.node.raft import parse_cluster
from ovsnet.node.version import parse_version
from ovsnet.ovsdb.stored import stored
from ovsnet.tune.keys import forms
from ovsnet.tune.wanted import wanted

DIGITS = "1" * (sys.get_int_max_str_digits() + 1)
RECORD = b"OVSDB JSON " + DIGITS.encode() + b" " + b"0" * 40 + b"\n"
"""The header of a database file's record, which says how long it is (ovsdb(5))."""


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda: inherited({"LISTEN_PID": "7", "LISTEN_FDS": DIGITS}, 7), []),
        (lambda: Notifier.of({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": DIGITS}, 7).watchdog, None),
        (lambda: usage(f"cells:{DIGITS} sessions:2")["clients"], 2),
        (lambda: _coverage(f"Event coverage, avg rate over last: 5 seconds\nx 0/sec 0/sec 0/sec total: {DIGITS}"), []),
        (lambda: datapath.lost(f"system@ovs-system:\n  lookups: hit:1 missed:1 lost:{DIGITS}"), {}),
        (lambda: datapath.flows(f"system@x:\n  flows : (current {DIGITS}) (avg 1) (max 1) (limit 1)"), []),
        (lambda: parse_cluster(f"Term: {DIGITS}\nLog: [{DIGITS}, {DIGITS}]").term, 0),
        (lambda: parse_version(f"1.{DIGITS}"), None),
        (lambda: of_userspace("netdev@x", DIGITS, DIGITS), None),
        (
            lambda: judge(RECORD, 9999),
            "does not begin as a database does",
        ),
        (lambda: _is_count(DIGITS), False),
        (lambda: forms.whole(0, 9)(DIGITS), "is not from 0 to 9"),
        (lambda: forms.ranged(f"1-{DIGITS}"), "is not a range such as 100-65535"),
    ],
)
def test_number_without_end_is_none(read: Callable[[], object], expected: object) -> None:
    assert read() == expected


@pytest.mark.parametrize(
    "read",
    [
        lambda: Strategy.parse(f"gated:{DIGITS}"),
        lambda: _missing([f"1/{DIGITS}"]),
        lambda: wanted(toml=f"max-idle = {DIGITS}"),
        lambda: stored(RECORD),
    ],
)
def test_number_without_end_is_refused_in_a_sentence(read: Callable[[], object]) -> None:
    with pytest.raises(UsageError) as refused:
        read()
    assert "Exceeds the limit" not in str(refused.value)


def test_file_of_settings_with_a_number_without_end_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f"timeout = {DIGITS}\n")
    with pytest.raises(ConfigError, match=r"is not valid TOML: it holds a number of too many digits\."):
        load(tmp_path / "c.toml")
