"""Daemons that start again and again: each time they answer, and every probe passes."""

from __future__ import annotations

from ovsnet.health.checks.central import is_here, not_here
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, Status, failed, not_used, ok
from ovsnet.node.components import COMPONENTS, Component
from ovsnet.node.node import Node
from ovsnet.node.restarts import Crashes, crashes_of


def declare(component: Component) -> None:
    """The check of one daemon. Of one that may run on another host nobody sees a process."""

    @check(
        f"{component.name}.restarts",
        daemon=component.daemon,
        every=10,
        question=f"{component.title} does not start again and again.",
    )
    async def restarts(node: Node) -> Answer:
        return not_here(component) if component.central and not is_here(node, component) else _restarts(node, component)


for _component in COMPONENTS.values():
    if not _component.remote:
        declare(_component)


def _restarts(node: Node, component: Component) -> Answer:
    """From the starts that we saw, and from the daemon's monitor process, which remembers those before us."""
    daemon, settings, now = node.daemons[component.daemon], node.settings, node.clock()
    process = daemon.process()
    if daemon.distant or (process is None and daemon.started_at is None):
        return not_used("Its process was never seen.")
    soon = judge_restarts(
        component.title,
        daemon.starts.since(now - settings.restarts_within),
        None if process is None or process.age > settings.restarts_within else crashes_of(process.pid),
        most=settings.restarts,
        within=settings.restarts_within,
    )
    if soon.status is Status.FAILED:
        return soon
    daily = daemon.starts.going_on(now)
    return soon if daily < settings.restarts_a_day else _restarting(component.title, daily, "a day")


def judge_restarts(title: str, seen: int, crashes: Crashes | None, *, most: int, within: float) -> Answer:
    """``seen`` is how often it started ``within`` so many seconds, ``crashes`` those of one that started within them.
    Pure."""
    if crashes is not None and crashes.count >= seen and crashes.within(within) >= most:
        return failed(
            "restarting",
            f"{title} has crashed {crashes.count} times under its monitor, most recently of: {crashes.how}.",
            facts={"title": title, "how": crashes.how},
            restarts=crashes.count,
        )
    if seen >= most:
        return _restarting(title, seen, f"{within:.0f} s")
    times = f"has started again {seen} times" if seen else "has not restarted"
    return ok(f"{title} {times} recently.", restarts=seen)


def _restarting(title: str, seen: int, within: str) -> Answer:
    detail = f"{title} has started again {seen} times within {within}."
    return failed("restarting", detail, facts={"title": title}, restarts=seen)
