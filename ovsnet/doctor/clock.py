"""The clock: certificates are refused before and after their dates, and logs of two nodes are compared by it."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, unseen, warning
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

EARLIEST = 1735689600
"""2025-01-01 UTC in seconds: a clock before this program was written is wrong."""

AHEAD = 60.0
"""Seconds that a file may be younger than now: file systems of other hosts disagree by a little."""

TIMESYNCD = "/run/systemd/timesync/synchronized"
"""systemd-timesyncd touches it at each synchronisation (systemd-timesyncd.service(8))."""

SERVICES = {"chronyd": "chronyc tracking", "ntpd": "ntpq -p", "ptp4l": "pmc 'GET TIME_STATUS_NP'"}
"""Programs that set the clock, and what to ask them: none of them leaves its success in a file."""


@examination("clock.sane")
def sane(host: Host, live: Live) -> Iterator[Finding]:
    """The clock is not in the past."""
    remedy = "Set the clock (chronyc makestep, timedatectl set-time), then restart the daemons' TLS connections."
    entry = host.stat(host.rundir.ovs)
    if host.now < EARLIEST:
        yield warning("The clock is years behind: every TLS certificate appears not yet valid.", remedy)
    elif entry is not None and entry.st_mtime > host.now + AHEAD:
        ahead = entry.st_mtime - host.now
        yield warning(
            f"The clock went back: the run directory was changed {ahead:.0f} s from now.", remedy, str(host.rundir.ovs)
        )
    else:
        yield ok("The clock is not in the past.")


@examination("clock.synchronised")
def synchronised(host: Host, live: Live) -> Iterator[Finding]:
    """Something keeps the clock right."""
    if host.exists(TIMESYNCD):
        yield ok("systemd-timesyncd has set the clock.", TIMESYNCD)
        return
    service = next((name for name in SERVICES if name in host.processes.values()), None)
    if service is not None:
        yield ok(f"{service} runs; `{SERVICES[service]}` shows whether it has a source.")
    elif not host.sees_all_processes:
        yield unseen(
            "Whether something sets the clock cannot be seen from this namespace.", "Run `timedatectl` on the host."
        )
    elif _uses_tls(live):
        yield warning(
            "No known service that sets the clock is running, and the southbound connection uses TLS.",
            "Run chronyd or systemd-timesyncd.",
        )
    else:
        yield note("No known service that sets the clock is running.", "Run chronyd or systemd-timesyncd.")


def _uses_tls(live: Live) -> bool:
    return live.database is not None and "ssl:" in live.database.external_ids.get("ovn-remote", "")
