"""What README, docs and help have people type does what they say: each command is run on a node of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest
import pytest_asyncio

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.packages import default_cache
from ovsnet.sandbox.supervisor import die_with_parent
from tests.cli.test_documented import PAGES, ROOT, typed, without_shell
from tests.golden.faces import flags
from tests.patience import PATIENCE
from tests.serving import serving

pytestmark = pytest.mark.heavy  # some of what is typed loads the machine, as benches do

WELL = ROOT / "tests/explain/logs/healthy/ovs-3.1"


class Run(NamedTuple):
    """How a command is run."""

    codes: tuple[int, ...] = (0,)
    more: str = ""
    """Options that make it small, or keep it off this host. Of an option that is there twice, the last counts."""

    after: str = ""
    """The command that makes what it needs."""

    given: str = ""
    """What the program before it prints."""

    until: str = ""
    """It has no end: it gets a Ctrl-C once it has printed this."""


class Elsewhere(NamedTuple):
    """A command that is not run here."""

    why: str
    test: str
    """The tests that run it."""


ONCE = "--rounds 1 --processes 1 --any-load"
KEPT_UP = (0, 1)  # 1 where the machine was too busy for the load that was asked for
SHARDS = Elsewhere("needs other machines that begin at the same time", "tests/cli/test_bench_files.py")

COMMANDS: Mapping[str, Run | Elsewhere] = {
    "bench churn": Run(KEPT_UP, f"{ONCE} --changes 3 --ports 2"),
    "bench compare": Run(),
    "bench echo": Run(KEPT_UP, f"{ONCE} --node --count 256"),
    "bench merge": SHARDS,
    "bench race": Run(KEPT_UP, f"{ONCE} --node --clients 4 --count 16"),
    "bench race openflow --node --shard": SHARDS,
    "bench restart": Run(KEPT_UP, ONCE),
    "bench restart --help": Run(),
    "bench storm": Elsewhere("takes minutes with so many chassis", "tests/cli/test_bench_storm.py"),
    "bench storm --help": Run(),
    "check": Run(),
    "check --from": Run(after="report --out ovsnet-report-20261127T120000Z.tar.gz"),
    "check --rundir /tmp/node/run": Run(codes=(1,)),  # of a switch that was frozen
    "completion": Run(),
    "demo": Run(more="--listen 127.0.0.1:0", until="Ctrl-C"),
    "doctor": Run(codes=(0, 1)),  # as this host is
    "doctor --fix": Elsewhere("changes this host", "tests/cli/test_doctor.py"),
    "explain": Run(),
    "explain -": Run(given=(WELL / "ovs-vswitchd.log").read_text()),
    "install": Run(more="--root HERE/host --family debian --program /opt/ovsnet/bin/ovsnet"),
    "kubernetes render": Run(),
    "ovsdb": Run(),
    "ovsdb monitor": Run(codes=(130,), until="br-int"),
    "report": Run(),
    "sandbox": Run(),
    "serve": Run(more="--listen 127.0.0.1:0", until="serving on"),
    "timeline": Run(),
    "top": Run(),
    "tune advise": Run(),
    "tune lint": Run(),
    "tune lint -": Run(given='other_config        : {max-idle="20000"}\n'),
    "tune plan": Run(),
    "wait": Run(),
}
"""By the words that a command begins with; the longest beginning counts."""

MEANT: Mapping[str, str] = {
    "/tmp/node": "HERE/node",
    "/var/log/openvswitch": str(WELL),
    "/var/log/ovn": str(WELL),
    "LOGS": str(WELL),
    "$START": "2040-01-01T00:00:00Z",
    "after.json": "before.json",
    "eth0": "p1",
    "tcp:10.0.0.1:6641,tcp:10.0.0.2:6641": "unix:RUNDIR/ovnnb_db.sock",
}
"""What a page names as an example, and what it is here."""


class Typed(NamedTuple):
    """A command, and what there is of it in ``COMMANDS``."""

    words: tuple[str, ...]
    beginning: str
    """Empty when there is nothing."""

    @classmethod
    def of(cls, line: str) -> Typed:
        words = tuple(without_shell(line))
        beginnings = [" ".join(words[:length]) for length in range(len(words), 0, -1)]
        return cls(words, next((each for each in beginnings if each in COMMANDS), ""))


def shown(text: str) -> tuple[Typed, ...]:
    """The commands of a page, each once."""
    return tuple(dict.fromkeys(Typed.of(line) for line in typed(text)))


def documented() -> Iterator[tuple[str, tuple[Typed, ...]]]:
    """Pages that show the same, for the Chinese ones do, are one."""
    texts = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES} | {"--help": flags()}
    pages: dict[tuple[Typed, ...], list[str]] = {}
    for name, text in texts.items():
        pages.setdefault(shown(text), []).append(name)
    return ((" ".join(names), commands) for commands, names in pages.items() if commands)


DOCUMENTED = dict(documented())


class Here(NamedTuple):
    """Where the commands of one page are run."""

    directory: Path
    node: Sandbox
    agent: str

    @property
    def environment(self) -> dict[str, str]:
        """Of a user who has a home of his own, a node and an agent."""
        rundir, home = str(self.node.rundir), str(self.directory)
        places = {"HOME": home, "XDG_CACHE_HOME": str(default_cache().parent)}
        node = {"OVS_RUNDIR": rundir, "OVN_RUNDIR": rundir, "OVSNET_LISTEN": self.agent}
        return {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | places | node

    def filled(self, word: str) -> str:
        for shown, meant in (*MEANT.items(), ("HERE", str(self.directory)), ("RUNDIR", str(self.node.rundir))):
            word = word.replace(shown, meant)
        return word

    def start(self, words: Sequence[str]) -> subprocess.Popen[str]:
        # A shell lets what it runs in the background ignore SIGINT, and so would all that the tests start there.
        code = "from signal import *; signal(SIGINT, default_int_handler); from ovsnet.cli import main; main()"
        argv = [*die_with_parent(), sys.executable, "-c", code, *map(self.filled, words)]
        return subprocess.Popen(
            argv, cwd=self.directory, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    async def complaint(self, words: Sequence[str], run: Run) -> str:
        """What is wrong with how it ran; empty when nothing is."""
        if run.after and (complaint := await self.complaint(run.after.split(), Run())):
            return complaint
        with self.start([*words, *run.more.split()]) as process:
            try:
                with anyio.fail_after(PATIENCE):
                    said = await anyio.to_thread.run_sync(ended, process, run.given, run.until, abandon_on_cancel=True)
            finally:
                process.kill()  # it does nothing to one that has ended
        fine = process.returncode in run.codes and run.until in said and "Traceback" not in said
        return "" if fine else f"$ ovsnet {' '.join(words)}\n{said}exit code {process.returncode}\n"


def ended(process: subprocess.Popen[str], given: str, until: str) -> str:
    """All that it has said, once it has ended."""
    if not until:
        return process.communicate(given)[0]
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if until in line:
            process.send_signal(signal.SIGINT)
            break
    return said + process.communicate()[0]


@pytest_asyncio.fixture
async def here(node: Sandbox) -> AsyncIterator[Here]:
    with tempfile.TemporaryDirectory(prefix="ovsnet-") as name:  # a short name, for sockets have it in theirs
        directory = Path(name)
        shutil.copytree(WELL, directory / "must-gather")
        for archive in ("sosreport", "sosreport-node1", "n1", "n2"):
            shutil.make_archive(str(directory / archive), "xztar", WELL)
        (directory / "host").mkdir()
        (directory / "values.yaml").write_text("OVN_REMOTE_PROBE_INTERVAL: 10000\n")
        async with serving(node.rundir) as agent:
            here = Here(directory, node, agent.place)
            yield here
        if (directory / "node").exists():
            await here.complaint(["sandbox", "down", "/tmp/node"], Run())


@pytest.mark.parametrize("page", DOCUMENTED)
async def test_commands_of_a_page_do_what_it_says(here: Here, page: str) -> None:
    complaints = [
        await here.complaint(command.words, run)
        for command in DOCUMENTED[page]
        if isinstance(run := COMMANDS.get(command.beginning), Run)
    ]
    assert "".join(complaints) == ""


def test_every_documented_command_has_an_entry_and_every_entry_a_command() -> None:
    every = {command for commands in DOCUMENTED.values() for command in commands}
    assert [" ".join(command.words) for command in every if not command.beginning] == []
    assert set(COMMANDS) - {command.beginning for command in every} == set()


def test_new_command_has_no_entry() -> None:
    page = "Repair it:\n\n    ovsnet repair --all   # at once\n    cat log | ovsnet explain - > answer\n"
    assert shown(page) == (Typed(("repair", "--all"), ""), Typed(("explain", "-"), "explain -"))


def test_what_is_not_run_here_is_run_elsewhere() -> None:
    elsewhere = {words.split()[-1]: each.test for words, each in COMMANDS.items() if isinstance(each, Elsewhere)}
    assert [word for word, test in elsewhere.items() if f'"{word}"' not in (ROOT / test).read_text()] == []
