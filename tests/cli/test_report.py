"""``ovsnet report`` of a real node, and what reads it by --from."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tarfile
from pathlib import Path

from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ended, Ovsnet
from tests.report.test_report import unpacked
from tests.serving import serving

NOBODY = "127.0.0.1:1"


async def run(ovsnet: Ovsnet, *arguments: object) -> Ended:
    """A command has an event loop of its own, so it needs a thread beside ours."""
    return await asyncio.to_thread(ovsnet, *arguments)


async def made(ovsnet: Ovsnet, node: Sandbox, path: Path, *arguments: object, listen: str = NOBODY) -> Ended:
    ended = await run(ovsnet, "report", "--rundir", node.rundir, "--listen", listen, "--out", path, *arguments)
    assert ended.code == 0, ended.err
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    return ended


async def test_report_without_an_agent_is_read_by_every_command(
    shared_node: Sandbox, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    path = tmp_path / "report.tar.gz"
    ended = await made(ovsnet, shared_node, path)
    assert "missing: history: No agent answers" in ended.out
    check = await run(ovsnet, "check", "--from", path)
    assert check.code == 0
    assert f"A report of {os.uname().nodename} made at " in check.out
    assert "healthy: All required checks pass." in check.out
    one = await run(ovsnet, "check", "ovsdb.echo", "--from", path, "--json")
    assert [each["name"] for each in json.loads(one.out)["checks"]] == ["ovsdb.echo"]
    live = await run(ovsnet, "doctor", "--rundir", shared_node.rundir, "--json")
    then = await run(ovsnet, "doctor", "--from", path, "--json")
    assert then.code == live.code
    assert {each["code"] for each in json.loads(then.out)["findings"]} == {
        each["code"] for each in json.loads(live.out)["findings"]
    }
    lint = await run(ovsnet, "tune", "lint", "--from", path)
    live = await run(ovsnet, "tune", "lint", "--rundir", shared_node.rundir)
    assert (lint.code, lint.out.splitlines()[-1]) == (live.code, live.out.splitlines()[-1])
    explained = await run(ovsnet, "explain", path)
    assert explained.code in (0, 1)
    assert "START" in explained.out


async def test_report_asks_the_agent_that_runs(shared_node: Sandbox, ovsnet: Ovsnet, tmp_path: Path) -> None:
    path = tmp_path / "report.tar.gz"
    async with serving(shared_node.rundir) as agent:
        await made(ovsnet, shared_node, path, listen=agent.place)
    assert "as the agent saw it then" in (await run(ovsnet, "check", "--from", path)).out


async def test_anonymous_report_names_no_host_and_is_read_all_the_same(
    shared_node: Sandbox, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    path = tmp_path / "report.tar.gz"
    await made(ovsnet, shared_node, path, "--anonymous")
    status = json.loads(unpacked(path.read_bytes())["ovsnet-report/status.json"])
    assert status["node"] == "node-1"
    for command in (("check",), ("tune", "lint")):
        assert (await run(ovsnet, *command, "--from", path)).code == 0
    assert (await run(ovsnet, "explain", path)).code in (0, 1)


async def test_report_of_a_node_whose_daemons_are_gone_has_the_logs_and_says_what_is_wrong(
    node: Sandbox, ovsnet: Ovsnet, tmp_path: Path
) -> None:
    path = tmp_path / "report.tar.gz"
    for daemon in ("ovn-controller", "ovs-vswitchd", "ovsdb-server"):
        await node.stop(daemon)
    ended = await made(ovsnet, node, path)
    assert "missing: lint: " in ended.out
    check = await run(ovsnet, "check", "--from", path)
    assert (check.code, "ovsdb-down" in check.out) == (1, True)
    lint = await run(ovsnet, "tune", "lint", "--from", path)
    assert lint.code == 3
    assert "The report holds no database" in lint.err
    assert "START" in (await run(ovsnet, "explain", path)).out


def test_command_that_needs_what_the_report_lacks_cannot_tell(ovsnet: Ovsnet, tmp_path: Path) -> None:
    directory = tmp_path / "ovsnet-report"
    directory.mkdir()
    missing = {"doctor": "/proc could not be read."}
    (directory / "manifest.json").write_text(json.dumps({"ovsnet_report": 1, "made": 1, "missing": missing}))
    code, _, err = ovsnet("doctor", "--from", directory)
    assert (code, "/proc could not be read" in err) == (3, True)
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(__file__, "a.py")
    for arguments in (("check",), ("doctor",)):
        code, _, err = ovsnet(*arguments, "--from", tmp_path / "other.tar")
        assert (code, "There is no report of ovsnet" in err) == (3, True)
    code, _, err = ovsnet("doctor", "--fix", "--from", directory)
    assert (code, "neither --fix nor --root" in err) == (2, True)


def test_report_that_cannot_be_written(ovsnet: Ovsnet, tmp_path: Path) -> None:
    code, _, err = ovsnet("report", "--rundir", tmp_path, "--listen", NOBODY, "--out", "/nowhere/r.tar.gz")
    assert (code, "Cannot write /nowhere/r.tar.gz" in err) == (2, True)


def test_nothing_to_be_seen_is_exit_code_3(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    code, out, _ = ovsnet("report", "--rundir", tmp_path / "run", "--listen", NOBODY, "--out", tmp_path / "r.tar.gz")
    assert code in (0, 3)
    assert "missing: logs: " in out


async def test_json_names_the_archive_and_what_is_in_it(shared_node: Sandbox, ovsnet: Ovsnet, tmp_path: Path) -> None:
    path = tmp_path / "report.tar.gz"
    found = json.loads((await made(ovsnet, shared_node, path, "--json")).out)
    assert found["path"] == str(path)
    inside = {name.removeprefix("ovsnet-report/").removesuffix(".json") for name in unpacked(path.read_bytes())}
    assert set(found["parts"]) <= inside
    assert "history" in found["missing"]
