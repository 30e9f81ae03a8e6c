"""``ovsnet doctor``, as a user meets it."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from ovsnet.cli.doctor import doctor, exit_code, repair_lines
from ovsnet.doctor.finding import ok, refused, repaired, unseen, warning
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.sandbox.node import Sandbox
from tests.namespaces import OTHER_PID_NAMESPACE
from tests.unprivileged import UNPRIVILEGED

PROGRAM = [sys.executable, "-c", "from ovsnet.cli.doctor import doctor; doctor()"]


def ovsnet(*arguments: object) -> Result:
    result = CliRunner().invoke(doctor, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A host below a directory: kernel 5.15 with all that it needs, and no daemon."""
    for path, text in {
        "proc/sys/kernel/osrelease": "5.15.0-91-generic\n",
        "proc/net/if_inet6": "",
        "proc/net/ip_tables_names": "",
        "proc/net/unix": "Num RefCount Protocol Flags Type St Inode Path\n",
        "proc/2/stat": "2 (kthreadd) S 0 0",
        "lib/modules/5.15.0-91-generic/modules.builtin": "kernel/openvswitch.ko\nkernel/geneve.ko\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "run/openvswitch").mkdir(parents=True)
    return tmp_path


def test_fit_host_below_a_root_is_no_finding(mounted: Path) -> None:
    result = ovsnet("--root", mounted)
    assert result.exit_code == 0, result.stdout
    assert "No defect of kernel 5.15.0-91-generic is known." in result.stdout


def test_finding_below_a_root_is_exit_code_1_and_stands_first(mounted: Path) -> None:
    (mounted / "proc/sys/kernel/osrelease").write_text("3.10.0-862.el7.x86_64\n")
    result = ovsnet("--root", mounted)
    assert result.exit_code == 1
    assert result.stdout.startswith("fatal    kernel.release ")
    assert "-> Install a kernel above 3.10.0-898" in result.stdout


@pytest.mark.parametrize(
    ("switch", "ovn"),
    [
        ("var/snap/microovn/common/run/switch", "var/snap/microovn/common/run/ovn"),
        ("run/openvswitch", "var/lib/openvswitch/ovn"),
    ],
    ids=["MicroOVN", "RHOSO"],
)
def test_other_layouts_are_found_below_the_root_with_what_is_stale_in_them(
    mounted: Path, switch: str, ovn: str
) -> None:
    (mounted / "run/openvswitch").rmdir()
    for directory, daemon in ((switch, "ovs-vswitchd"), (ovn, "ovn-controller")):
        (mounted / directory).mkdir(parents=True)
        (mounted / directory / f"{daemon}.pid").write_text("77\n")
        (mounted / directory / f"{daemon}.77.ctl").touch()
    result = ovsnet("--root", mounted, "--json")
    (stale,) = (each for each in json.loads(result.stdout)["findings"] if each["code"] == "pidfile.stale")
    assert f"/{ovn}/ovn-controller.pid: 77 (no such process)" in stale["evidence"]
    assert f"The run directory is /{switch}." in ovsnet("--root", mounted).stdout


def test_named_run_directory_is_meant_below_the_root(mounted: Path) -> None:
    (mounted / "opt/ovs").mkdir(parents=True)
    assert "The run directory is /opt/ovs." in ovsnet("--root", mounted, "--rundir", "/opt/ovs").stdout
    with pytest.raises(UnfitEnvironment, match="no run directory"):
        ovsnet("--root", mounted, "--rundir", "/nowhere")


def test_environment_is_about_this_host_and_not_about_the_root(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", "/nowhere")
    assert "The run directory is /run/openvswitch." in ovsnet("--root", mounted).stdout


def test_root_without_a_running_host_cannot_tell(tmp_path: Path) -> None:
    assert ovsnet("--root", tmp_path).exit_code == 3


@pytest.mark.parametrize(
    ("seen", "hidden", "matters", "expected"),
    [(4, 0, 0, 0), (2, 2, 0, 0), (2, 3, 0, 3), (2, 3, 1, 1), (0, 0, 1, 1)],
)
def test_host_of_which_too_little_is_seen_is_not_called_fit(
    seen: int, hidden: int, matters: int, expected: int
) -> None:
    kinds = [*([ok("x")] * seen), *([unseen("x", "y")] * hidden), *([warning("x", "y")] * matters)]
    assert exit_code([replace(each, code=f"a.{number}") for number, each in enumerate(kinds)]) == expected


def test_what_cannot_be_seen_for_one_reason_is_told_once_in_words_and_wholly_in_json(mounted: Path) -> None:
    shown = ovsnet("--root", mounted).stdout
    assert shown.count("No daemon of this run directory runs here") == 1
    assert "the same for cpu.quota, cpu.throttled" in shown
    found = [each["code"] for each in json.loads(ovsnet("--root", mounted, "--json").stdout)["findings"]]
    assert {"limits.vswitchd-files", "cpu.quota", "cpu.throttled", "memory.limit"} <= set(found)


def test_json_holds_every_finding_with_its_evidence(mounted: Path) -> None:
    (mounted / "run/openvswitch/ovs-vswitchd.pid").write_text("77\n")
    result = ovsnet("--root", mounted, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    first = document["findings"][0]
    assert (first["code"], first["severity"]) == ("pidfile.stale", "warning")
    assert first["evidence"] == ["/run/openvswitch/ovs-vswitchd.pid: 77 (no such process)"]
    assert document["steps"] == []
    assert first.keys() == {"severity", "summary", "remedy", "evidence", "mendable", "code"}
    assert first["mendable"] is False


def test_nothing_below_a_root_is_repaired(mounted: Path) -> None:
    with pytest.raises(UsageError, match="below --root"):
        ovsnet("--root", mounted, "--fix")


def test_host_is_examined_again_after_a_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    made = repaired("make the link", undo="rm link")
    found = [[warning("The link is absent.", "Make it.", fix=lambda: made)], [ok("The link is there.")]]
    monkeypatch.setattr("ovsnet.cli.doctor.examined", lambda root, settings: found.pop(0))
    result = ovsnet("--fix")
    assert result.exit_code == 0
    assert result.stdout.startswith("done: make the link\n  to undo: rm link\n")
    assert "The link is there." in result.stdout
    assert "absent" not in result.stdout


def test_nothing_is_repaired_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [warning("The link is absent.", "Make it.", fix=lambda: pytest.fail("repaired"))]
    monkeypatch.setattr("ovsnet.cli.doctor.examined", lambda root, settings: found)
    assert ovsnet().exit_code == 1


def test_nothing_to_repair_is_said() -> None:
    assert repair_lines([]) == ["There is nothing that --fix can repair."]


def test_repairs_say_what_was_done_how_to_undo_it_and_why_not() -> None:
    shown = repair_lines([repaired("make a", undo="rm a"), refused("load b", why="No modprobe.")])
    assert shown == ["done: make a", "  to undo: rm a", "not done: load b: No modprobe."]


async def test_this_machine_is_examined_for_real(shared_node: Sandbox) -> None:
    result = await anyio.run_process([*PROGRAM, "--rundir", str(shared_node.rundir)], check=False)
    assert result.returncode in (0, 1)
    assert result.stderr == b""
    assert os.uname().release in result.stdout.decode()


@pytest.mark.parametrize("held", [True, False])
async def test_unprivileged_user_is_told_what_he_cannot_see(node: Sandbox, held: bool) -> None:
    if not held:
        await node.kill("ovs-vswitchd")
    for socket in node.rundir.glob("*.*"):
        if socket.is_socket():
            socket.chmod(0o000)
    result = await anyio.run_process([*UNPRIVILEGED, *PROGRAM, "--rundir", str(node.rundir), "--json"], check=False)
    found = {each["code"]: each for each in json.loads(result.stdout)["findings"]}
    assert result.returncode == (0 if not any(each["severity"] == "warning" for each in found.values()) else 1)
    assert found["version.ovn"]["severity"] == "unseen"
    assert "may not open" in found["version.ovn"]["summary"]
    assert "root" in found["version.ovn"]["remedy"]
    # The database's file may be read, and has the settings.
    assert (found["database.settings"]["severity"], found["threads.handlers"]["severity"]) == ("note", "ok")
    assert "may not open" in found["database.settings"]["summary"]
    assert found["pidfile.stale"]["severity"] == ("ok" if held else "warning")


async def test_pidfile_of_a_daemon_in_another_pid_namespace_is_not_stale(node: Sandbox) -> None:
    """V8: to start the daemon again here fails, as long as the old one lives."""
    argv = [*OTHER_PID_NAMESPACE, *PROGRAM, "--rundir", str(node.rundir), "--json"]
    await node.kill("ovn-controller")
    result = await anyio.run_process(argv, check=False)
    findings = [each for each in json.loads(result.stdout)["findings"] if each["code"].startswith("pidfile.")]
    (held,) = (each for each in findings if each["severity"] == "note")
    assert "another pid namespace" in held["summary"]
    assert "Start the daemon again" not in held["remedy"]
    living = ("ovsdb-server", "ovs-vswitchd", "ovnnb_db", "ovnsb_db", "ovn-northd")
    assert {line.partition(":")[0] for line in held["evidence"]} == {
        str(node.rundir / f"{each}.pid") for each in living
    }
    (unclear,) = (each for each in findings if each["severity"] == "unseen")
    assert [line.partition(":")[0] for line in unclear["evidence"]] == [str(node.rundir / "ovn-controller.pid")]


def test_examining_changes_nothing_below_the_root(mounted: Path) -> None:
    def snapshot() -> dict[str, int]:
        return {str(path): path.lstat().st_mtime_ns for path in mounted.rglob("*")}

    before = snapshot()
    ovsnet("--root", mounted)
    assert snapshot() == before


def test_terminal_gets_a_table_with_the_worst_first(mounted: Path) -> None:
    (mounted / "proc/sys/kernel/osrelease").write_text("3.10.0-862.el7.x86_64\n")
    reader, writer = pty.openpty()
    with open(reader, "rb", buffering=0) as screen:
        environment = os.environ | {"COLUMNS": "120", "TERM": "xterm"}
        process = subprocess.Popen([*PROGRAM, "--root", str(mounted)], stdout=writer, env=environment)
        os.close(writer)
        shown = b"".join(iter(lambda: _read(screen), b"")).decode()
        assert process.wait() == 1
    assert shown.index("kernel.release") < shown.index("rundir.present")
    assert "\x1b[" in shown
    assert "Install a kernel above 3.10.0-898" in shown


def _read(screen: io.FileIO) -> bytes:
    """Linux ends a pty whose other side is closed with EIO."""
    try:
        return screen.read(4096) or b""
    except OSError:
        return b""
