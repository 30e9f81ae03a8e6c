"""What may befall a node, as data: how it is brought about, how it is undone, and what may be said of it meanwhile."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from ovsnet.sandbox import binaries, contents
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent

HUNG_AFTER = 1.0
"""Seconds: the agent's setting in a soak."""

SHORT = 0.6 * HUNG_AFTER
"""Seconds of a freeze that must never be called hung: as 2 s beside the default of 3."""


@dataclass(slots=True)
class Scene:
    """The node, and what a fault has to remember until it is undone."""

    node: Sandbox
    second: subprocess.Popen[bytes] | None = None
    excused: set[str] = field(default_factory=set)
    """Codes that this round may say as well, because we were held up ourselves."""


Step = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` is the root cause once it is settled, "healthy" for what must do no harm; ``also`` stands beside it.

    ``passing`` may be said before, and ``mending`` after it is undone, beside "starting" and "healthy". ``breaks``
    names parts of the node: two faults at once break different ones. ``hidden_by`` are codes of other faults that
    leave nobody to tell of this one.
    """

    name: str
    code: str
    breaks: frozenset[str]
    inject: Step
    undo: Step
    also: frozenset[str] = frozenset()
    passing: frozenset[str] = frozenset()
    mending: frozenset[str] = frozenset()
    hidden_by: frozenset[str] = frozenset()

    @property
    def codes(self) -> frozenset[str]:
        """Everything that may be said of it."""
        return self.passing | self.mending | self.also | {self.code, "healthy"}


def _does(verb: str, daemon: str) -> Step:
    """``Sandbox.kill("ovs-vswitchd")`` and its kin as a step."""

    async def step(scene: Scene) -> None:
        await getattr(scene.node, verb)(daemon)

    return step


async def nothing(scene: Scene) -> None:
    """It has passed by itself."""


async def freeze_briefly(daemon: str, component: str, scene: Scene) -> None:
    began = time.monotonic()
    await scene.node.freeze(daemon)
    await asyncio.sleep(SHORT)
    await scene.node.thaw(daemon)
    if time.monotonic() - began >= HUNG_AFTER:  # a machine that held us up made it a long one
        scene.excused.add(f"{component}-hung")


async def appctl(scene: Scene, *command: str) -> None:
    node = scene.node
    await node.run("ovs-appctl", "-t", f"{node.rundir}/ovn-controller.{node.pid('ovn-controller')}.ctl", *command)


async def pause(scene: Scene) -> None:
    await appctl(scene, "debug/pause")


async def resume(scene: Scene) -> None:
    await appctl(scene, "debug/resume")


async def unlink_mgmt(scene: Scene) -> None:
    (scene.node.rundir / "br-int.mgmt").unlink()


async def wipe_flows(scene: Scene) -> None:
    await scene.node.run("ovs-ofctl", "-OOpenFlow15", "del-flows", "br-int")


async def pause_and_wipe_flows(scene: Scene) -> None:
    await pause(scene)
    await wipe_flows(scene)


async def wait_for_flow_restore(scene: Scene) -> None:
    await scene.node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    await scene.node.restart("ovs-vswitchd")


async def end_flow_restore(scene: Scene) -> None:
    await scene.node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")


async def delete_bridge(scene: Scene) -> None:
    """ovn-controller would make it again at once: it is paused."""
    await pause(scene)
    await scene.node.run("ovs-vsctl", "--no-wait", "del-br", "br-int")


async def let_bridge_be_made(scene: Scene) -> None:
    await resume(scene)
    await contents.add_ports_late(scene.node.run, 2)


async def give_pidfile_another_pid(scene: Scene) -> None:
    (scene.node.rundir / "ovs-vswitchd.pid").write_text(f"{os.getpid()}\n")


async def correct_pidfile(scene: Scene) -> None:
    running = scene.node.running("ovs-vswitchd")
    (scene.node.rundir / "ovs-vswitchd.pid").write_text(f"{scene.node.pid('ovs-vswitchd')}\n" if running else "")


async def start_second_vswitchd(scene: Scene) -> None:
    rundir = scene.node.rundir
    command = [str(binaries.find().path("ovs-vswitchd")), f"unix:{rundir}/db.sock", "--enable-dummy=override"]
    command += ["--disable-system", "--overwrite-pidfile", f"--pidfile={rundir}/ovs-vswitchd.pid", "-vconsole:off"]
    environment = os.environ | scene.node.environment()
    scene.second = subprocess.Popen(  # noqa: ASYNC220 - it takes 1 ms, and nothing else is waited for meanwhile
        [*die_with_parent(), *command], env=environment, cwd=scene.node.directory
    )


async def end_second_vswitchd(scene: Scene) -> None:
    assert scene.second is not None
    scene.second.kill()
    scene.second.wait()
    await correct_pidfile(scene)


def _fault(
    name: str,
    code: str,
    breaks: str,
    inject: Step,
    undo: Step,
    *,
    also: Collection[str] = (),
    passing: Collection[str] = (),
    mending: Collection[str] = (),
    hidden_by: Collection[str] = (),
) -> Fault:
    return Fault(
        name, code, frozenset(breaks.split()), inject, undo,
        frozenset(also), frozenset(passing), frozenset(mending), frozenset(hidden_by),
    )  # fmt: skip


NO_FLOWS_YET = ("flows-missing", "controller-not-connected")
"""After a start that took longer than its allowance: ovn-controller sat in its backoff, up to 8 s."""

WITHOUT_OVSDB = ("ovsdb-down", "ovsdb-hung")
"""Then nobody says where the southbound is, and no bridge is asked over OpenFlow."""

LOCK_NOT_HELD_YET = ("vswitchd-not-connected", "vswitchd-slow")
"""ovs-vswitchd tries its database again after a second, and serves no OpenFlow before it holds the lock (bridge.c,
``bridge_run``)."""


def _ends(
    daemon: str, component: str, *, mending: Collection[str] = (), hidden_by: Collection[str] = ()
) -> list[Fault]:
    """Killed, and ended in order; started again."""
    return [
        _fault(
            f"{component}-{verb}", f"{component}-down", component, _does(does, daemon), _does("start", daemon),
            mending=mending, hidden_by=hidden_by,
        )
        for verb, does in (("kill", "kill"), ("term", "stop"))
    ]  # fmt: skip


def _freezes(daemon: str, component: str, *, hidden_by: Collection[str] = ()) -> list[Fault]:
    """For as long as it takes to be called hung, and so briefly that it must not be."""
    slow = (f"{component}-slow",)
    brief = partial(freeze_briefly, daemon, component)
    return [
        _fault(
            f"{component}-freeze", f"{component}-hung", component, _does("freeze", daemon), _does("thaw", daemon),
            passing=slow, mending=slow, hidden_by=hidden_by,
        ),
        _fault(f"{component}-short-freeze", "healthy", component, brief, nothing, passing=slow, hidden_by=hidden_by),
    ]  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    *_ends("ovs-vswitchd", "vswitchd", mending=NO_FLOWS_YET),
    *_freezes("ovs-vswitchd", "vswitchd"),
    *_ends("ovsdb-server", "ovsdb", mending=LOCK_NOT_HELD_YET),
    *_freezes("ovsdb-server", "ovsdb"),
    *_ends("ovn-controller", "controller", mending=NO_FLOWS_YET),
    *_freezes("ovn-controller", "controller"),
    _fault("controller-pause", "controller-paused", "controller", pause, resume),
    *_ends("ovn-sb", "southbound", mending=["controller-not-connected"], hidden_by=WITHOUT_OVSDB),
    *_freezes("ovn-sb", "southbound", hidden_by=WITHOUT_OVSDB),
    _fault(
        "mgmt-unlinked", "mgmt-socket-missing", "vswitchd", unlink_mgmt, _does("restart", "ovs-vswitchd"),
        mending=["vswitchd-down", *NO_FLOWS_YET], hidden_by=WITHOUT_OVSDB,
    ),
    _fault(
        "flows-wiped", "flows-missing", "vswitchd controller ovsdb", wipe_flows, _does("restart", "ovn-controller"),
        mending=["controller-down"],
    ),
    _fault(
        "flows-wiped-paused", "controller-paused", "vswitchd controller ovsdb", pause_and_wipe_flows,
        _does("restart", "ovn-controller"), also=["flows-missing"], mending=["controller-down"],
    ),
    _fault(
        "flow-restore-wait", "flow-restore-wait", "vswitchd ovsdb", wait_for_flow_restore, end_flow_restore,
        passing=["vswitchd-down", "starting"], mending=NO_FLOWS_YET,
    ),
    _fault(
        "bridge-deleted", "bridge-missing", "vswitchd controller ovsdb", delete_bridge, let_bridge_be_made,
        also=["controller-paused"], mending=NO_FLOWS_YET,
    ),
    _fault("pidfile-reused", "healthy", "pidfile", give_pidfile_another_pid, correct_pidfile),
    _fault(
        "second-vswitchd", "vswitchd-locked-out", "vswitchd ovsdb pidfile",
        start_second_vswitchd, end_second_vswitchd,
    ),
)  # fmt: skip
