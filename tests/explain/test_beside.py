"""What lies beside logs, or instead of them: dumps, pods, events, messages without a date, and what nobody knows."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import UnfitEnvironment
from ovsnet.explain.answer import Answer
from ovsnet.explain.block_yaml import documents
from ovsnet.explain.clock import Zone, first_in, stamp
from ovsnet.explain.dumps import told
from ovsnet.explain.pods import pods
from ovsnet.explain.read import explain
from tests.explain.material import EPOCH, node

AT = stamp(EPOCH + 130.0)
UPCALLS = """\
system@ovs-system:
  flows         : (current {current}) (avg 3) (max 9) (limit {limit})
  dump duration : 1ms
"""
COVERAGE = """\
Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=1c5cd4b7:
txn_error                  0.0/sec     0.000/sec        0.0011/sec   total: 4
bridge_reconfigure         0.0/sec     0.000/sec        0.0000/sec   total: 7
"""
SHOW = """\
a1b2c3d4-0000-4000-8000-000000000000
    Bridge br-int
        fail_mode: secure
        Port veth1
            Interface veth1
                error: "could not open network device veth1 (No such device)"
        Port ovn-n2-0
            Interface ovn-n2-0
                type: geneve
                options: {csum="true", key=flow, remote_ip="10.0.0.2"}
                bfd_status: {diagnostic="Control Detection Time Expired", flap_count="3", state=down}
        Port br-int
            Interface br-int
                type: internal
    ovs_version: "3.5.0"
"""
LIST = """\
name                : veth1
admin_state         : []
bfd_status          : {}
error               : "could not open network device veth1 (No such device)"

name                : ovn-n2-0
admin_state         : up
bfd_status          : {diagnostic="No Diagnostic", state=down}
error               : []
"""
POD_YAML = """\
---
apiVersion: v1
kind: Pod
metadata:
  annotations:
    note: |
      Name: of nothing
      - a list: of nothing
  name: ovnkube-node-x7k2p
spec:
  containers:
  - args:
    - --x
    name: ovn-controller
  nodeName: n1
status:
  containerStatuses:
  - containerID: cri-o://1
    image: quay.io/x
    lastState:
      terminated:
        containerID: cri-o://0
        exitCode: 137
        finishedAt: "{at}"
        reason: OOMKilled
        startedAt: "2023-11-14T22:00:00Z"
    name: ovn-controller
    ready: true
"""
EVENTS_YAML = """\
---
apiVersion: v1
items:
- apiVersion: v1
  count: 3
  involvedObject:
    fieldPath: spec.containers{{ovn-controller}}
    kind: Pod
  kind: Event
  lastTimestamp: "{at}"
  message: 'Container ovn-controller failed liveness probe, will be restarted'
  reason: Killing
  source:
    component: kubelet
    host: n1
kind: EventList
metadata:
  resourceVersion: "1"
"""
TABLE = """\
NAMESPACE     LAST SEEN   TYPE      REASON      OBJECT                   MESSAGE
kube-system   3m          Warning   Unhealthy   pod/ovs-ovn-x7k2p        Liveness probe failed: command timed out
default       5m          Warning   BackOff     pod/web-0                Back-off restarting failed container
"""


def explained(directory: Path, *more: tuple[str, str], logs: bool = True) -> Answer:
    for log in node(until=200.0) if logs else ():
        (directory / log.name).write_bytes(log.text)
    for name, text in more:
        (directory / name).write_text(text)
    return explain([str(directory)], io.BytesIO(), Zone(0, 2023, 1.8e9), lambda name, count: None)


def words(found: Answer) -> str:
    return "\n".join(note.words for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (UPCALLS.format(current=200, limit=2000), "lowered the flow limit of system@ovs-system to 2000"),
        (UPCALLS.format(current=200_000, limit=200_000), "held 200000 flows, and was allowed 200000"),
        ("system@ovs-system:\n  lookups: hit:1 missed:2 lost:99999\n  flows: 5\n", "lost 99999 packets"),
        (COVERAGE, "counted 4 transactions that a database refused"),
        ("not connected\n", "was not connected to the southbound"),
        (SHOW, "could not create: 1 (veth1); the first says: could not open network device veth1 (No such device)"),
        (SHOW, "Tunnels through which BFD found no path: 1 (ovn-n2-0)"),
        (LIST, "could not create: 1 (veth1)"),
        (LIST, "no path: 1 (ovn-n2-0)"),
        (TABLE, "3m before it was printed, Unhealthy of ovs-ovn-x7k2p: Liveness probe failed: command timed out"),
        ("[ 12.3] Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB\n", "`dmesg -T` prints: 1, the last"),
    ],
)
@pytest.mark.parametrize("logs", [True, False])
def test_dump_of_what_is_wrong_is_a_note_with_and_without_logs(
    tmp_path: Path, text: str, said: str, logs: bool
) -> None:
    found = explained(tmp_path, ("dump", text), logs=logs)
    assert not found.outages
    assert said in words(found)
    assert ("No log of a daemon" in words(found)) == (not logs)
    assert "Not recognised" not in words(found)
    assert "web-0" not in words(found)


@pytest.mark.parametrize(
    "text",
    [
        UPCALLS.format(current=12, limit=10_000),
        "system@ovs-system:\n  lookups: hit:1 missed:2 lost:0\n  flows: 5\n",
        COVERAGE.replace("total: 4", "total: 0"),
        "connected\n",
        "handlers:2 idl-cells:177 ports:3 revalidators:2 rules:9\n",
        SHOW.replace("error:", "mtu:").replace("state=down", "state=up"),
    ],
)
def test_dump_of_what_is_well_says_nothing(tmp_path: Path, text: str) -> None:
    assert words(explained(tmp_path, ("dump", text))) == ""


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_pod_whose_container_was_killed_for_memory(tmp_path: Path, form: str) -> None:
    text = POD_YAML.format(at=AT)
    if form == "json":
        text = json.dumps(documents(text)[0])
    (outage,) = explained(tmp_path, ("pod", text), logs=False).outages
    assert (outage.code, "lack of memory" in outage.words) == ("controller-down", True)


def test_events_as_yaml_name_who_killed(tmp_path: Path) -> None:
    found = explained(tmp_path, ("events.yaml", EVENTS_YAML.format(at=AT)), logs=False)
    assert [event.kind for each in found.daemons for event in each.events] == ["container-killed"]


def test_log_of_the_kubelet_itself(tmp_path: Path) -> None:
    line = (
        'I1114 22:15:30.002123    1234 prober.go:107] "Probe failed" probeType="Liveness" pod="x/y" podUID="z" '
        'containerName="ovn-controller" probeResult="failure" output="timeout"\n'
    )
    assert first_in(line.encode(), Zone(0, 2023, 1.8e9)) == first_in(b"2023-11-14 22:15:30.002123", Zone(0, 2023))
    assert "probe of ovn-controller failed" in words(explained(tmp_path, ("kubelet.log", line)))


def test_files_that_nobody_knows_are_named_once(tmp_path: Path) -> None:
    more = [(f"{number}.txt", "lorem ipsum\n") for number in range(3)]
    assert "2.txt" not in words(explained(tmp_path, *more))
    assert words(explained(tmp_path, *more)).endswith("1.txt and 1 more file.")
    logs = ("Nov 14 22:15:30 h sshd[7]: Accepted publickey\n", "[    0.000000] Linux version 6.1\n", "")
    assert words(explained(tmp_path, *[(name, log) for (name, _), log in zip(more, logs, strict=True)])) == ""


def test_parts_of_a_report_are_known(tmp_path: Path) -> None:
    (tmp_path / "ovsnet-report").mkdir()
    (tmp_path / "ovsnet-report/manifest.json").write_text('{"ovsnet_report": 1, "made": 1}')
    assert words(explained(tmp_path)) == ""


def test_files_that_nobody_knows_alone_are_no_answer(tmp_path: Path) -> None:
    with pytest.raises(UnfitEnvironment, match="No line of an Open vSwitch or OVN daemon"):
        explained(tmp_path, ("x", "lorem ipsum\n"), logs=False)


def test_yaml_as_kubernetes_writes_it() -> None:
    text = POD_YAML.format(at=AT) + EVENTS_YAML.format(at=AT)
    pod, events = documents(text)
    assert isinstance(pod, dict)
    assert isinstance(events, dict)
    assert pod["spec"] == {"containers": [{"args": ["--x"], "name": "ovn-controller"}], "nodeName": "n1"}
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137
    assert events["items"][0]["message"].startswith("Container ovn-controller failed")
    assert events["kind"] == "EventList"


@given(st.text(max_size=100), st.integers(0, 700), st.integers(0, 40))
def test_damaged_text_is_no_traceback(noise: str, at: int, cut: int) -> None:
    for text in (POD_YAML, EVENTS_YAML, SHOW, LIST, COVERAGE, TABLE):
        broken = text[:at] + noise + text[at + cut :]
        told(broken)
        documents(broken)
        pods("x", broken, Zone())


def test_yaml_that_nests_without_end_is_no_traceback() -> None:
    documents("".join(f"{' ' * n}a:\n" for n in range(3000)))
    documents("- " * 5000 + "a: b")
