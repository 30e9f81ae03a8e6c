"""What to do about an outage. What lasts takes the remedy of the live diagnosis; what is over takes what still helps:
nobody is to start, or to end, a process that works again. Pure."""

from __future__ import annotations

from ovsnet.explain.clock import stamp
from ovsnet.explain.verdicts import Outage
from ovsnet.health.causes import codes

TOLD = "It was told to exit and came back: nothing is left to fix."
"""Of a process that ended as it was asked to."""
VERDICTS = {
    "down": "It was over at {ended}: its own log, and the journal of the time before, show the reason.",
    "hung": "It went on at {ended}. Find out what stopped it: the journal and the pressure on CPU, disk and memory of "
    "that time, a debugger, or a freezer of its cgroup. `ovsnet serve` records which, while it lasts.",
    "slow": "It had caught up at {ended}. Give it CPU, and a disk that syncs faster, if this comes again: "
    "`ovsnet serve` records which of them it lacks.",
    "paused": "It went on at {ended}: nothing is left to fix. Find out which person or script paused it.",
    "leaderless": "A leader was there again at {ended}. See in the logs of the members which of them were away, or "
    "slow to sync their disks.",
    "joining": "It had joined at {ended}: nothing is left to fix.",
    "member-away": "It took part again at {ended}: nothing is left to fix.",
    "not-connected": "It was connected again at {ended}. The log of the server that it lacked shows why.",
    "restarting": "Find out what ended it each time: its core dumps (`coredumpctl list`), the kernel's messages, and "
    "the journal from {began} to {ended}.",
}
"""By the end of a code."""
PARTICULAR = {
    "mgmt-socket-missing": "The socket was there again at {ended}. Find out what removed it: a script that clears the "
    "run directory, or a mount over it.",
    "socket-missing": "The socket was there again at {ended}. Find out what removed it: a script that clears the run "
    "directory, or a mount over it.",
    "vswitchd-locked-out": "It was over at {ended}. Find out what ran a second ovs-vswitchd: often the service of the "
    "host beside a container.",
    "descriptors-exhausted": "It was over at {ended}. Raise its limit (`LimitNOFILE=`), and find what held its "
    "descriptors: `ovsnet serve` records their number.",
    "southbound-stale": "It had a server with newer data at {ended}. Find the member that was restored: see "
    "`cluster/status OVN_Southbound` on each host of the database.",
    "mgmt-backlog-full": "It was over at {ended}. Find the clients that filled the queue: scripts with `ovs-ofctl`, "
    "or an exporter of metrics.",
    "ovsdb-backlog-full": "It was over at {ended}. Find the clients that filled the queue: scripts with `ovs-vsctl`, "
    "or an exporter of metrics.",
}


def remedy_of(outage: Outage) -> str:
    """What to do now; "" where nothing is known."""
    if outage.remedy:
        return outage.remedy
    if outage.ended is not None and (past := _past(outage.code)):
        began, ended = (stamp(at, milliseconds=False) for at in (outage.began, outage.ended))
        return past.format(began=began, ended=ended)
    cause = codes().get(outage.code)
    return cause.remedy if cause is not None else ""


def _past(code: str) -> str:
    found = (words for verdict, words in VERDICTS.items() if code.endswith(f"-{verdict}"))
    return PARTICULAR.get(code) or next(found, "")
