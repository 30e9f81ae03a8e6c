"""``ovsnet check`` on real nodes."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest

from ovsnet.cli.check import ANSWER_SHARE, check
from ovsnet.cli.check import _text as check_text
from ovsnet.config import Settings
from ovsnet.config.duration import seconds
from ovsnet.health.checks import CHECKS, Check, Result
from ovsnet.health.checks.round import ask_all
from ovsnet.node.node import Node
from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ended, Ovsnet
from tests.namespaces import OTHER_PID_NAMESPACE, OWN_MOUNTS


async def in_a_thread(ovsnet: Ovsnet, *arguments: object) -> Ended:
    """A command has an event loop of its own, so it needs a thread beside ours."""
    return await asyncio.to_thread(ovsnet, *arguments)


async def test_ready_node_is_0_with_the_diagnosis_and_a_line_per_check(shared_node: Sandbox, ovsnet: Ovsnet) -> None:
    code, out, err = await in_a_thread(ovsnet, "check", "--rundir", shared_node.rundir)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "healthy: All required checks pass."
    assert [line.split()[1] for line in lines[1:]] == list(CHECKS)
    (echo,) = [line for line in lines if " ovsdb.echo " in line]
    assert echo.startswith("  ok ")
    assert echo.endswith(" ms")


def test_what_is_wrong_comes_first_and_the_rest_as_it_was() -> None:
    statuses = ("ok", "skipped", "slow", "ok", "failed", "unknown", "failed")
    checks = [
        {"name": f"c{number}", "status": status, "detail": "It is so.", "rtt_seconds": None}
        for number, status in enumerate(statuses)
    ]
    diagnosis = {"code": "x", "summary": "X.", "remedy": "", "also": []}
    text = check_text(
        {"state": "ready", "diagnosis": diagnosis, "checks": checks, "rundir": {"ovs": "/run", "others": []}}
    )
    assert re.findall(r"(c\d)  It is so\.", text) == ["c4", "c6", "c2", "c5", "c0", "c1", "c3"]


async def test_json_is_the_status_document(shared_node: Sandbox, ovsnet: Ovsnet) -> None:
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", shared_node.rundir, "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document) >= {"node", "state", "diagnosis", "checks", "timeline", "versions", "knobs"}
    assert (document["state"], document["diagnosis"]["code"]) == ("ready", "healthy")
    assert document["node"] == socket.gethostname()
    assert [each["name"] for each in document["checks"]] == list(CHECKS)


async def test_rundir_is_taken_from_ovs_rundir(
    shared_node: Sandbox, ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVS_RUNDIR", str(shared_node.rundir))
    assert (await in_a_thread(ovsnet, "check")).code == 0


async def test_named_checks_are_asked_with_those_they_need_and_no_others(shared_node: Sandbox, ovsnet: Ovsnet) -> None:
    arguments = ["check", "openflow.echo", "--rundir", shared_node.rundir, "--json"]
    code, out, _ = await in_a_thread(ovsnet, *arguments)
    assert code == 0
    assert [each["name"] for each in json.loads(out)["checks"]] == ["ovsdb.echo", "vswitchd.ofproto", "openflow.echo"]


def test_unknown_name_is_2_with_where_the_names_are(ovsnet: Ovsnet) -> None:
    code, out, err = ovsnet("check", "nothing")
    assert (code, out) == (2, "")
    assert err.startswith("ovsnet: There is no check 'nothing'. The checks are listed by `ovsnet check`.")


async def test_empty_run_directory_is_3_because_the_daemons_may_be_elsewhere(
    shared_node: Sandbox, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", tmp_path)
    lines = out.splitlines()
    assert code == 3
    assert lines[0].startswith("not-visible: ")
    assert lines[1].startswith(
        f"  remedy: Start Open vSwitch if it is stopped: its sockets are expected in {tmp_path}."
    )
    (echo,) = [line for line in lines if line.startswith("  FAILED  ovsdb.echo")]
    assert str(shared_node.pid("ovsdb-server")) in echo
    assert any(line.startswith("  -       ovsdb.bridge") for line in lines)


@pytest.mark.parametrize(
    ("flags", "exit_code", "verdict"),
    [
        (("--database", "tcp:no-such-host.invalid:6640"), 3, "name-unresolved"),
        (("--database", "ssl:127.0.0.1:1"), 2, "misconfigured"),
    ],
)
async def test_address_of_the_database_that_is_wrong_leaves_it_unsaid_whether_the_node_works(
    shared_node: Sandbox, ovsnet: Ovsnet, flags: tuple[str, ...], exit_code: int, verdict: str
) -> None:
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", shared_node.rundir, *flags)
    assert (code, out.partition(":")[0]) == (exit_code, verdict)
    assert "Start it" not in out


async def test_host_without_any_run_directory_is_3_where_no_daemon_can_be_seen(shared_node: Sandbox) -> None:
    """As in a container that has neither the run directory nor the processes of its host."""
    nowhere = 'mount -t tmpfs none /run && exec "$@"'
    words = (*OWN_MOUNTS, *OTHER_PID_NAMESPACE, "sh", "-c", nowhere, "sh", sys.executable, "-m", "ovsnet", "check")
    result = await anyio.run_process(words, check=False)
    assert (result.returncode, result.stdout.decode().partition(":")[0]) == (3, "not-visible")
    assert b"Traceback" not in result.stderr


@pytest.mark.restored
async def test_killed_server_is_1_with_root_remedy_and_the_others(node: Sandbox, ovsnet: Ovsnet) -> None:
    await node.kill("ovs-vswitchd")
    await node.kill("ovsdb-server")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir)
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith("ovsdb-down: ")
    assert lines[1].startswith("  remedy: Start it")
    assert lines[2].startswith("  also: vswitchd-down")
    assert any(line.startswith("  FAILED  ovsdb.echo") for line in lines)
    assert any(line.startswith("  -       ovsdb.bridge") for line in lines)


def test_answer_is_waited_for_as_long_as_an_agent_waits() -> None:
    (timeout,) = (each for each in check.params if each.name == "timeout")
    assert seconds(str(timeout.default)) == Settings().timeout / ANSWER_SHARE


@pytest.mark.restored
async def test_frozen_switch_is_1_and_hung_within_one_command(node: Sandbox, ovsnet: Ovsnet) -> None:
    await node.freeze("ovs-vswitchd")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--timeout", 0.6)
    assert code == 1
    assert out.startswith("vswitchd-hung: ")
    assert "is stopped" in out


async def test_degraded_node_is_0(node: Sandbox, ovsnet: Ovsnet) -> None:
    await node.stop("ovn-sb")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--json")
    assert (code, json.loads(out)["state"]) == (0, "degraded")


def test_socket_that_we_may_not_open_is_3(ovsnet: Ovsnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may open everything, so the refusal of the kernel is played."""

    def refuse(sock: socket.socket, address: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(socket.socket, "connect", refuse)
    code, out, _ = ovsnet("check", "ovsdb.echo", "--rundir", tmp_path)
    assert (code, out.partition(":")[0]) == (3, "permission-denied")


async def test_plugin_of_node_problem_detector_says_one_line_and_0_1_or_2(
    shared_node: Sandbox, node: Sandbox, tmp_path: Path, ovsnet: Ovsnet
) -> None:
    npd = ("check", "--format", "npd", "--rundir")
    assert await in_a_thread(ovsnet, *npd, shared_node.rundir) == (0, "healthy: All required checks pass.\n", "")
    assert (await in_a_thread(ovsnet, *npd, tmp_path))[0] == 2
    await node.kill("ovs-vswitchd")
    code, out, _ = await in_a_thread(ovsnet, *npd, node.rundir)
    assert (code, out.count("\n")) == (1, 1)
    assert out.startswith(("vswitchd-down: ", "starting: ")), "the others have only just started"


@pytest.mark.restored
@pytest.mark.parametrize("timeout", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovn-controller"])
async def test_stopped_daemon_is_hung_whatever_the_timeout(
    node: Sandbox, ovsnet: Ovsnet, daemon: str, timeout: float
) -> None:
    """The first question and the look at what became of it share one deadline."""
    code_of = {"ovsdb-server": "ovsdb-hung", "ovn-controller": "controller-hung"}
    await node.freeze(daemon)
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--timeout", timeout)
    assert (code, out.partition(":")[0]) == (1, code_of[daemon])


@pytest.mark.restored
async def test_first_round_that_took_the_whole_timeout_still_ends_in_a_proof(
    node: Sandbox, ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that has no CPU for us: the silence began when we came to ask, not when we began."""
    rounds = 0

    async def late(checks: Iterable[Check], of: Node) -> dict[str, Result]:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0.6 if rounds == 1 else 0)
        return await ask_all(checks, of)

    monkeypatch.setattr("ovsnet.cli.check.ask_all", late)
    await node.freeze("ovn-sb")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--timeout", 0.5)
    assert (code, rounds) == (0, 2)
    assert out.startswith("southbound-hung: ")


async def test_part_of_the_checks_says_nothing_good_of_the_node(node: Sandbox, ovsnet: Ovsnet) -> None:
    """ovsdb-server answers, and what was not asked stands still."""
    await node.freeze("ovs-vswitchd")
    code, out, _ = await in_a_thread(ovsnet, "check", "ovsdb.echo", "--rundir", node.rundir)
    assert (code, out.splitlines()[0]) == (0, f"partly-asked: 1 of {len(CHECKS)} checks were asked, and they pass.")


async def test_host_of_the_databases_alone_is_well_and_misses_no_switch(node: Sandbox, ovsnet: Ovsnet) -> None:
    for daemon in ("ovn-controller", "ovs-vswitchd", "ovsdb-server"):
        await node.stop(daemon)
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir)
    assert (code, out.partition(":")[0]) == (1, "ovsdb-down")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--switch=off")
    assert (code, out.partition(":")[0]) == (0, "healthy")
    assert any(line.split()[:2] == ["ok", "northd.connection"] for line in out.splitlines())
    await node.kill("ovn-nb")
    code, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir, "--switch=off")
    assert (code, out.partition(":")[0]) == (0, "nb-down")


async def test_other_installations_of_the_host_are_named(shared_node: Sandbox, node: Sandbox, ovsnet: Ovsnet) -> None:
    """None is named, so one is chosen: the person must see that there was a choice."""
    _, out, _ = await in_a_thread(ovsnet, "check")
    lines = [each for each in out.splitlines() if "another Open vSwitch" in each]
    _, document, _ = await in_a_thread(ovsnet, "check", "--json")
    rundir = json.loads(document)["rundir"]
    for each in (shared_node, node):
        named = f"{each.rundir} (ovsdb-server {each.pid('ovsdb-server')}, "
        assert any(f"  of {each.rundir};" in line or named in line for line in lines)
        assert str(each.rundir) == rundir["ovs"] or any(other.startswith(named) for other in rundir["others"])
    _, out, _ = await in_a_thread(ovsnet, "check", "--rundir", node.rundir)
    assert "another Open vSwitch" not in out, "who named one knows which"
