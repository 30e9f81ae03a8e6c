"""What a host gives its daemons, and gives too little of. It leaves them at work, so it stands below what is wrong with
one of them, and above what follows from it."""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

MEMBER = (
    "Make room on the file system of {member}, which has {free} left (`du -xh {directory}`). Do not restart this "
    "member of the cluster before its file is rewritten: the file lacks what was committed meanwhile, and may not load "
    "again. Once there is room, `ovs-appctl -t {target} ovsdb-server/compact` rewrites it from memory."
)

REWRITE = (
    "Do not restart this server. Have it rewrite {file} from its memory, which has every change: "
    "`ovs-appctl -t {target} ovsdb-server/compact`. If it was restarted already and does not start: move the file "
    "away, have another member remove it (`cluster/kick`), and join it again (`ovsdb-tool join-cluster`)."
)
"""Tried: once there is room it writes on behind the gap, and its next start ends with "record N advances commit index
to X but last log index is Y" (ovsdb/raft.c, ``raft_apply_record``). After the compaction it starts."""

FULL = (
    "Make room on the file system of {full}, which has {free} left: look for old logs and core dumps "
    "(`du -xh {directory}`). The server needs no restart then."
)
READ_ONLY = (
    "Find out why the file system of {read_only} became read-only (`dmesg` shows a broken disk), repair it and "
    "mount it read-write; then restart the server."
)
LOOK = "Look at the file system of its database (`df`, `findmnt`): make room, or mount it read-write."


STOPPED = (
    "Make room on the file system of this member's database, if it is full, then restart its server: {stopped} was the "
    "leader, could not write, and takes no part in its cluster before that."
)
"""As ovsdb/raft.c has it (``raft_handle_write_error``): nothing is written after the failure, so the file is whole."""

HOST = (
    Cause(
        code="database-not-writable",
        state=State.DEGRADED,
        summary="A database server refuses every change: its file system is full or read-only. What is set up stays.",
        remedies=(STOPPED, MEMBER, FULL, READ_ONLY, LOOK),
        reasons=frozenset({"database-not-writable", "database-write-failed"}),
    ),
    Cause(
        code="database-incomplete",
        state=State.DEGRADED,
        summary="A member of a database cluster could not write a change when its disk was full: it works, and its "
        "next start will fail.",
        remedies=(REWRITE, "Before any restart, have it compacted: `ovs-appctl -t NAME ovsdb-server/compact`."),
        reasons=frozenset({"database-incomplete"}),
    ),
    Cause(
        code="certificate-expired",
        state=State.DEGRADED,
        summary="A certificate is not valid at this time: peers refuse each new connection that needs it.",
        remedies=(
            "Renew {ended}, which {whose} uses. If its connections do not come back then, restart {whose}.",
            "Set this host's clock, or wait: {early}, which {whose} uses, is not valid yet.",
            "Renew the certificate that the evidence names, and check this host's clock.",
        ),
        reasons=frozenset({"certificate-expired"}),
    ),
)

LATER = (
    Cause(
        code="memory-short",
        state=State.DEGRADED,
        summary="A daemon is at the memory limit of its cgroup, where the kernel kills it, or the kernel killed it.",
        remedies=(
            "The kernel has killed {unlimited} times there, and no limit is set: the host itself ran out of memory. "
            "`journalctl -k --grep 'Out of memory|oom-kill'` shows what was killed and what used it. Give the host "
            "more memory, or limit what grows; `OOMScoreAdjust=` of its service makes the kernel spare {title}.",
            "The kernel has killed {kills} times there: raise {setting} from {limit} (in Kubernetes, the pod's memory "
            "limit). For ovs-vswitchd, fewer handler and revalidator threads save memory.",
            "Raise {setting} from {limit} (in Kubernetes, the pod's memory limit): {title} uses {used}.",
            "Raise the memory limit of its cgroup (`MemoryMax=`, or the pod's limit).",
        ),
        reasons=frozenset({"memory-short"}),
    ),
    Cause(
        code="log-not-compacted",
        state=State.DEGRADED,
        summary="A database server does not compact its log: the file grows until the disk is full, and each start "
        "takes longer.",
        remedies=(
            "A compaction writes all data once more before it removes the old file, and the file system of {cramped} "
            "has {free} left: make room there (`du -xh {directory}`). The server tries again by itself.",
            "Have it compacted, and see what its answer or log says: `ovs-appctl -t {target} ovsdb-server/compact`.",
            "Have it compacted, and see what its answer or log says: `ovs-appctl -t NAME ovsdb-server/compact`.",
        ),
        reasons=frozenset({"log-not-compacted"}),
    ),
    Cause(
        code="certificate-not-loaded",
        state=State.DEGRADED,
        summary="A certificate was renewed, and its daemon uses the old one until that expires.",
        remedies=(
            "`touch {key}`: {whose} loads {file} only when the key has changed, too.",
            "Touch the file of its key, or restart the daemon.",
        ),
        reasons=frozenset({"certificate-not-loaded"}),
    ),
    Cause(
        code="certificate-expires",
        state=State.DEGRADED,
        summary="A certificate expires soon. After that, no connection that needs it can be made.",
        remedies=(
            "Renew {file}, which {whose} uses, within {days} days.",
            "Renew the certificate that the evidence names.",
        ),
        reasons=frozenset({"certificate-expires"}),
    ),
)
"""What harms nobody yet."""
