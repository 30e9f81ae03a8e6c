"""What lies beside logs, as tools print it and daemons store it."""

from __future__ import annotations

import hashlib
import json

POD = """\
Name:             ovs-ovn-x7k2p
Namespace:        kube-system
Node:             n1/192.0.2.7
Containers:
  openvswitch:
    Container ID:  containerd://1
    State:          Running
      Started:      Tue, 14 Nov 2023 22:15:36 +0000
    Last State:     Terminated
      Reason:       {reason}
      Exit Code:    {code}
      Started:      Tue, 14 Nov 2023 22:00:00 +0000
      Finished:     Tue, 14 Nov 2023 23:15:30 +0100
    Ready:          True
    Restart Count:  1
Events:
  Type     Reason     Age   From     Message
  ----     ------     ----  ----     -------
  Warning  Unhealthy  3m    kubelet  Liveness probe failed: command timed out
"""

CLUSTER = """\
5a1c
Name: OVN_Southbound
Cluster ID: 1d2c (1d2c5a1c-0f3f-4d6a-8d0e-6f2a4c7a9b01)
Server ID: 5a1c (5a1c5a1c-0f3f-4d6a-8d0e-6f2a4c7a9b01)
Address: tcp:192.0.2.7:6644
Status: {status}
Role: candidate
Term: 7
Leader: unknown
Servers:
    5a1c (5a1c at tcp:192.0.2.7:6644) (self)
    77aa (77aa at tcp:192.0.2.8:6644) last msg 90000 ms ago
"""


def record(body: object) -> str:
    """One of a database file."""
    text = json.dumps(body) + "\n"
    return f"OVSDB JSON {len(text)} {hashlib.sha1(text.encode()).hexdigest()}\n{text}"


_COLUMNS = {"other_config": {"type": {"max": "unlimited"}}, "external_ids": {"type": {"max": "unlimited"}}}
SCHEMA = {"name": "Open_vSwitch", "tables": {"Open_vSwitch": {"columns": _COLUMNS}}}
_ROW = {"external_ids": ["map", [["ovn-remote-probe-interval", "10"], ["ovn-remote", "tcp:192.0.2.7:6642"]]]}
DATABASE = record(SCHEMA) + record({"Open_vSwitch": {"1": _ROW}})
"""conf.db with a setting in the wrong unit."""


def events(at: str) -> str:
    """``kubectl get events -o json``: a probe that failed, and the container that was killed for it."""
    items = [
        {"reason": "Unhealthy", "message": "Liveness probe failed: timed out", "lastTimestamp": at,
         "involvedObject": {"kind": "Pod", "fieldPath": "spec.containers{ovs-server}"}, "source": {"host": "n1"}},
        {"reason": "Killing", "message": "Container ovs-server failed liveness probe, will be restarted",
         "lastTimestamp": at, "involvedObject": {"fieldPath": "spec.containers{ovs-server}"}, "source": {}},
    ]  # fmt: skip
    return json.dumps({"kind": "List", "items": items})


EVENTS = events("2026-11-25T23:30:02Z")
KERNEL = """\
2026-11-25T23:30:02.000+0000 h kernel: Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB
[Tue Nov 25 22:15:30 2026] ovs-vswitchd[77]: segfault at 10 ip 0 sp 0 error 4
Nov 25 23:30:04 h kernel: INFO: task handler4:77 blocked for more than 122 seconds.
2026-11-25T23:30:05.000Z h systemd[1]: ovs-vswitchd.service: Main process exited, code=dumped, status=6/ABRT
2026-11-25T23:30:06.000Z h kernel: EXT4-fs error (device sda1): ext4_find_entry:1455: reading directory
"""
