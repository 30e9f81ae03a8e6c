"""What ovsnet shows to the outside, as text: the flags, the endpoints' bodies, the metrics, and every verdict.

``python -m tests.golden.faces`` rewrites the files beside this module, ``--print NAME`` prints one. A change of one of
them is a change of the contract, and belongs into the changelog.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import click
from click.testing import CliRunner

from ovsnet.agent.past import SLOTS
from ovsnet.cli import ovsnet
from ovsnet.config import Settings
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes as all_causes
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.diagnosis import diagnose
from ovsnet.health.timeline import STAGES, Timeline
from ovsnet.node.rundir import Rundir
from ovsnet.web.server import serving
from tests.health.results import result
from tests.web.conftest import BoardedAgent

HERE = Path(__file__).parent
NOW = 1000.0


def commands(command: click.Command = ovsnet, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, the groups included."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


def flags() -> str:
    """The help of every command."""
    runner = CliRunner(env={"COLUMNS": "110", "TERM": "dumb"})
    pages = []
    for path in commands():
        done = runner.invoke(ovsnet, [*path, "--help"], prog_name="ovsnet")
        assert done.exit_code == 0, done.output
        pages.append(f"$ ovsnet {' '.join((*path, '--help'))}\n{done.output}")
    return "\n".join(pages)


REASONS = (
    *("permission-denied", "protocol", "unfit", "socket-missing", "refused", "closed", "gone", "unreachable", "tls"),
    *("hung", "late", "busy", "starved", "timeout", "backlog-full", "locked-out", "second-vswitchd", "bridge-missing"),
    *("datapath-missing", "flow-restore-wait", "no-database", "controller-paused", "no-southbound", "unknown-database"),
    *("stale", "northd-version-mismatch", "controller-not-connected", "controller-no-openflow", "flows-missing"),
    *("process-unseen", "unseen", "no-descriptors", "own-limit", "own-memory", "internal", "of a new kind"),
)
_STATUS = dict.fromkeys(("late", "busy", "starved"), Status.SLOW) | dict.fromkeys(
    ("process-unseen", "unseen", "own-limit", "own-memory", "internal"), Status.UNKNOWN
)


def _timeline(*, over: bool) -> Timeline:
    made = Timeline(NOW - 1, CHECKS)
    for stage in STAGES if over else ():
        made.observe(Result(stage.check, Status.OK, NOW - 1))
    return made


def _verdict(results: list[Result], *, over: bool) -> str:
    named = {each.name: each for each in results}
    found = diagnose(named, _timeline(over=over), now=NOW, allowance=60.0)
    marks = ("dead" if found.dead else "") + (" proven" if found.proven else "")
    return " ".join([found.code, found.state.label, *marks.split(), *(f"+{code}" for code in found.also)])


def _result(check: str, reason: str) -> Result:
    return result(check, _STATUS.get(reason, Status.FAILED), NOW, reason, f"{check} says {reason}.")


def verdicts() -> str:
    """Every check with every reason, once the start is over and within it."""
    lines = []
    for check, reason in itertools.product(CHECKS, REASONS):
        results = [_result(check, reason)]
        lines.append(f"{check} {reason}: {_verdict(results, over=True)} | {_verdict(results, over=False)}")
    return "\n".join(lines) + "\n"


def pairs() -> str:
    """Every two results of different checks that may be told together."""
    sample = [
        *(("ovsdb.echo", "hung"), ("ovsdb.echo", "gone"), ("ovsdb.echo", "busy"), ("ovsdb.bridge", "bridge-missing")),
        *(("vswitchd.ofproto", "hung"), ("vswitchd.ofproto", "gone"), ("vswitchd.ofproto", "late")),
        *(("openflow.echo", "hung"), ("openflow.echo", "late"), ("openflow.accept", "backlog-full")),
        *(("openflow.flows", "flows-missing"), ("controller.running", "hung"), ("controller.running", "gone")),
        *(("controller.running", "late"), ("controller.connection", "controller-not-connected")),
        *(("southbound.echo", "hung"), ("southbound.echo", "refused"), ("southbound.fresh", "stale")),
        ("host.fit", "unfit"),
    ]  # fmt: skip
    lines = []
    for one, other in itertools.combinations(sample, 2):
        if one[0] != other[0]:
            results = [_result(*one), _result(*other)]
            lines.append(f"{one} {other}: {_verdict(results, over=True)} | {_verdict(results, over=False)}")
    return "\n".join(lines) + "\n"


def causes() -> str:
    """Every code with its texts."""
    return "".join(
        f"{each.code} {each.state.label}{' dead' * each.dead}{' brief' * each.brief}{' in-start' * each.in_start}\n"
        f"  {each.summary}\n  {each.remedy}\n"
        for each in (*all_causes(), UNEXPLAINED)
    )


def _slow(agent: BoardedAgent) -> None:
    agent.all_well()
    agent.tell("vswitchd.ofproto", Status.SLOW, "busy", "It is at work.")


def _hung(agent: BoardedAgent) -> None:
    agent.all_well()
    agent.tell("vswitchd.ofproto", Status.FAILED, "hung", "It stands still.")
    agent.tell("openflow.echo", Status.SKIPPED, "precondition", "vswitchd.ofproto failed.")


def _dead(agent: BoardedAgent) -> None:
    agent.all_well()
    agent.tell("ovsdb.echo", Status.FAILED, "gone", "Its process has ended.")
    agent.now += 31


def _leaving(agent: BoardedAgent) -> None:
    agent.all_well()
    agent.leaving = True


SCENES: dict[str, Callable[[BoardedAgent], None]] = {
    "nothing known": lambda agent: None,
    "healthy": BoardedAgent.all_well,
    "slow": _slow,
    "hung": _hung,
    "dead": _dead,
    "leaving": _leaving,
}
PATHS = (
    *("/livez", "/readyz", "/readyz?verbose", "/readyz?exclude=vswitchd.ofproto&exclude=nothing"),
    *("/readyz/openflow.echo", "/readyz/nothing", "/startupz", "/ovs/livez", "/status", "/history", "/metrics"),
    *("/", "/nothing"),
)


async def _bodies() -> str:
    answers = []
    for scene, play in SCENES.items():
        for path in PATHS:
            with tempfile.TemporaryDirectory() as directory:
                place = Path(directory)
                agent = BoardedAgent(Settings(), Rundir(place, place))
                agent.name, agent.wall = "NODE", agent.clock
                play(agent)
                async with (
                    serving(agent, ("127.0.0.1:0",)) as urls,
                    aiohttp.ClientSession() as client,
                    client.get(urls[0] + path) as response,
                ):
                    body = (await response.text()).replace(directory, "RUNDIR")
                answers.append(f"{scene}: GET {path} -> {response.status}\n{_settled(path, body, agent.now)}")
    return "\n".join(answers)


def _settled(path: str, body: str, now: float) -> str:
    """The body without what differs from run to run."""
    if path in ("/status", "/history") and body.startswith("{"):
        document = json.loads(body)
        if path == "/history":
            del document["since"]  # its slots begin at times that the clock divides
        body = json.dumps(_relative(document, now), indent=1) + "\n"
    if path == "/metrics":
        body = "".join(f"{line}\n" for line in body.splitlines() if "ovsnet_" in line and not _VARIES.search(line))
        body = _DEAD.sub(lambda found: f"{found[1]}{round(float(found[2]), 2)}", body)
    return body


_VARIES = re.compile(r"^ovsnet_(loop|http|connections|stage_seconds)")
_DEAD = re.compile(r"(?m)^(ovsnet_dead_seconds )(\S+)")
"""A difference of two readings of a clock that began with the host: its last bits vary."""


def _relative(document: object, now: float, key: str = "") -> object:
    if isinstance(document, dict):
        return {name: _relative(value, now, name) for name, value in document.items()}
    if isinstance(document, list):
        if len(document) == SLOTS:
            document = document[-1:]
        return [_relative(value, now) for value in document]
    if key == "version":
        return "VERSION"
    if key in ("since", "at", "now", "dead_since") and isinstance(document, float):
        return round(document - now, 2)
    return round(document, 2) if isinstance(document, float) else document


def bodies() -> str:
    """What every endpoint answers in every scene."""
    return asyncio.run(_bodies())


FACES: dict[str, Callable[[], str]] = {
    "flags.txt": flags,
    "verdicts.txt": verdicts,
    "pairs.txt": pairs,
    "causes.txt": causes,
    "bodies.txt": bodies,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--print"]:
        sys.stdout.write(FACES[sys.argv[2]]())
        sys.exit()
    for name in sys.argv[1:] or FACES:
        (HERE / name).write_text(FACES[name](), encoding="utf-8")
