"""Certificates that have ended or end soon: the decision, and the files of a real node."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.host import judge_certificates
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.certificates import Dated, PemFile, dated, named_by
from ovsnet.node.renewals import KeyPair, is_stale, not_loaded, pairs_named_by
from ovsnet.protocol.certificates import Validity
from ovsnet.sandbox.daemons import Layout, database_file
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from tests.faults.certificates import certified, ended, renew
from tests.faults.programs import program
from tests.health.checks.conftest import Asking

DAY = 86400.0
NOW = 1_800_000_000.0


def lasting(begins: float, ends: float, name: str = "/a.pem") -> Dated:
    """Days before and after ``NOW``."""
    return Dated(PemFile(name, "ovn-controller"), Validity(NOW + begins * DAY, NOW + ends * DAY))


@pytest.mark.parametrize(
    ("begins", "ends", "reason", "word"),
    [
        (-400, -0.001, "certificate-expired", "Renew /a.pem, which ovn-controller uses. If"),
        (0.001, 400, "certificate-expired", "clock"),
        (-400, 29.9, "certificate-expires", "within 30 days"),
        (-400, 30.1, "", ""),
        (-60, 30, "", ""),
        (-82, 8, "certificate-expires", "within 8 days"),
        (-0.5, 0.5, "", ""),
    ],
)
def test_end_is_told_thirty_days_ahead_or_a_tenth_of_a_short_life(
    begins: float, ends: float, reason: str, word: str
) -> None:
    answer = judge_certificates([lasting(-10, 3000, "/fine.pem"), lasting(begins, ends)], NOW)
    assert answer.reason == reason
    result = Result("host.certificates", answer.status, 0.0, answer.reason, facts=answer.facts)
    if reason:
        cause = cause_of(result)
        assert cause is not None
        assert (cause.code, cause.state) == (reason, State.DEGRADED)
        assert word in cause.remedy_for(result.facts)


def test_one_that_ended_counts_more_than_one_that_ends_sooner() -> None:
    answer = judge_certificates([lasting(-99, 1, "/soon"), lasting(-99, -1, "/ended"), lasting(5, 99, "/early")], NOW)
    assert (answer.reason, answer.detail) == ("certificate-expired", "/ended of ovn-controller ended 1.0 days ago.")
    assert judge_certificates([], NOW).reason == "not-used"


def test_bundle_of_cas_lasts_as_long_as_its_last(tmp_path: Path) -> None:
    old, new = [certified(tmp_path / name, days) for name, days in (("old", -1), ("new", 9))]
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(old.certificate).read_bytes() + Path(new.certificate).read_bytes())
    missing = PemFile(str(tmp_path / "none"), "ovsnet")
    shown, trusted = dated([missing, PemFile(str(bundle), "ovsnet"), PemFile(str(bundle), "ovsnet", trusted=True)])
    assert not shown.is_valid(time.time())
    assert trusted.is_valid(time.time())


def test_command_line_names_files_in_every_way_that_getopt_takes(tmp_path: Path) -> None:
    words = [
        "ovsdb-server",
        "-c",
        "/c.pem",
        "--certificate=/cert.pem",
        "--ca-cert",
        "/ca.pem",
        "-v",
        "--private-key=/k",
    ]
    (tmp_path / "7").mkdir()
    for more in ([], ["--ca-cert=db:Open_vSwitch,SSL,ca_cert", "-C"]):
        (tmp_path / "7/cmdline").write_text("\0".join([*words, *more]) + "\0")
        found = [(each.path, each.trusted) for each in named_by(7, "ovsdb-server", tmp_path)]
        assert found == [("/c.pem", False), ("/cert.pem", False), ("/ca.pem", True)]


async def test_servers_files_are_read_from_its_command_line(tmp_path: Path, asking: Asking) -> None:
    async with Sandbox(door="ssl") as node, asking(node) as ask:
        assert (await ask("southbound.echo")).status is Status.OK
        well = await ask("host.certificates")
        file = Path(node.tls.certificate)
        with ended(file, tmp_path / "other"):
            told = await ask("host.certificates")
        again = await ask("host.certificates")
    assert [each.status for each in (well, told, again)] == [Status.OK, Status.FAILED, Status.OK]
    assert told.detail == f"{file} of ovsdb-server of the southbound ended 1.0 days ago."


async def test_node_without_tls_is_not_asked(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        assert (await ask("host.certificates")).reason == "not-used"


@pytest.mark.restored
async def test_row_of_the_database_counts_where_the_southbound_is_asked_over_tls(
    node: Sandbox, asking: Asking, tmp_path: Path
) -> None:
    files = certified(tmp_path / "tls", -1)
    row = ("--no-wait", "set-ssl", files.key, files.certificate, files.ca)
    async with asking(node) as ask:
        await node.run("ovs-vsctl", *row)
        assert (await ask("host.certificates")).reason == "not-used"
        setting = ("--no-wait", "set", "Open_vSwitch", ".", f'external_ids:ovn-remote="{node.southbound}')
        await node.run("ovs-vsctl", *setting[:-1], f'{setting[-1]},ssl:127.0.0.1:9"')
        result = await ask.until("host.certificates", lambda now: now.reason == "certificate-expired")
        await node.run("ovs-vsctl", *setting[:-1], f'{setting[-1]}"')
        await node.run("ovs-vsctl", "--no-wait", "del-ssl")
        await ask.until("host.certificates", lambda now: now.reason == "not-used")
    assert "of ovn-controller ended" in result.detail


@contextlib.asynccontextmanager
async def northbound_of_ovn_ctl(node: Sandbox) -> AsyncIterator[None]:
    """The northbound's server in place of the sandbox's, with the options that ovn-ctl gives it (``start_ovsdb__``)."""
    file, stem = Layout(node.directory).dbdir / database_file("ovn-nb"), node.rundir / "ovnnb_db"
    await node.stop("ovn-nb")
    columns = {"private-key": "private_key", "certificate": "certificate", "ca-cert": "ca_cert"}
    options = [f"--{option}=db:OVN_Northbound,SSL,{column}" for option, column in columns.items()]
    places = (f"--remote=punix:{stem}.sock", "--remote=db:OVN_Northbound,NB_Global,connections")
    own = (f"--unixctl={stem}.ctl", f"--pidfile={stem}.pid", "-vconsole:off")
    async with program(node, "ovsdb-server", str(file), *places, *options, *own):
        await node.wait_listening("ovnnb_db.sock")
        yield


async def test_row_of_the_northbound_counts_where_it_listens_for_tls(
    node: Sandbox, asking: Asking, tmp_path: Path
) -> None:
    files = certified(tmp_path / "tls", -1)
    async with northbound_of_ovn_ctl(node), asking(node) as ask:
        await node.run("ovn-nbctl", "set-ssl", files.key, files.certificate, files.ca)
        assert (await ask("host.certificates")).reason == "not-used"
        await node.run("ovn-nbctl", "set-connection", f"pssl:{free_ports(1)[0]}:127.0.0.1")
        told = await ask.until("host.certificates", lambda now: now.status is Status.FAILED)
        assert (await ask("host.renewals")).status is Status.OK
        await node.run("ovn-nbctl", "del-connection")
        await ask.until("host.certificates", lambda now: now.reason == "not-used")
    assert told.detail == f"{files.certificate} of ovsdb-server of OVN_Northbound ended 1.0 days ago."


async def test_row_of_the_switch_counts_where_a_bridge_has_a_controller_behind_tls(
    node: Sandbox, asking: Asking, tmp_path: Path
) -> None:
    files = certified(tmp_path / "tls", -1)
    await node.run("ovs-vsctl", "--no-wait", "set-ssl", files.key, files.certificate, files.ca)
    async with asking(node) as ask:
        assert (await ask("host.certificates")).reason == "not-used"
        await node.run("ovs-vsctl", "--no-wait", "set-controller", "br-int", "ssl:127.0.0.1:9")
        told = await ask.until("host.certificates", lambda now: now.status is Status.FAILED)
    assert told.detail == f"{files.certificate} of ovs-vswitchd ended 1.0 days ago."


async def test_server_loads_a_renewed_certificate_when_its_key_is_touched(asking: Asking) -> None:
    """lib/stream-ssl.c, ``stream_ssl_set_key_and_cert``: so do 3.1, 3.5 and 4.0."""
    async with Sandbox(door="ssl") as node:
        files, pid = node.tls, node.pid("ovn-sb")
        port = int(next(iter(node.doors.values())).rpartition(":")[2])
        old = await asyncio.to_thread(_shown, port)
        os.utime(files.key, (1.0, 1.0))
        await asyncio.to_thread(_shown, port)  # it sees the time of the key
        renew(files, 7)
        assert await asyncio.to_thread(_shown, port) == old
        assert not_loaded(*pairs_named_by(pid, "its server")) == KeyPair(
            files.certificate, files.key, "its server", pid
        )
        os.utime(files.key)
        await asyncio.to_thread(_shown, port)
        assert (await asyncio.to_thread(_shown, port)).strip() in _text(files.certificate)
        assert not_loaded(*pairs_named_by(pid, "its server")) is None


def _shown(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


def _text(file: str) -> str:
    return Path(file).read_text()


@pytest.mark.parametrize(
    ("certificate", "key", "stale"),
    [(900.0, 100.0, False), (1100.0, 100.0, True), (1100.0, 1090.0, False), (1100.0, 1200.0, False)],
)
def test_renewal_counts_after_the_start_and_with_a_key_that_is_much_older(
    certificate: float, key: float, stale: bool
) -> None:
    assert is_stale(certificate, key, started=1000.0) is stale


async def test_node_without_tls_has_nothing_to_load(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        assert (await ask("host.renewals")).reason == "not-used"
