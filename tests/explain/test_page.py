"""The page for an incident review: what is marked on the bars."""

from __future__ import annotations

import re

import pytest

from ovsnet.explain.page import page
from tests.explain.material import MGMT, Log, node, of, told


def titles(text: str, kind: str) -> list[str]:
    """What a person reads who points at the marks of one kind."""
    return re.findall(rf'<rect class="{kind}" [^>]*><title>([^<]*)</title>', text)


def test_stall_is_marked_on_the_bar_of_its_daemon() -> None:
    database, switch, controller = node()
    switch.say(60.0, "timeval", "Unreasonably long 12000ms poll interval (3ms user, 3ms system)", "WARN")
    (title,) = titles(page(told([database, switch, controller])), "stall")
    assert title == "ovs-vswitchd main loop was blocked for 12.0 s"


def test_elections_are_marked_on_the_bars_of_the_members() -> None:
    found = titles(page(of("leaders-in-turn")), "election")
    assert any("started an election at" in each for each in found)
    assert any("was elected leader at" in each for each in found)


def test_end_and_restart_are_marked() -> None:
    first, second = titles(page(of("switch-away")), "end")
    assert re.fullmatch(r"ovs-vswitchd was told to exit at \S+Z", first)
    assert re.fullmatch(r"ovs-vswitchd was started again at \S+Z", second)


def test_healthy_node_has_no_marks() -> None:
    text = page(told(node()))
    assert [titles(text, kind) for kind in ("stall", "election", "end", "outage")] == [[], [], [], []]
    assert len(titles(text, "life")) == 3


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '" onload="x'])
def test_words_of_a_log_stay_text(name: str) -> None:
    log = Log("ovn-controller.log").start(0.0)
    log.say(1.0, "timeval", f"Unreasonably long 9000ms poll interval {name}", "WARN")
    log.say(2.0, "rconn", f"{MGMT}{name}: connection failed (No such file or directory)", "WARN")
    text = page(told([log, *node()[:2]]))
    assert name not in text
