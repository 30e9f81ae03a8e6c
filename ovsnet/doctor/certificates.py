"""The certificates on the daemons' command lines. No daemon of OVS or OVN warns of one before it ends."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.node.certificates import dated, named_by
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import pidfiles
from ovsnet.node.host_files import Host


@examination("tls.expiry")
def expiry(host: Host, live: Live) -> Iterator[Finding]:
    """No certificate that a running daemon was given has ended or ends soon."""
    proc = host.locate("/proc")
    running = [(each.process, each.program) for each in pidfiles(host) if each.process is not None]
    found = dated([file for process, program in running for file in named_by(process, program, proc)], proc)
    late = [each for each in found if not each.is_valid(host.now) or each.ends_soon(host.now)]
    if late:
        yield warning(
            "A certificate has ended or ends soon: with an ended one no new connection is accepted.",
            "Renew it and its key together, on every host that has one of this CA.",
            *(f"{each.file.path} of {each.file.whose}: {each.left(host.now) / 86400:.0f} days left" for each in late),
        )
    else:
        yield ok("No certificate of a running daemon ends soon.", *(each.file.path for each in found))
