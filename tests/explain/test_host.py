"""The kernel, systemd and the kubelet on a daemon; databases and dumps beside logs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UnfitEnvironment
from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import Zone, stamp
from ovsnet.explain.host_kinds import HOST_KINDS, daemons_of, marks_in
from ovsnet.explain.pods import pods
from ovsnet.explain.read import explain
from ovsnet.explain.verdicts import Outage
from tests.explain.beside import CLUSTER, DATABASE, POD, events
from tests.explain.material import EPOCH, LOGS, node

AT = stamp(EPOCH + 130.0)
"""130 s after the logs' beginning, in the midst of a healthy time."""


def explained(directory: Path, *more: tuple[str, str], logs: bool = True, until: float = 200.0) -> Answer:
    for log in node(until=until) if logs else ():
        (directory / log.name).write_bytes(log.text)
    for name, text in more:
        (directory / name).write_text(text)
    return explain([str(directory)], io.BytesIO(), Zone(0, 2023, 1.8e9), lambda name, count: None)


def only(found: Answer) -> Outage:
    assert len(found.outages) == 1, [(each.code, each.words) for each in found.outages]
    return found.outages[0]


def died(daemon: str) -> tuple[str, str]:
    """The log of a switch that ends at 130 s, and begins again five seconds later."""
    _, switch, _ = node(until=129.0)
    switch.start(135.0).say(135.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    switch.say(200.0, "memory", "peak resident set size")
    return switch.name, switch.text.decode()


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("{at} h kernel: Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB", "lack of memory"),
        ("{at} h kernel: Memory cgroup out of memory: Killed process 77 (handler4) total-vm:9kB", "lack of memory"),
        ("{at} h kernel: ovs-vswitchd[77]: segfault at 0 ip 0 sp 0 error 4 in ovs-vswitchd[1+2]", "segfault at 0"),
        ("{at} h kernel: traps: revalidator9[77] general protection fault ip:1 sp:2 error:0", "general protection"),
        ("{at} h systemd[1]: ovs-vswitchd.service: Main process exited, code=dumped, status=6/ABRT", "status=6/ABRT"),
        (
            "{at} h systemd[1]: ovs-vswitchd.service: A process of this unit has been killed by the OOM killer.",
            "memory",
        ),
        ("[Tue Nov 14 22:15:30 2023] ovs-vswitchd[77]: segfault at 10 ip 0 sp 0 error 4", "segfault at 10"),
        ("{at} h systemd[1]: ovs-vswitchd.service: start operation timed out. Terminating.", "had not started in time"),
        ("{at} h systemd[1]: ovs-vswitchd.service: Watchdog timeout (limit 30s)!", "no sign of it for 30s"),
    ],
)
def test_word_of_the_host_is_the_reason_of_an_end(tmp_path: Path, line: str, how: str) -> None:
    found = explained(tmp_path, died("ovs-vswitchd"), ("messages", line.format(at=AT) + "\n"))
    assert (only(found).code, only(found).daemon) == ("vswitchd-down", "ovs-vswitchd")
    assert how in only(found).words
    assert any("messages:1" in event.place for event in only(found).proof)


def test_word_of_the_kernel_alone_is_an_answer(tmp_path: Path) -> None:
    line = f"{AT} h kernel: Out of memory: Killed process 77 (ovn-controller) total-vm:9kB\n"
    found = explained(tmp_path, ("messages", line), logs=False)
    assert (only(found).code, "lack of memory" in only(found).words) == ("controller-down", True)


def test_order_to_stop_is_no_crash(tmp_path: Path) -> None:
    line = f"{AT} h systemd[1]: ovs-vswitchd.service: Deactivated successfully.\n"
    assert "was told to exit" in only(explained(tmp_path, died("ovs-vswitchd"), ("messages", line))).words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "kernel: INFO: task ovs-vswitchd:77 blocked for more than 122 seconds.",
            "was blocked in the kernel for 122 s",
        ),
        ("kernel: watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [handler4:77]", "spun in the kernel for 23 s"),
    ],
)
def test_task_that_is_blocked_in_the_kernel_hangs(tmp_path: Path, line: str, words: str) -> None:
    found = explained(tmp_path, ("messages", f"{AT} h {line}\n"))
    assert (only(found).code, words in only(found).words) == ("vswitchd-hung", True)


@pytest.mark.parametrize(
    "line",
    [
        "blk_update_request: I/O error, dev sda, sector 7 op 0x1:(WRITE)",
        "EXT4-fs error (device sda1): ext4_find_entry:1455: reading directory",
        "EXT4-fs (sda1): Remounting filesystem read-only",
        "XFS (sda1): metadata I/O error in xfs_trans_read_buf_map",
    ],
)
def test_disk_that_fails_is_noted(tmp_path: Path, line: str) -> None:
    found = explained(tmp_path, ("messages", f"{AT} h kernel: {line}\n"))
    assert not found.outages
    assert any("The kernel says of sda" in note.words for note in found.notes)


@pytest.mark.parametrize("netns", ["", " in netns 4026531840"])
def test_full_table_of_connections_is_an_outage_and_no_sign_of_a_process(tmp_path: Path, netns: str) -> None:
    early = stamp(EPOCH - 100.0)
    line = f"{{}} h kernel: nf_conntrack: nf_conntrack: table full{netns}, dropping packet\n"
    found = explained(tmp_path, ("messages", line.format(early) + line.format(AT)))
    assert [each.code for each in found.outages] == ["conntrack-full", "conntrack-full"]


def test_restarts_that_systemd_counts_are_noted(tmp_path: Path) -> None:
    line = f"{AT} h systemd[1]: ovs-vswitchd.service: Scheduled restart job, restart counter is at 7.\n"
    found = explained(tmp_path, ("messages", line))
    assert not found.outages
    assert any("systemd restarted ovs-vswitchd.service: its counter was at 7" in note.words for note in found.notes)


def test_disk_of_a_host_without_a_daemon_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(UnfitEnvironment, match="No line of an Open vSwitch or OVN daemon"):
        explained(tmp_path, ("messages", f"{AT} h kernel: I/O error, dev sda, sector 7\n"), logs=False)


def test_noise_of_the_host_is_nothing(tmp_path: Path) -> None:
    lines = (
        "kernel: Killed process 9 (nginx)",
        "systemd[1]: nginx.service: Main process exited, code=exited, status=1/FAILURE",
        "kernel: nginx[3]: segfault at 0 ip 0",
        "kernel: task nginx:3 blocked for more than 122 seconds.",
    )
    found = explained(tmp_path, ("messages", "".join(f"{AT} h {line}\n" for line in lines)))
    assert not found.outages


def test_each_kind_has_its_source_and_passes_its_own_prefilter() -> None:
    for kind in HOST_KINDS:
        assert "(" in kind.source
        assert marks_in(kind.mark.encode())


@pytest.mark.parametrize(
    "name", ["ovs-vswitchd", "handler12", "pmd-c03/id:7", "openvswitch", "sb-ovsdb", "ovn_pinctrl0"]
)
def test_threads_and_containers_are_known(name: str) -> None:
    assert daemons_of(name)


def test_container_that_was_killed_for_memory(tmp_path: Path) -> None:
    found = explained(tmp_path, died("ovs-vswitchd"), ("pod", POD.format(reason="OOMKilled", code=137)))
    outage = next(each for each in found.outages if each.daemon == "ovs-vswitchd" or "vswitchd" in str(each.effects))
    assert any("lack of memory" in each.words for each in found.outages), outage
    assert any("Liveness probe failed" in note.words for note in found.notes)


def test_events_as_json_name_who_killed(tmp_path: Path) -> None:
    found = explained(tmp_path, died("ovs-vswitchd"), ("events.json", events(AT)))
    assert any("was told to exit" in each.words for each in found.outages)
    assert any("The kubelet's probe" in note.words for note in found.notes)


@given(st.text(max_size=200), st.integers(0, 600), st.integers(0, 40))
def test_damaged_description_is_no_traceback(noise: str, at: int, cut: int) -> None:
    text = POD.format(reason="Error", code=1)
    pods("x", text[:at] + noise + text[at + cut :], Zone())
    pods("x", "{" + noise, Zone())
    pods("x", json.dumps({"items": [noise, {"reason": "Killing", "involvedObject": {"fieldPath": noise}}]}), Zone())


def test_database_beside_logs_is_judged(tmp_path: Path) -> None:
    found = explained(tmp_path, ("conf.db", DATABASE))
    assert any(note.words.startswith("A setting (wrong-unit): ") for note in found.notes)


def test_database_that_is_cut_off_is_noted(tmp_path: Path) -> None:
    found = explained(tmp_path, ("conf.db", "OVSDB JSON 99 abc\n{"))
    assert any("is damaged" in note.words for note in found.notes)


@pytest.mark.parametrize("status", ["cluster member", "disconnected from the cluster (election timeout)"])
def test_cluster_status_of_a_member_that_is_not_well(tmp_path: Path, status: str) -> None:
    found = explained(tmp_path, ("cluster", CLUSTER.format(status=status)))
    words = " ".join(note.words for note in found.notes)
    assert "knew no leader" in words or "disconnected from the cluster" in words
    assert "no connection to 77aa" in words


def test_status_of_a_check_is_noted(tmp_path: Path) -> None:
    text = json.dumps({"diagnosis": {"code": "vswitchd-hung", "summary": "It stands."}, "checks": []})
    found = explained(tmp_path, ("status.json", text))
    assert any("ovsnet said vswitchd-hung: It stands." in note.words for note in found.notes)


def test_history_of_an_agent_is_noted(tmp_path: Path) -> None:
    turn = {"kind": "diagnosis", "at": EPOCH, "code": "vswitchd-down", "state": "not-ready", "summary": "It is gone."}
    turns = [{"kind": "start", "at": EPOCH, "daemon": "ovs-vswitchd"}, turn | {"lasted_seconds": 3.21}]
    damaged: tuple[object, ...] = ([{**turn, "at": 1e300, "lasted_seconds": 1}], [[]], None, [{}])
    for number, broken in enumerate(damaged):
        text = json.dumps({"step_seconds": 10, "events": broken})
        assert not explained(tmp_path, (f"{number}.json", text)).notes
    found = explained(tmp_path, ("history.json", json.dumps({"step_seconds": 10, "events": turns})))
    words = [note.words for note in found.notes]
    assert words == [f"The agent saw vswitchd-down from {stamp(EPOCH)}, for 3.2 s: It is gone."]


@pytest.mark.parametrize("seed", range(20))
def test_what_lies_beside_logs_changes_no_verdict_of_theirs(tmp_path: Path, seed: int) -> None:
    noise = [
        CLUSTER.format(status="x"),
        POD.format(reason="Completed", code=0),
        "external_ids        : {",
        "{",
        "\ufeff{}",
    ]
    (tmp_path / "beside").write_text(noise[seed % 5][seed:] + noise[(seed + 1) % 5])
    found = explain([str(LOGS / "switch-away"), str(tmp_path)], io.BytesIO(), Zone(0, 2026), lambda name, count: None)
    assert [each.code for each in found.outages if each.daemon == "ovs-vswitchd"] == ["vswitchd-down"]


@pytest.mark.parametrize("unit", ["openvswitch", "openvswitch-switch", "ovn-host"])
def test_daemon_that_logs_on_did_not_end_with_a_unit(tmp_path: Path, unit: str) -> None:
    """These units run nothing themselves (debian/openvswitch-switch.openvswitch-switch.service)."""
    line = f"{AT} h systemd[1]: {unit}.service: Deactivated successfully.\n"
    logs = {log.name: log for log in node(until=129.0)}
    for log in logs.values():
        log.say(190.0, "timeval", "Unreasonably long 1100ms poll interval (900ms user, 9ms system)", "WARN")
    texts = [(log.name, log.say(300.0, "memory", "later").text.decode()) for log in logs.values()]
    assert not explained(tmp_path, *texts, ("messages", line), logs=False).outages
