"""What is wrong with the observer, not with the node: a wrong mount, no permission, its own settings and limits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ovsnet.health.cause import State
from tests.faults.daemons import NO_FLOWS, RESTARTED, again_and_again
from tests.faults.fault import LATER, Scene, Steps, fault
from tests.faults.limits import exhausted
from tests.faults.programs import no_more_descriptors

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
OTHER_PID_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")

GROUPS = {"database": ("db.sock",), "bridge": ("br-int.mgmt",), "control": (".ctl",)}
"""Names of the run directory that a wrong mount may show or not, by how they end."""


async def _linked(scene: Scene) -> Steps:
    """The observers see a directory of their own, in which each socket has a second name."""
    seen = scene.scratch / "seen"
    seen.mkdir()
    for path in scene.node.rundir.iterdir():
        if path.is_socket():
            os.link(path, seen / path.name)
    scene.rundir = scene.ovn_rundir = seen
    yield


def _unseen(*visible: str) -> Callable[[Scene], Steps]:
    """Only sockets of the groups ``visible`` keep their names."""
    kept = tuple(end for group in visible for end in GROUPS[group])

    async def steps(scene: Scene) -> Steps:
        hidden = [path for path in scene.rundir.iterdir() if not (kept and path.name.endswith(kept))]
        away = scene.scratch / "hidden"
        away.mkdir(exist_ok=True)
        for path in hidden:
            path.rename(away / path.name)
        yield
        for path in hidden:
            (away / path.name).rename(path)

    return steps


for _visible in (
    (), ("database",), ("bridge",), ("control",), ("database", "bridge"), ("database", "control"), ("bridge", "control")
):  # fmt: skip
    _codes = {
        (): "not-visible",
        ("database",): "mgmt-socket-missing",
        ("database", "control"): "mgmt-socket-missing",
    }
    fault(
        _codes.get(_visible, "socket-missing"),
        passing="socket-missing",
        state=State.DEGRADED if _visible == ("database", "bridge") else None,
        name=f"run-directory-shows-{'-and-'.join(_visible) or 'nothing'}",
        about=f"The mounted run directory shows {' and '.join(_visible) or 'no'} sockets, and no pidfile.",
        view=_linked,
        needs="own-host",
    )(_unseen(*_visible))


@fault("not-visible", observers=LATER)
async def run_directory_empty(scene: Scene) -> Steps:
    """An empty directory was mounted."""
    empty = scene.scratch / "empty"
    empty.mkdir(exist_ok=True)
    before = scene.rundir, scene.ovn_rundir
    scene.rundir = scene.ovn_rundir = empty
    yield
    scene.rundir, scene.ovn_rundir = before


@fault("healthy", observers=LATER, needs="no-rundir own-host")
async def run_directory_unnamed(scene: Scene) -> Steps:
    """No run directory was named, and none of the usual ones exists: the daemons that run show where it is."""
    before = scene.rundir, scene.ovn_rundir
    scene.rundir, scene.ovn_rundir = Path(), None
    yield
    scene.rundir, scene.ovn_rundir = before


@fault("not-visible", observers=LATER, needs="no-rundir namespaces")
async def run_directory_unnamed_and_no_daemon_seen(scene: Scene) -> Steps:
    """No run directory was named, none of the usual ones exists, and the observers' pid namespace has no daemon."""
    before = scene.rundir, scene.ovn_rundir
    scene.rundir, scene.ovn_rundir, scene.prefix = Path(), None, OTHER_PID_NAMESPACE
    yield
    (scene.rundir, scene.ovn_rundir), scene.prefix = before, ()


@fault(
    "socket-missing",
    observers=("held", "fresh", "check"),
    view=_linked,
    passing="vswitchd-not-connected ovsdb-down",
    starts=True,
    needs="own-host",
)
async def database_socket_mounted_as_a_file(scene: Scene) -> Steps:
    """db.sock itself was mounted, and ovsdb-server was restarted: the mount shows the old socket."""
    await scene.node.restart("ovsdb-server")
    yield
    (scene.rundir / "db.sock").unlink()
    os.link(scene.node.rundir / "db.sock", scene.rundir / "db.sock")


async def _by_nobody(scene: Scene) -> Steps:
    """The observers run as nobody, which may open everything."""
    scene.prefix = NOBODY
    scene.node.directory.chmod(0o755)
    scene.node.rundir.chmod(0o755)
    scene.scratch.chmod(0o777)
    modes = {path: path.stat().st_mode & 0o777 for path in scene.node.rundir.iterdir()}
    for path in modes:
        path.chmod(0o777)
    yield
    for path, mode in modes.items():
        path.chmod(mode)


@fault("permission-denied", view=_by_nobody, needs="root")
async def sockets_of_another_user(scene: Scene) -> Steps:
    """The observers run as nobody, and the sockets belong to root."""
    sockets = [path for path in scene.node.rundir.iterdir() if path.is_socket()]
    for path in sockets:
        path.chmod(0o750)
    yield
    for path in sockets:
        path.chmod(0o777)


async def _in_another_pid_namespace(scene: Scene) -> Steps:
    """The observers cannot see the daemons' processes."""
    scene.prefix = OTHER_PID_NAMESPACE
    yield


fault(
    "healthy",
    name="pid-namespace-of-its-own",
    about="The observers are in a pid namespace of their own.",
    passing="process-unseen",
    view=_in_another_pid_namespace,
    needs="namespaces",
)(lambda scene: _nothing())


async def _nothing() -> Steps:
    yield


@fault("process-unseen", view=_in_another_pid_namespace, passing="vswitchd-slow", needs="namespaces")
async def vswitchd_frozen_in_another_pid_namespace(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP, and its process cannot be seen."""
    await scene.node.freeze("ovs-vswitchd")
    yield
    await scene.node.thaw("ovs-vswitchd")


@fault(
    "vswitchd-down",
    view=_in_another_pid_namespace,
    passing="controller-not-connected flows-missing",
    needs="namespaces",
)
async def vswitchd_killed_in_another_pid_namespace(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGKILL, and its process could not be seen before: its pidfile is unlocked."""
    await scene.node.kill("ovs-vswitchd")
    yield
    await scene.node.start("ovs-vswitchd")


fault(
    "ovsdb-backlog-full",
    name="ovsdb-server-out-of-descriptors-in-another-pid-namespace",
    about="ovsdb-server has as many descriptors as it may have, which cannot be seen, and clients wait at db.sock.",
    view=_in_another_pid_namespace,
    needs="namespaces",
    deadline=12,
)(exhausted("ovsdb-server", "db.sock"))
fault(
    "mgmt-backlog-full",
    name="ovs-vswitchd-out-of-descriptors-in-another-pid-namespace",
    about="ovs-vswitchd has as many descriptors as it may have, which cannot be seen, and clients wait at br-int.mgmt; "
    "only an observer that has a connection knows that it lives.",
    view=_in_another_pid_namespace,
    observers=("held",),
    passing="process-unseen",
    deadline=12,
    needs="namespaces",
)(exhausted("ovs-vswitchd", "br-int.mgmt"))


fault(
    "vswitchd-restarting",
    name="vswitchd-killed-again-and-again-in-another-pid-namespace",
    about="ovs-vswitchd got SIGKILL three times, and was started each time; its processes cannot be seen.",
    view=_in_another_pid_namespace,
    observers=("held",),
    passing=f"vswitchd-down vswitchd-slow process-unseen {RESTARTED['vswitchd']} {NO_FLOWS}",
    starts=True,
    deadline=10,
    needs="namespaces",
)(again_and_again("ovs-vswitchd"))


@fault("self-out-of-descriptors", observers=("held",))
async def agent_out_of_descriptors(scene: Scene) -> Steps:
    """The agent cannot open another descriptor."""
    with no_more_descriptors(scene.agents[0]):
        yield


async def _microovn(scene: Scene) -> Steps:
    """Sockets of Open vSwitch in ``switch``, those of OVN in ``ovn`` beside it, as the snap of MicroOVN has them."""
    switch, ovn = scene.scratch / "switch", scene.scratch / "ovn"
    for directory in (switch, ovn):
        directory.mkdir()
    for path in scene.node.rundir.iterdir():
        os.link(path, (ovn if path.name.startswith("ovn") else switch) / path.name)
    scene.rundir, scene.ovn_rundir = switch, None
    yield


fault(
    "healthy",
    name="layout-of-microovn",
    view=_microovn,
    about="OVN's run directory is `ovn` beside `switch`, and only the latter was named.",
)(lambda scene: _nothing())


async def _edpm(scene: Scene) -> Steps:
    """OVN's run directory is /var/lib/openvswitch/ovn, as on a node that edpm-ansible deployed."""
    switch, ovn = scene.scratch / "openvswitch", scene.scratch / "ovn"
    for directory in (switch, ovn):
        directory.mkdir()
    for path in scene.node.rundir.iterdir():
        os.link(path, (ovn if path.name.startswith("ovn") else switch) / path.name)
    hide = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib && mkdir -p /run/openvswitch /run/ovn"
    bind = f"mkdir -p /var/lib/openvswitch/ovn && mount --bind {switch} /run/openvswitch"
    bind += f" && mount --bind {ovn} /var/lib/openvswitch/ovn"
    scene.prefix = ("unshare", "--mount", "sh", "-c", f'{hide} && {bind} && exec "$@"', "sh")
    scene.rundir, scene.ovn_rundir = Path(), None
    yield


fault(
    "healthy",
    name="layout-of-edpm",
    view=_edpm,
    needs="root namespaces",
    about="OVN's run directory is /var/lib/openvswitch/ovn, and none was named.",
)(lambda scene: _nothing())
