"""What a killed daemon left behind: pidfiles and sockets.

A daemon that ends in order removes both. After a SIGKILL they stay, and health checks that look at pidfiles call the
node well; worse, ``ovs-ctl stop`` kills whatever process has the pid now.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from ovsnet.doctor.examination import SEE_MORE, examination
from ovsnet.doctor.finding import Finding, note, ok, unseen, warning
from ovsnet.doctor.listeners import listeners
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import Pidfile, pidfiles, sees_the_daemons, uid
from ovsnet.node.host_files import Host


@examination("pidfile.stale")
def stale_pidfiles(host: Host, live: Live) -> Iterator[Finding]:
    """Every pidfile belongs to a daemon that runs."""
    files = pidfiles(host)
    dead = [each for each in files if each.left_over and each.stranger is None]
    elsewhere = [each for each in files if each.locked and each.process is None]
    if elsewhere:
        yield note(
            f"A daemon of another pid namespace holds the pidfile of {_names(elsewhere)}: one that is started in this "
            "namespace gives up with `pidfile check failed`.",
            "End the old daemon where it runs, its container for example, before a new one is started.",
            *map(_shown, elsewhere),
        )
    if not files:
        yield ok(f"There are no pidfiles in {host.rundir.ovs}.")
    elif not dead:
        yield ok("No pidfile outlived its daemon.", *map(_shown, files))
    elif not sees_the_daemons(host, files):
        yield unseen(_other_namespace("Whether the daemons of the pidfiles run"), SEE_MORE, *map(_shown, dead))
    else:
        yield warning(
            f"A pidfile outlived its daemon, which was killed or crashed: {_names(dead)}.",
            "Start the daemon again: it takes its pidfile over. Its log may say how it ended.",
            *map(_shown, dead),
        )


@examination("pidfile.reused")
def reused_pids(host: Host, live: Live) -> Iterator[Finding]:
    """No pid of a pidfile was reused by another program."""
    files = pidfiles(host)
    reused = [each for each in files if each.stranger is not None]
    if not reused:
        yield ok("No pid of a pidfile belongs to another program.")
    elif not sees_the_daemons(host, files):
        yield unseen(_other_namespace("Whose the pids in the pidfiles are"), SEE_MORE, *map(_shown, reused))
    else:
        yield warning(
            f"The pid of {_names(reused)} belongs to another program now: ovs-ctl stop would kill that one.",
            f"Remove {' and '.join(str(each.path) for each in reused)} before ovs-ctl or ovn-ctl stops anything.",
            *map(_shown, reused),
        )


@examination("socket.stale")
def stale_sockets(host: Host, live: Live) -> Iterator[Finding]:
    """A process listens on every socket of the run directory."""
    sockets = _sockets(host)
    if not sockets:
        yield ok(f"There are no sockets in {host.rundir.ovs}.")
        return
    now_listening = listeners(host)
    served = {path: now_listening.serve(host, path) for path in sockets}
    stale = [str(path) for path, one in served.items() if one is False]
    unclear = [str(path) for path, one in served.items() if one is None]
    if stale and not any(served.values()) and not host.sees_all_processes:
        stale, unclear = [], [*stale, *unclear]
    if stale:
        yield warning(
            f"Nobody listens on {len(stale)} of {len(sockets)} sockets: their daemon was killed, or it crashed.",
            "Start the daemon again: it replaces its own; the .ctl of an old pid may be removed.",
            *stale,
        )
    if unclear:
        what = f"Whether anything listens on {len(unclear)} of {len(sockets)} sockets"
        yield unseen(_other_namespace(what), SEE_MORE, *unclear)
    if not stale and not unclear:
        yield ok(f"Something listens on each of {len(sockets)} sockets.")


@examination("socket.owner")
def socket_owners(host: Host, live: Live) -> Iterator[Finding]:
    """Only the daemons' users and groups may open their sockets."""
    found = {path: entry for path in _sockets(host) if (entry := host.stat(path))}
    anybody = [f"{path} {stat.filemode(entry.st_mode)}" for path, entry in found.items() if entry.st_mode & 0o002]
    users = {user for each in pidfiles(host) if each.process and (user := uid(host, each.process)) is not None}
    foreign = [f"{path} uid {entry.st_uid}" for path, entry in found.items() if entry.st_uid not in {0, *users}]
    if anybody:
        yield warning(
            "Any user of this host may open sockets of the daemons, and so reconfigure the switch.",
            "Restart the daemons with a umask of 077 or 027; meanwhile: chmod o-rwx.",
            *anybody,
        )
    if users and foreign:
        yield note(
            "Some sockets belong to a user as whom no daemon runs here.",
            "Check whether the daemons' user was changed; a restart gives the sockets to the new one.",
            *foreign,
        )
    if not anybody and not (users and foreign):
        yield ok("Only the daemons' users and groups may open their sockets.")


def _sockets(host: Host) -> list[Path]:
    """All sockets of the run directories. Raises UnfitEnvironment."""
    found = []
    for directory in dict.fromkeys((host.rundir.ovs, host.rundir.ovn)):
        for name in host.names(directory):
            entry = host.stat(directory / name, follow=False)
            if entry is not None and stat.S_ISSOCK(entry.st_mode):
                found.append(directory / name)
    return found


def _other_namespace(what: str) -> str:
    return f"{what} cannot be seen: the daemons may live in namespaces that this user or container does not see."


def _names(files: list[Pidfile]) -> str:
    return ", ".join(each.path.stem for each in files)


def _shown(file: Pidfile) -> str:
    if file.pid is None:
        return f"{file.path} holds no pid"
    unseen_owner = "locked by a process that is not seen" if file.locked else "no such process"
    owner = file.stranger or ("" if file.process else unseen_owner)
    seen = f", seen as {file.process}" if file.process not in (None, file.pid) else ""
    return f"{file.path}: {file.pid}{seen}" + (f" ({owner})" if owner else "")
