"""The shipped units under a real systemd, beside Debian's own units of Open vSwitch and OVN."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.deploy.systemd.units import DEBIAN, RHEL, doctor, service
from release.pins import SOURCE
from tests.system.conftest import OVSNET
from tests.system.machine import Machine, until

ASK_ON_AND_ON = """
import http.client, sys, time
print("asking", flush=True)
sys.stdin.readline()
answers, end = [], time.monotonic() + 3
while time.monotonic() < end:
    client = http.client.HTTPConnection("127.0.0.1", 10670, timeout=30)
    client.request("GET", "/livez", headers={"Connection": "close"})
    answers.append(client.getresponse().status)
    client.close()
print(sorted(set(answers)), len(answers))
"""
"""A new connection for each question. Any refusal, reset or answer but 200 ends it with a traceback or shows."""

ASK_ONCE = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:10670/livez", timeout=60).read().decode(), end="")
"""


EXPOSURE = {DEBIAN: 15, RHEL: 12}
"""Tenths. Open vSwitch runs as root on Debian, and its sockets accept nobody else: root alone is 0.4."""

DOCTOR_EXPOSURE = 30

(WITHOUT_IP,) = re.findall(
    r"^```ini\n(\[Service\]\nRestrictAddressFamilies=.*?)^```$",
    (SOURCE / "docs/deployment.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)

PROBED = {
    *("ovsdb.echo", "vswitchd.ofproto", "openflow.echo", "openflow.flows", "controller.running"),
    *("controller.connection", "southbound.echo"),
}
"""Checks that a sandbox might forbid, each by another kind of socket or file."""


def ask(machine: Machine, path: str) -> tuple[int, str]:
    """Over the unix socket that systemd holds."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(machine.inside("/run/ovsnet.sock")))
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        return response.status, response.read().decode()


def statuses(machine: Machine) -> dict[str, str]:
    return {check["name"]: check["status"] for check in json.loads(ask(machine, "/status")[1])["checks"]}


def main_pid(machine: Machine) -> str:
    return machine.show("ovsnet.service", "MainPID")


@pytest.fixture
def running(machine: Machine) -> Machine:
    """The service is active, whatever the test before did to it."""
    machine.run("systemctl", "start", "ovsnet.socket", "ovsnet.service")
    until(lambda: ask(machine, "/readyz")[0] == 200, "readiness")
    return machine


def test_first_boot_without_a_bridge_is_not_held_up(bare_machine: Machine) -> None:
    """ovn-controller is to wait for OpenFlow, and is itself the one that makes the bridge."""
    bare_machine.until_active("ovn-controller.service")
    bare_machine.until_active("ovsnet.service")
    # Who waited until his time was up would say which stage was not reached.
    assert "the database holds no bridge br-int" in bare_machine.journal("ovn-controller.service")


def test_host_is_examined_and_nothing_waits_for_it(bare_machine: Machine) -> None:
    until(
        lambda: bare_machine.show("ovsnet-doctor.service", "ActiveState") != "activating", "the end of the examination"
    )
    assert bare_machine.show("ovsnet-doctor.service", "Result") == "success"
    waiting = bare_machine.show("ovsnet-doctor.service", "Before").split()
    assert [unit for unit in waiting if unit.startswith("ov")] == []
    assert "kernel" in bare_machine.journal("ovsnet-doctor.service")


def test_link_for_tools_with_another_prefix_is_there(bare_machine: Machine) -> None:
    assert bare_machine.run("readlink", "/usr/local/var/run/openvswitch").strip() == "/run/openvswitch"


def test_node_is_ready_and_systemctl_says_so_in_words(running: Machine) -> None:
    assert ask(running, "/readyz") == (200, "ok\n")
    until(lambda: running.show("ovsnet.service", "StatusText").startswith("healthy: "), "the status line")


def test_units_are_clean_and_little_exposed(running: Machine) -> None:
    units = [f"/etc/systemd/system/{name}" for name in ("ovsnet.service", "ovsnet.socket", "ovsnet-doctor.service")]
    running.run("systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", *units)
    for family, most in EXPOSURE.items():
        for text, tenths in ((service(family, "/usr/bin/ovsnet"), most), (doctor("/usr/bin/ovsnet"), DOCTOR_EXPOSURE)):
            unit = running.inside("/etc/systemd/system/ovsnet-exposed.service")
            unit.write_text(text)
            running.run(
                "systemd-analyze",
                "security",
                "--offline=true",
                f"--threshold={tenths}",
                f"/etc/systemd/system/{unit.name}",
            )
            unit.unlink()


@pytest.fixture
def without_ip(running: Machine) -> Iterator[Machine]:
    """With the drop-in of docs/deployment.md."""
    drop_in = running.inside("/etc/systemd/system/ovsnet.service.d/without-ip.conf")
    drop_in.write_text(WITHOUT_IP)
    restart(running)
    yield running
    drop_in.unlink()
    restart(running)


def restart(machine: Machine) -> None:
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "ovsnet.service")
    until(lambda: ask(machine, "/readyz")[0] == 200, "readiness")


def test_debian_s_unit_without_sockets_of_ip_is_still_less_exposed_and_works(without_ip: Machine) -> None:
    unit = "/etc/systemd/system/ovsnet-exposed.service"
    without_ip.inside(unit).write_text(service(DEBIAN, "/usr/bin/ovsnet") + WITHOUT_IP)
    without_ip.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE[RHEL]}", unit)
    without_ip.inside(unit).unlink()
    until(lambda: {name for name, status in statuses(without_ip).items() if status == "ok"} >= PROBED, "every probe")
    assert without_ip.run("python3", "-c", ASK_ONCE) == "ok\n"


def test_sandbox_is_in_force_and_the_probes_work_under_it(running: Machine) -> None:
    process = running.inside(f"/proc/{main_pid(running)}")
    status = dict(re.findall(r"^(\w+):\t(.*)$", (process / "status").read_text(), re.M))
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0000000000000000"}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    mounts = {line.split()[4]: line.split()[5] for line in (process / "mountinfo").read_text().splitlines()}
    assert all(mounts[place].startswith("ro") for place in ("/", "/sys/fs/cgroup"))
    assert {"/home", "/root", "/tmp"} <= mounts.keys()
    # A machine that is short of CPU may be slow for a moment. A probe that the sandbox forbids would never be ok.
    until(lambda: set(statuses(running).values()) <= {"ok", "skipped"}, "well-being", lambda: str(statuses(running)))
    until(lambda: {name for name, status in statuses(running).items() if status == "ok"} >= PROBED, "every probe")


def test_proof_of_a_hang_works_without_any_capability(running: Machine) -> None:
    """The agent reads another process's state out of /proc, from inside its sandbox."""
    switch = running.run("pidof", "ovs-vswitchd").strip()
    running.run("kill", "-STOP", switch)
    try:
        until(lambda: ask(running, "/readyz")[1].startswith("vswitchd-hung"), "the diagnosis")
        until(lambda: running.show("ovsnet.service", "StatusText").startswith("vswitchd-hung"), "the status line")
    finally:
        running.run("kill", "-CONT", switch)
    until(lambda: ask(running, "/readyz")[0] == 200, "readiness")


def test_journal_has_priorities(running: Machine) -> None:
    said = running.run("journalctl", "--unit=ovsnet.service", "--output=json", "--no-pager")
    entries = [json.loads(line) for line in said.splitlines()]
    priorities = {entry["PRIORITY"] for entry in entries if str(entry["MESSAGE"]).startswith("vswitchd-hung: ")}
    assert priorities == {"4"}
    assert any(entry["PRIORITY"] == "6" and "serving on" in str(entry["MESSAGE"]) for entry in entries)


def test_first_hit_on_the_socket_starts_the_service(running: Machine) -> None:
    running.run("systemctl", "stop", "ovsnet.service")
    assert running.show("ovsnet.service", "ActiveState") == "inactive"
    assert ask(running, "/livez") == (200, "ok\n")
    running.until_active("ovsnet.service")


def test_who_asks_after_kill_9_waits_for_the_next_life_and_is_answered(running: Machine) -> None:
    before = main_pid(running)
    argv = [*running.enter(), "/usr/bin/python3", "-c", ASK_ON_AND_ON]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "asking\n"
        running.signal("ovsnet.service", signal.SIGKILL)
        until(lambda: not running.inside(f"/proc/{before}/fd/0").exists(), "its death")
        answers, _ = client.communicate("go\n")
    assert client.returncode == 0
    assert answers.startswith("[200] ")
    assert main_pid(running) != before


def test_blocked_loop_is_restarted_by_the_watchdog(running: Machine) -> None:
    restarts = int(running.show("ovsnet.service", "NRestarts"))
    running.signal("ovsnet.service", signal.SIGUSR1)
    until(lambda: int(running.show("ovsnet.service", "NRestarts")) == restarts + 1, "the restart")
    assert "Watchdog timeout" in running.journal("ovsnet.service")
    assert ask(running, "/livez")[0] == 200


def test_reload_with_a_broken_file_keeps_the_old_configuration_and_says_why(running: Machine) -> None:
    config, before = running.inside("/etc/ovsnet/ovsnet.toml"), main_pid(running)
    good = config.read_text()
    config.write_text("interval = -1\n")
    running.run("systemctl", "reload", "ovsnet.service")
    says = "The old configuration stays: "
    until(lambda: says in running.show("ovsnet.service", "StatusText"), "the refusal")
    assert "interval" in running.show("ovsnet.service", "StatusText")
    assert says in running.journal("ovsnet.service")
    assert ask(running, "/readyz")[0] == 200
    config.write_text(good)
    running.run("systemctl", "reload", "ovsnet.service")
    until(lambda: running.show("ovsnet.service", "StatusText").startswith("healthy"), "the new configuration")
    assert main_pid(running) == before


def test_stop_is_clean_and_quick(running: Machine) -> None:
    running.run("systemctl", "stop", "ovsnet.socket", "ovsnet.service")
    assert running.show("ovsnet.service", "Result") == "success"  # not "timeout", after TimeoutStopSec
    assert running.show("ovsnet.service", "ExecMainStatus") == "0"
    assert not running.inside("/run/ovsnet.sock").exists()


def test_removal_leaves_nothing_of_ours(running: Machine) -> None:
    running.run(OVSNET, "install", "--remove")
    left = running.run("sh", "-c", "ls -d /etc/systemd/system/*ovsnet* /etc/ovsnet /etc/tmpfiles.d/* || true")
    assert [Path(line).name for line in left.splitlines()] == ["ovsnet.service.d"]  # that one is the test's
