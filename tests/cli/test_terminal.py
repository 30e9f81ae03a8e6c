"""What a person sees on a terminal: signs, which a pipe does not get, and sentences that are wrapped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ovsnet
from tests.cli.terminal import Terminal
from tests.serving import serving

COLUMNS = 100


def seen(*arguments: object, **environment: str) -> list[str]:
    """The screen, once the command has ended."""
    with Terminal(*map(str, arguments), columns=COLUMNS, rows=200, environment=environment) as terminal:
        terminal.ended()
        return terminal.screen.lines


@pytest.mark.restored
async def test_check_wait_and_timeline_have_signs(node: Sandbox) -> None:
    well = await asyncio.to_thread(seen, "check", "--rundir", node.rundir)
    assert well[0].startswith("✔ healthy: ")
    assert any(line.startswith("  ✔ ok      ovsdb.echo ") for line in well)
    async with serving(node.rundir) as agent:
        lines = await asyncio.to_thread(seen, "timeline", "--listen", agent.url)
        assert lines[0].startswith("✔ database ")
    await node.kill("ovs-vswitchd")
    broken = await asyncio.to_thread(seen, "check", "--rundir", node.rundir)
    assert broken[0].startswith("✖ vswitchd-down: ")
    assert any(line.startswith("  ✖ FAILED  ") for line in broken)
    waited = await asyncio.to_thread(seen, "wait", "--for", "openflow", "--timeout", "2s", "--rundir", node.rundir)
    assert waited[0].startswith(("ovsnet: … ", "ovsnet: ✖ ")), waited
    assert any(line.startswith("ovsnet: ✖ the stage openflow was not reached") for line in waited), waited


LOG = """\
2026-11-25T23:30:00.000Z|00001|vlog|INFO|opened log file /var/log/openvswitch/ovs-vswitchd.log
2026-11-25T23:30:00.100Z|00002|ovs_numa|INFO|Discovered 2 CPU cores on NUMA node 0
2026-11-25T23:30:05.000Z|00003|fatal_signal|WARN|terminating with signal 15 (Terminated)
2026-11-25T23:30:15.000Z|00001|vlog|INFO|opened log file /var/log/openvswitch/ovs-vswitchd.log
"""


def test_explain_has_signs(tmp_path: Path, ovsnet: Ovsnet) -> None:
    path = tmp_path / "ovs-vswitchd.log"
    path.write_text(LOG)
    drawn, piped = "\n".join(seen("explain", path)), ovsnet("explain", path).out
    assert "  ✖ OUTAGE  " in drawn
    assert "  OUTAGE  " in piped
    assert "✖" not in piped


def test_doctor_wraps_what_is_longer_than_a_line(tmp_path: Path, ovsnet: Ovsnet) -> None:
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text("3.10.0-862.el7.x86_64\n")
    (tmp_path / "run/openvswitch").mkdir(parents=True)
    lines = seen("doctor", "--root", tmp_path)
    assert lines[0].startswith("✖ fatal    kernel.release ")
    piped = ovsnet("doctor", "--root", tmp_path).out
    assert max(map(len, piped.splitlines())) > COLUMNS
    first, second = lines[0], lines[1]
    assert len(second) - len(second.lstrip()) == first.index(first.split("kernel.release")[1].lstrip())
    assert " ".join("\n".join(lines).replace("✖ ", "").split())[:300] == " ".join(piped.split())[:300]


def test_terminal_that_lacks_the_signs_gets_the_words(tmp_path: Path) -> None:
    (tmp_path / "run/openvswitch").mkdir(parents=True)
    lines = seen("doctor", "--root", tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="latin-1")
    assert any(line.startswith("unseen   ") for line in lines)
