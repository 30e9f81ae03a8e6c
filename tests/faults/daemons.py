"""Daemons that ended, that stand still, that are paused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable

from ovsnet.health.cause import State
from ovsnet.node.pidfile import read_pidfile
from ovsnet.node.process import command_line
from ovsnet.sandbox.waiting import until
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import BACKLOG, clients, program, switch_arguments
from tests.patience import PATIENCE

COMPONENTS = {
    "ovsdb-server": "ovsdb",
    "ovs-vswitchd": "vswitchd",
    "ovn-controller": "controller",
    "ovn-sb": "southbound",
}

CENTRAL = {"ovn-nb": "nb", "ovn-northd": "northd"}
"""They serve the whole network. One that is ended in order is not missed: it may run on other hosts from then on."""

WITHOUT_OVSDB = "ovsdb-down ovsdb-hung database-socket-moved"
"""Then nobody says where the southbound is, and no bridge is asked over OpenFlow."""

HIDDEN = {"southbound": WITHOUT_OVSDB, "controller-terminated": WITHOUT_OVSDB}
"""A controller that ended in order left no pidfile, and only the database says that this node has one."""

RESTARTED = {
    "ovsdb": "vswitchd-not-connected controller-not-connected",
    "vswitchd": "controller-not-connected flows-missing mgmt-socket-missing",
    "controller": "controller-not-connected flows-missing",
    "southbound": "controller-not-connected northd-not-connected",
    "sb": "controller-not-connected northd-not-connected southbound-down",
    "nb": "northd-not-connected",
    "northd": "",
}
"""What is true until the others have found the daemon again: ovn-controller's backoff takes up to 8 s."""

NO_FLOWS = "controller-not-connected flows-missing controller-down vswitchd-down mgmt-socket-missing"
"""What is true while ovs-vswitchd or ovn-controller is restarted."""


def _ends(verb: str, daemon: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        await getattr(scene.node, verb)(daemon)
        yield
        await scene.node.start(daemon)

    return steps


def _freezes(daemon: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        await scene.node.freeze(daemon)
        yield
        await scene.node.thaw(daemon)

    return steps


for _daemon, _component in COMPONENTS.items():
    _of_ovs = _component in ("ovsdb", "vswitchd")
    for _verb, _done in (("kill", "killed"), ("stop", "terminated")):
        fault(
            f"{_component}-down",
            name=f"{_component}-{_done}",
            about=f"{_daemon} got SIG{'KILL' if _verb == 'kill' else 'TERM'}.",
            breaks=_component,
            passing=RESTARTED[_component],
            hidden_by=HIDDEN.get(f"{_component}-{_done}", HIDDEN.get(_component, "")),
            long=_of_ovs and _verb == "kill",
        )(_ends(_verb, _daemon))
    fault(
        f"{_component}-hung",
        name=f"{_component}-frozen",
        about=f"{_daemon} got SIGSTOP.",
        breaks=_component,
        passing=f"{_component}-slow {RESTARTED[_component]}",
        hidden_by=HIDDEN.get(_component, ""),
        long=_of_ovs,
    )(_freezes(_daemon))

for _daemon, _component in CENTRAL.items():
    fault(
        f"{_component}-down",
        name=f"{_component}-killed",
        about=f"{_daemon} got SIGKILL; what is set up on this node goes on.",
        breaks=_component,
        passing="northd-not-connected",
    )(_ends("kill", _daemon))
    fault(
        f"{_component}-hung",
        name=f"{_component}-frozen",
        about=f"{_daemon} got SIGSTOP; what is set up on this node goes on.",
        breaks=_component,
        passing=f"{_component}-slow northd-not-connected",
        deadline=6,
    )(_freezes(_daemon))

for _daemon, _component, _left in (("ovn-northd", "northd", ()), ("ovn-nb", "nb", ("northd-not-connected",))):
    fault(
        *(_left or ("healthy",)),
        name=f"{_component}-terminated",
        about=f"{_daemon} got SIGTERM, as when it moves to another host.",
        breaks=_component,
        passing=f"{_component}-down",
        hidden_by="northd-down northd-hung northd-terminated" if _left else "",
        deadline=20 if _left else 0,
    )(_ends("stop", _daemon))


@fault("northd-paused", breaks="northd")
async def northd_paused(scene: Scene) -> Steps:
    """Someone ran pause on ovn-northd."""
    control = str(scene.socket("ovn-northd.{ovn-northd}.ctl"))
    await scene.node.run("ovn-appctl", "-t", control, "pause")
    yield
    await scene.node.run("ovn-appctl", "-t", control, "resume")


@fault("controller-paused", breaks="controller")
async def controller_paused(scene: Scene) -> Steps:
    """Someone ran debug/pause on ovn-controller."""
    control = str(scene.socket("ovn-controller.{ovn-controller}.ctl"))
    await scene.node.run("ovn-appctl", "-t", control, "debug/pause")
    yield
    await scene.node.run("ovn-appctl", "-t", control, "debug/resume")


@fault("ovsdb-hung", passing="ovsdb-slow")
async def ovsdb_frozen_without_pidfile(scene: Scene) -> Steps:
    """ovsdb-server got SIGSTOP, and its pidfile was removed: its socket still says whose it is."""
    pidfile = scene.socket("ovsdb-server.pid")
    kept = pidfile.rename(pidfile.with_suffix(".kept"))
    await scene.node.freeze("ovsdb-server")
    yield
    await scene.node.thaw("ovsdb-server")
    kept.rename(pidfile)


@fault("vswitchd-hung", passing="vswitchd-slow")
async def vswitchd_frozen_with_a_pidfile_that_lies(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP, and its pidfile names another process."""
    pidfile = scene.socket("ovs-vswitchd.pid")
    text = pidfile.read_text()
    pidfile.write_text(f"{scene.node.pid('ovn-controller')}\n")
    await scene.node.freeze("ovs-vswitchd")
    yield
    await scene.node.thaw("ovs-vswitchd")
    pidfile.write_text(text)


@fault("vswitchd-hung", passing="vswitchd-slow mgmt-socket-missing")
async def vswitchd_frozen_and_its_bridge_socket_removed(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP, and br-int.mgmt is away."""
    mgmt = scene.socket("br-int.mgmt")
    await scene.node.freeze("ovs-vswitchd")
    mgmt.rename(mgmt.with_suffix(".away"))
    yield
    mgmt.with_suffix(".away").rename(mgmt)
    await scene.node.thaw("ovs-vswitchd")


@fault("vswitchd-hung", passing=f"vswitchd-slow {NO_FLOWS}", starts=True)
async def vswitchd_frozen_in_its_start(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP before it made br-int.mgmt."""
    node = scene.node
    await node.stop("ovs-vswitchd")
    await node.freeze("ovsdb-server")  # without its database it does not get as far as the bridge
    await node.start("ovs-vswitchd")
    await node.freeze("ovs-vswitchd")
    await node.thaw("ovsdb-server")
    yield
    await node.thaw("ovs-vswitchd")


@fault("vswitchd-hung", passing="vswitchd-slow", deadline=4)
async def vswitchd_frozen_with_a_full_backlog(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP, and clients have filled the backlog of br-int.mgmt."""
    await scene.node.freeze("ovs-vswitchd")
    with clients(scene.socket("br-int.mgmt"), BACKLOG + 5):
        yield
    await scene.node.thaw("ovs-vswitchd")


@fault("vswitchd-hung", passing="vswitchd-slow", deadline=4)
async def vswitchd_frozen_with_a_full_control_backlog(scene: Scene) -> Steps:
    """ovs-vswitchd got SIGSTOP, and clients have filled the backlog of its control socket."""
    await scene.node.freeze("ovs-vswitchd")
    with clients(scene.socket("ovs-vswitchd.{ovs-vswitchd}.ctl"), BACKLOG + 5):
        yield
    await scene.node.thaw("ovs-vswitchd")


@fault(
    "ovsdb-hung",
    passing="ovsdb-slow",
    deadline=4,
)
async def ovsdb_frozen_with_a_full_backlog(scene: Scene) -> Steps:
    """ovsdb-server got SIGSTOP, and clients have filled the backlog of db.sock."""
    await scene.node.freeze("ovsdb-server")
    with clients(scene.socket("db.sock"), BACKLOG + 5):
        yield
    await scene.node.thaw("ovsdb-server")


@fault("ovsdb-down", passing=f"{RESTARTED['ovsdb']} {NO_FLOWS}", innocent="vswitchd-locked-out", starts=True)
async def ovsdb_killed_then_vswitchd_restarted(scene: Scene) -> Steps:
    """ovsdb-server got SIGKILL, then ovs-vswitchd was restarted: it waits for the database, and is not to blame."""
    await scene.node.kill("ovsdb-server")
    await scene.node.restart("ovs-vswitchd")
    yield
    await scene.node.start("ovsdb-server")


@fault("vswitchd-down", passing=NO_FLOWS)
async def vswitchd_killed_after_a_controller_restart(scene: Scene) -> Steps:
    """ovn-controller was restarted, and a second later ovs-vswitchd got SIGKILL."""
    await scene.node.restart("ovn-controller")
    await asyncio.sleep(1)  # what is to be seen is a start that is still within its allowance
    await scene.node.kill("ovs-vswitchd")
    yield
    await scene.node.start("ovs-vswitchd")


@fault("vswitchd-locked-out", state=State.DEGRADED, breaks="vswitchd ovsdb pidfile", starts=True)
async def second_vswitchd(scene: Scene) -> Steps:
    """A second ovs-vswitchd waits for the database lock, while the first serves on."""
    pidfile = scene.socket("ovs-vswitchd.pid")
    kept = pidfile.with_suffix(".kept")
    os.link(pidfile, kept)  # ovs-appctl heeds a pidfile only while its process holds a lock on that very file
    async with program(scene.node, *switch_arguments(scene.node)):
        yield
    kept.replace(pidfile)


@contextlib.asynccontextmanager
async def _lock(scene: Scene, verb: str) -> Steps:
    """Hold ovs-vswitchd's database lock."""
    server = f"unix:{scene.node.rundir}/db.sock"
    async with program(scene.node, "ovsdb-client", verb, server, "ovs_vswitchd") as holder:
        assert holder.stdout is not None
        await holder.stdout.readline()
        yield


@fault("vswitchd-locked-out", passing=NO_FLOWS, starts=True)
async def vswitchd_without_the_lock(scene: Scene) -> Steps:
    """Another client holds the database lock, and ovs-vswitchd was restarted."""
    await scene.node.kill("ovs-vswitchd")
    async with _lock(scene, "lock"):
        await scene.node.start("ovs-vswitchd")
        yield


@fault("datapath-missing", passing=NO_FLOWS, breaks="vswitchd ovsdb")
async def lock_stolen(scene: Scene) -> Steps:
    """A client that is not a switch stole ovs-vswitchd's database lock: the switch takes its bridges down."""
    async with _lock(scene, "steal"):
        yield


def again_and_again(daemon: str) -> Callable[[Scene], Steps]:
    """Killed three times, and started each time."""

    async def steps(scene: Scene) -> Steps:
        for _ in range(3):
            await scene.node.kill(daemon)
            await scene.node.start(daemon)
            await asyncio.sleep(0.7)
        yield

    return steps


for _daemon, _component in (COMPONENTS | CENTRAL | {"ovn-sb": "sb"}).items():
    _of_this_node = _daemon not in (*CENTRAL, "ovn-sb")
    fault(
        f"{_component}-restarting",
        name=f"{_component}-killed-again-and-again",
        about=f"{_daemon} got SIGKILL three times, and was started each time; "
        "an observer that was not there cannot know.",
        observers=("held",),
        passing=f"{_component}-down {RESTARTED[_component]} {f'{NO_FLOWS} vswitchd-slow' if _of_this_node else ''}",
        starts=_of_this_node,
        deadline=10,
    )(again_and_again(_daemon))


async def _with_time_for_a_monitor(scene: Scene) -> Steps:
    """A monitor waits until ten seconds are over between two crashes (lib/daemon-unix.c, ``monitor_daemon``): the third
    is twenty seconds after the first, and those who come then need time to look."""
    scene.settings["restarts_within"] = 45.0
    yield
    del scene.settings["restarts_within"]


async def _started_by(monitor: int, after: int) -> int:
    """The ovs-vswitchd that follows process ``after``, once it has told its monitor that it is up: one that crashes
    in its first start takes the monitor along. That then shows it in its title."""

    def another() -> int | None:
        shown = re.search(r"monitoring pid (\d+) ", " ".join(command_line(monitor)))
        return int(shown[1]) if shown and int(shown[1]) != after else None

    return await until(another, PATIENCE, f"The monitor did not start ovs-vswitchd after process {after}.")


@fault(
    "vswitchd-restarting",
    view=_with_time_for_a_monitor,
    # One that crashes in its start may have answered that it has no lock yet.
    passing=f"vswitchd-down vswitchd-slow vswitchd-locked-out {RESTARTED['vswitchd']} {NO_FLOWS}",
    starts=True,
    deadline=10,
)
async def vswitchd_crashes_again_and_again_under_its_monitor(scene: Scene) -> Steps:
    """ovs-vswitchd, under a monitor process, got SIGSEGV three times; its monitor shows that in its title."""
    node = scene.node
    await node.stop("ovs-vswitchd")
    async with program(node, *switch_arguments(node), "--monitor") as monitor:
        try:
            pid = await _started_by(monitor.pid, 0)
            for _ in range(3):
                os.kill(pid, signal.SIGSEGV)
                died, pid = pid, await _started_by(monitor.pid, pid)
                scene.socket(f"ovs-vswitchd.{died}.ctl").unlink()
            yield
            os.kill(pid, signal.SIGTERM)  # which its monitor takes for an end in order
            await monitor.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                if left := read_pidfile(node.rundir / "ovs-vswitchd.pid"):
                    os.kill(left, signal.SIGKILL)
    await node.start("ovs-vswitchd")
