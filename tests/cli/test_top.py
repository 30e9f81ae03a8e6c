"""``ovsnet top``, on a real agent and a real node."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ovsnet, Program
from tests.patience import PATIENCE


@pytest.fixture
def node() -> Iterator[Sandbox]:
    """A switch without OVN, for commands that run event loops of their own."""
    made = Sandbox(ovn=False, ports=0)
    anyio.run(made.up)
    yield made
    anyio.run(made.down)


@pytest.fixture
def agent(node: Sandbox, program: Program, ovsnet: Ovsnet, tmp_path: Path) -> str:
    """Where an agent of that node listens, which says that it is well."""
    listen = f"unix:{tmp_path}/a"
    program("serve", "--rundir", node.rundir, "--listen", listen)
    deadline = time.monotonic() + PATIENCE
    while '"healthy"' not in (ended := ovsnet("top", "--listen", listen, "--json")).out:
        assert time.monotonic() < deadline, ended
        time.sleep(0.05)
    return listen


def test_pipe_gets_it_once(ovsnet: Ovsnet, agent: str) -> None:
    ended = ovsnet("top", "--listen", agent)
    assert (ended.code, ended.err) == (0, "")
    assert "healthy since" in ended.out
    assert "vswitchd.ofproto" in ended.out
    assert "\x1b[" not in ended.out


def test_json_is_the_agents_document(ovsnet: Ovsnet, agent: str) -> None:
    document = json.loads(ovsnet("top", "--listen", agent, "--json").out)
    assert {"node", "state", "diagnosis", "checks", "timeline", "versions", "knobs"} <= document.keys()


def test_no_agent_is_exit_code_3_and_a_sentence(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("top", "--listen", f"unix:{tmp_path}/none")
    assert (ended.code, ended.out) == (3, "")
    assert "No agent answers" in ended.err


def test_terminal_follows_the_node_until_ctrl_c(node: Sandbox, agent: str) -> None:
    with Terminal("top", "--listen", agent, "--every", "0.1") as terminal:
        terminal.until("healthy since")
        anyio.run(node.kill, "ovs-vswitchd")
        terminal.until("vswitchd-down")
        anyio.run(node.start, "ovs-vswitchd")
        terminal.until("healthy since")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(PATIENCE) == 0
        assert "Traceback" not in terminal.seen


def test_q_ends_it(agent: str) -> None:
    with Terminal("top", "--listen", agent) as terminal:
        terminal.until("healthy since")
        terminal.press(b"q")
        assert terminal.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm", "LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_terminal_that_can_do_little_still_shows_each_diagnosis(
    node: Sandbox, agent: str, environment: dict[str, str]
) -> None:
    with Terminal("top", "--listen", agent, "--every", "0.1", environment=environment) as terminal:
        terminal.until("healthy")
        anyio.run(node.kill, "ovs-vswitchd")
        terminal.until("vswitchd-down")
        assert "Traceback" not in terminal.seen
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(PATIENCE) == 0


def test_failures_come_first_and_the_last_picture_stays_when_the_agent_is_gone(
    node: Sandbox, program: Program, tmp_path: Path
) -> None:
    anyio.run(node.kill, "ovs-vswitchd")
    serving = program("serve", "--rundir", node.rundir, "--listen", f"unix:{tmp_path}/b")
    wait_for(tmp_path / "b")
    small = {"COLUMNS": "60", "LINES": "15"}
    with Terminal("top", "--listen", f"unix:{tmp_path}/b", "--every", "0.1", environment=small) as terminal:
        terminal.until("vswitchd-down")
        terminal.until("failed")
        serving.kill()
        terminal.until("no answer")
        terminal.until("vswitchd-down")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Terminal:
    """The program on a terminal of its own. ``seen`` is all that it wrote since the last fact that was waited for."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self.seen = ""
        self._ours, theirs = pty.openpty()
        argv = [sys.executable, "-m", "ovsnet", *arguments]
        variables = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40", **environment}
        self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=variables)
        os.close(theirs)

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, words: str) -> None:
        """Return when it has written these words from now on."""
        self.seen = ""
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen[-3000:]
            if select.select([self._ours], [], [], 0.1)[0]:
                self.seen += os.read(self._ours, 1 << 16).decode(errors="replace")
