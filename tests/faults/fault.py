"""What a fault is: one decorated function that breaks a node, yields, and repairs it, with the codes that are right.

    @fault("ovsdb-hung", breaks="ovsdb")
    async def ovsdb_frozen(scene: Scene) -> Steps:
        await scene.node.freeze("ovsdb-server")
        yield
        await scene.node.thaw("ovsdb-server")

State, liveness and exit code follow from the code (``tests.faults.verdicts``).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from ovsnet.health.cause import State
from ovsnet.node.version import Version, parse_version
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

Steps = AsyncIterator[None]
Happening = Callable[["Scene"], AbstractAsyncContextManager[None]]

Shape = Literal["ovn", "no-ovn", "raft"]
"""Which kind of sandbox a fault wants."""

Observer = Literal["held", "fresh", "start", "check"]
"""An agent that was there before the fault, one started within it, one whose start it hits, one-shot ``check``."""

OBSERVERS: tuple[Observer, ...] = ("held", "start", "fresh", "check")

LATER: tuple[Observer, ...] = ("fresh", "check")
"""What is set when an observer starts cannot change for one that runs."""


@dataclass(slots=True)
class Scene:
    """A node, and how it is observed. A fault that concerns the observers changes ``flags`` or ``prefix``, which act
    on those that start afterwards."""

    node: Sandbox
    scratch: Path
    rundir: Path
    ovn_rundir: Path | None
    flags: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)
    """Of the agents that start, in place of those of the matrix."""
    remembered: dict[str, int] = field(default_factory=dict)
    agents: list[int] = field(default_factory=list)
    """Pids of the agents that run."""

    @classmethod
    def of(cls, node: Sandbox, scratch: Path) -> Scene:
        """The node seen as it is."""
        return cls(node, scratch, node.rundir, node.rundir)

    def socket(self, name: str) -> Path:
        """A socket of the run directory; ``{ovs-vswitchd}`` in the name stands for that daemon's pid."""
        pids = {daemon: self.node.pid(daemon) for daemon in self.node.daemons if f"{{{daemon}}}" in name}
        for daemon, pid in pids.items():
            name = name.replace(f"{{{daemon}}}", str(pid))
        return self.node.rundir / name

    async def vsctl(self, *words: str) -> str:
        """``ovs-vsctl`` that does not wait for the switch."""
        return await self.node.run("ovs-vsctl", "--no-wait", *words)

    async def set(self, setting: str, column: str = "external_ids") -> None:
        """``ovn-remote=tcp:…`` in the one row of the database."""
        key, _, value = setting.partition("=")
        await self.vsctl("set", "Open_vSwitch", ".", f'{column}:{key}="{value}"')

    async def unset(self, key: str, column: str = "external_ids") -> None:
        """Remove a key from the one row of the database."""
        await self.vsctl("remove", "Open_vSwitch", ".", column, key)


@dataclass(frozen=True, slots=True)
class Fault:
    """One declaration.

    ``codes`` are those that are right, one of them for all observers alike. ``also`` must stand beside the root, and
    ``innocent`` must not. ``passing`` are other codes that are true on the way in or out. ``hidden_by`` are codes of
    other faults that leave nobody to tell of this one.

    ``breaks`` names parts of the node: the two faults of a pair break different ones. Without it a fault is in no pair.
    ``state`` is for a code whose state depends on the rest. ``starts``: it starts a daemon, so the verdict may be
    ``starting`` until the start's allowance is over.
    """

    name: str
    codes: frozenset[str]
    about: str
    happens: Happening
    view: Happening | None
    breaks: frozenset[str]
    state: State | None
    exit_code: int | None
    passing: frozenset[str]
    also: frozenset[str]
    hidden_by: frozenset[str]
    innocent: frozenset[str]
    observers: tuple[Observer, ...]
    shape: Shape
    needs: frozenset[str]
    starts: bool
    deadline: float
    long: bool

    @contextlib.asynccontextmanager
    async def seen(self, scene: Scene) -> AsyncIterator[None]:
        """What must be arranged before the observers come."""
        async with AsyncExitStack() as stack:
            if self.view is not None:
                await stack.enter_async_context(self.view(scene))
            yield


@cache
def _ovn() -> Version:
    """Of the OVN that the sandboxes run."""
    return parse_version(binaries.find().version("ovn-controller")) or ()


def _has(change: str) -> bool:
    """Whether that OVN is of the version that brought a change, or a later one; False for no change."""
    return bool(change) and _ovn() >= (parse_version(change) or ())


FAULTS: dict[str, Fault] = {}
"""By name; see ``tests.faults.catalogue``."""


def fault(
    *codes: str,
    name: str = "",
    about: str = "",
    breaks: str = "",
    view: Callable[[Scene], Steps] | None = None,
    state: State | None = None,
    exit_code: int | None = None,
    passing: str = "",
    also: str = "",
    hidden_by: str = "",
    innocent: str = "",
    observers: tuple[Observer, ...] = OBSERVERS,
    shape: Shape = "ovn",
    needs: str = "",
    starts: bool = False,
    deadline: float = 0.0,
    long: bool = False,
    ends_since: str = "",
    cured_since: str = "",
) -> Callable[[Callable[[Scene], Steps]], Callable[[Scene], Steps]]:
    """Declare a fault. Its name and its sentence are those of the function, unless they are given.

    ``deadline`` is how many seconds more than usual the proof takes. ``long`` asks for forty seconds with default
    settings, where these say more. ``ends_since`` is the first OVN whose ovn-controller ends by itself at it: there
    ``controller-down`` is right. ``cured_since`` is the first OVN to which it does nothing: there ``healthy`` is right.
    """

    def declare(steps: Callable[[Scene], Steps]) -> Callable[[Scene], Steps]:
        called = name or steps.__name__.replace("_", "-")
        assert called not in FAULTS, called
        right = ("controller-down",) if _has(ends_since) else ("healthy",) if _has(cured_since) else codes
        FAULTS[called] = Fault(
            name=called,
            codes=frozenset(right),
            about=about or (steps.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " "),
            happens=contextlib.asynccontextmanager(steps),
            view=None if view is None else contextlib.asynccontextmanager(view),
            breaks=frozenset(breaks.split()),
            state=state,
            exit_code=exit_code,
            passing=frozenset(passing.split()).union(codes),
            also=frozenset(also.split()),
            hidden_by=frozenset(hidden_by.split()),
            innocent=frozenset(innocent.split()),
            observers=observers,
            shape=shape,
            needs=frozenset(needs.split()),
            starts=starts,
            deadline=deadline,
            long=long,
        )
        return steps

    return declare
