"""``ovsnet top``, on a real agent and a real node."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until
from tests.cli.conftest import Ovsnet, Program
from tests.cli.terminal import Screen, Terminal
from tests.cli.test_agent_client import answering
from tests.cli.test_top_picture import document
from tests.patience import PATIENCE

SIZES = [(60, 15), (80, 24), (200, 50)]
PLAIN = [
    {"TERM": "dumb"},
    {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
]


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
    said(ovsnet, listen, '"healthy"')
    return listen


def said(ovsnet: Ovsnet, listen: str, words: str) -> None:
    """Return when the agent says so."""
    deadline = time.monotonic() + PATIENCE
    while words not in (ended := ovsnet("top", "--listen", listen, "--json")).out:
        assert time.monotonic() < deadline, ended
        time.sleep(0.05)


def test_pipe_gets_all_of_it_once_as_plain_lines(ovsnet: Ovsnet, agent: str) -> None:
    ended = ovsnet("top", "--listen", agent)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("READY healthy: ")
    assert "vswitchd.ofproto" in ended.out
    assert all(line.isascii() and line.isprintable() for line in ended.out.splitlines())


def test_json_is_the_agents_document(ovsnet: Ovsnet, agent: str) -> None:
    document = json.loads(ovsnet("top", "--listen", agent, "--json").out)
    assert {"node", "state", "diagnosis", "checks", "timeline", "versions", "knobs"} <= document.keys()


def test_no_agent_is_exit_code_3_and_a_sentence(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("top", "--listen", f"unix:{tmp_path}/none")
    assert (ended.code, ended.out) == (3, "")
    assert "No agent answers" in ended.err


@pytest.mark.parametrize("command", ["top", "timeline"])
@pytest.mark.parametrize(
    "found", [{}, {"state": "new"}, {**document(), "timeline": 7}], ids=["empty", "a state", "a 7"]
)
async def test_document_that_is_no_agents_is_a_sentence(ovsnet: Ovsnet, command: str, found: dict[str, object]) -> None:
    async with answering(response(found)) as listen:
        ended = await asyncio.to_thread(ovsnet, command, "--listen", listen)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"ovsnet: The document at /status of {listen} is not an agent's: ")


async def test_timeline_of_an_agent_with_a_state_that_is_not_known_here(ovsnet: Ovsnet) -> None:
    async with answering(response({**document(), "state": "lukewarm"})) as listen:
        ended = await asyncio.to_thread(ovsnet, "timeline", "--listen", listen)
    assert (ended.code, ended.err) == (1, "")
    assert "database" in ended.out


def response(found: object) -> bytes:
    body = json.dumps(found).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def watching(listen: str, columns: int, rows: int, environment: Mapping[str, str] = MappingProxyType({})) -> Terminal:
    arguments = ["top", "--listen", listen, "--every", "0.3", "--timeout", "1"]
    return Terminal(*arguments, columns=columns, rows=rows, environment=environment)


def is_well(screen: Screen) -> bool:
    lines = screen.lines
    return lines[0].startswith("✔ READY healthy for") and any(each.startswith("✔ ovs-vswitchd") for each in lines)


def shows(screen: Screen, code: str, command: str, *, below: int = 0) -> bool:
    """Whether the code, what to type and the failed daemon can be seen, ``below`` how many lines, and then dimmed."""
    lines = screen.lines
    daemon = next((at for at, line in enumerate(lines) if line.startswith("✖ ovs-vswitchd")), 0)
    found = lines[below].startswith(f"✖ NOT READY {code} for") and daemon > below and command in screen.text
    return found and screen.is_dim(below) == screen.is_dim(daemon) == bool(below)


def is_lost(screen: Screen) -> bool:
    return screen.lines[0].startswith("✖ NO ANSWER from the agent: what is below is ") and not screen.is_dim(0)


def age(screen: Screen) -> int:
    """In seconds, of the last picture, while it is young."""
    found = re.search(r" is (\d+) s old\.", screen.lines[0])
    return int(found[1]) if found else 0


def test_screens_of_every_size_follow_the_node_and_its_agent(node: Sandbox, program: Program, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/a"

    def serve() -> subprocess.Popen[str]:
        return program("serve", "--rundir", node.rundir, "--listen", listen)

    serving = serve()
    wait_for(tmp_path / "a")
    hung = partial(shows, code="vswitchd-hung", command=f"$ kill -CONT {node.pid('ovs-vswitchd')}")
    with ExitStack() as stack:
        terminals = [stack.enter_context(watching(listen, *size)) for size in SIZES]

        def all_show(*holds: Callable[[Screen], bool]) -> None:
            for each in terminals:
                each.until(lambda screen: all(fact(screen) for fact in holds))

        all_show(is_well)
        anyio.run(node.freeze, "ovs-vswitchd")
        all_show(hung)
        late = [stack.enter_context(watching(listen, *size)) for size in SIZES]
        terminals += late
        all_show(hung)

        serving.send_signal(signal.SIGSTOP)
        all_show(is_lost, partial(hung, below=2), lambda screen: age(screen) >= 3)
        serving.send_signal(signal.SIGCONT)
        all_show(hung)

        serving.kill()
        serving.wait()
        all_show(is_lost, partial(hung, below=2), lambda screen: screen.lines[1].startswith("No agent answers"))
        serve()
        all_show(hung)
        anyio.run(node.thaw, "ovs-vswitchd")
        all_show(is_well, lambda screen: "▸ " in screen.lines[-1] and " ok" in screen.lines[-1])

        for each, key in zip(terminals, itertools.cycle([b"q", b"\x03"]), strict=False):
            each.press(key)
            assert each.ended() == 0
            assert "Traceback" not in each.screen.text


@pytest.mark.parametrize("environment", PLAIN, ids=lambda each: each.get("PYTHONIOENCODING", "dumb"))
def test_terminal_that_cannot_draw_gets_a_line_for_each_diagnosis(
    node: Sandbox, program: Program, tmp_path: Path, environment: dict[str, str]
) -> None:
    listen = f"unix:{tmp_path}/a"
    serving = program("serve", "--rundir", node.rundir, "--listen", listen)
    wait_for(tmp_path / "a")
    with watching(listen, 500, 50, environment) as terminal:

        def says(line: str) -> None:
            terminal.until(lambda screen: re.match(rf"\d\d:\d\d:\d\d {line}", last(screen)) is not None)

        says("READY healthy: All required checks pass.$")
        anyio.run(node.kill, "ovs-vswitchd")
        says("NOT READY vswitchd-down: .*systemctl")
        serving.send_signal(signal.SIGSTOP)
        says("NO ANSWER: ")
        serving.send_signal(signal.SIGCONT)
        says("NOT READY vswitchd-down: ")
        serving.kill()
        says("NO ANSWER: No agent answers")
        program("serve", "--rundir", node.rundir, "--listen", listen)
        says("NOT READY vswitchd-down: ")
        terminal.press(b"\x03")
        assert terminal.ended() == 0
        assert not terminal.screen.has_sequences
        assert terminal.screen.text.isascii()


def last(screen: Screen) -> str:
    return next((line for line in reversed(screen.lines) if line), "")


def test_keys_unfold_scroll_and_explain_themselves(agent: str) -> None:
    with watching(agent, 60, 15) as terminal:
        terminal.until(is_well)
        terminal.press(b"?")
        terminal.until(lambda screen: "  space " in screen.text and "q, Ctrl-C" in screen.text)
        terminal.press(b"? ")
        terminal.until(lambda screen: "▾ " in screen.lines[-1] and "more below" in screen.lines[-1])
        assert "controller" not in terminal.screen.lines[-2]
        terminal.press(b"\x1b[F")
        terminal.until(lambda screen: "more below" not in screen.lines[-1] and screen.lines[0].startswith("✔ READY"))
        terminal.press(b"\x1b[A")
        terminal.until(lambda screen: "1 more below" in screen.lines[-1])
        terminal.press(b" \x1bOH")
        terminal.until(is_well)


def test_window_may_change_its_size(agent: str) -> None:
    with watching(agent, 200, 50) as terminal:
        terminal.until(is_well)
        for columns, rows in ((60, 15), (20, 4), (1, 1), (200, 50)):
            terminal.resize(columns, rows)
            terminal.until(lambda screen: screen.lines[0][:1] in ("✔", "…"))
        terminal.until(is_well)
        terminal.press(b"q")
        assert terminal.ended() == 0


def test_terminal_that_is_closed_ends_it(agent: str) -> None:
    with watching(agent, 60, 15) as terminal:
        terminal.until(is_well)
        terminal.hang_up()
        terminal.ended()


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_keyboard_is_as_before_at_the_end(agent: str, key: bytes) -> None:
    with watching(agent, 60, 15) as terminal:
        before = terminal.modes()
        terminal.until(is_well)
        assert terminal.modes() != before
        terminal.press(key)
        assert terminal.ended() == 0
        assert terminal.modes() == before


async def test_ctrl_c_ends_it_while_nobody_has_answered_yet() -> None:
    async with answering(None) as listen:
        with Terminal("top", "--listen", listen, "--timeout", "3600") as terminal:
            await until(lambda: connected(listen), PATIENCE, "It never asked.")
            terminal.press(b"\x03")
            assert await asyncio.to_thread(terminal.ended) == 0


def connected(listen: str) -> bool:
    """Whether a client is connected to this port (proc_net_tcp(5))."""
    port = f":{int(listen.rpartition(':')[2]):04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(fields[1].endswith(port) and fields[3] == ESTABLISHED for fields in map(str.split, lines))


ESTABLISHED = "01"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
