"""Each knob that claims to act on the version at hand acts, each that claims to be dead is dead, seen on the wire or in
the daemon's own state: what tunes ovn-controller.

That something never comes cannot be waited for; it is told by something else, no older, that did come.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ovsnet.sandbox.node import Sandbox
from tests.tune.conftest import Tuning
from tests.tune.wire import FLOW_MESSAGES, Tap, acts, tapped, until


async def test_monitor_all_takes_the_whole_southbound(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await tuner.set("ovn-monitor-all=true")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "ovnsb_db.sock") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: conditions(tap, "Port_Binding") == [True])
            await tuner.set("ovn-monitor-all=false")
            await tap.until(lambda: conditions(tap, "Port_Binding") not in ([True], None))


def conditions(tap: Tap, table: str) -> object:
    """What was last asked of a table: [true] is all of it, None if it was never asked for."""
    asked: object = None
    for message in (message for said in tap.said for message in said.json()):
        if str(message.get("method", "")).startswith("monitor_cond") and isinstance(message["params"][2], dict):
            for request in message["params"][2].get(table, []):
                asked = request.get("where", [True])
    return asked


async def lflow_cache(node: Sandbox) -> dict[str, str]:
    """What ovn-controller tells of it. "Invalid arguments." until the main loop has made it (controller/lflow-cache.c,
    lflow_cache_get_stats)."""
    control = str(node.rundir / f"ovn-controller.{node.pid('ovn-controller')}.ctl")
    told = await node.run("ovs-appctl", "-t", control, "lflow-cache/show-stats")
    found = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in told.splitlines())}
    return {"total": "0", "trim count": "0", "Mem usage (KB)": "0", "Enabled": ""} | found


async def until_cache(node: Sandbox, fact: Callable[[dict[str, str]], bool]) -> None:
    async def look() -> bool:
        return fact(await lflow_cache(node))

    await until(look)


async def test_lflow_cache_is_bounded_and_disabled_as_set(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()
        await until_cache(node, lambda told: int(told["total"]) > 3)
        await tuner.set("ovn-limit-lflow-cache=3")
        await node.restart("ovn-controller")
        await until_cache(node, lambda told: 0 < int(told["total"]) <= 3)
        await tuner.set("ovn-limit-lflow-cache=", "ovn-memlimit-lflow-cache-kb=2")
        await node.restart("ovn-controller")
        await until_cache(node, lambda told: int(told["total"]) > 0 and int(told["Mem usage (KB)"]) <= 2)
        await tuner.set("ovn-enable-lflow-cache=false")
        await until_cache(node, lambda told: told["Enabled"] == "false")


async def test_lflow_cache_is_trimmed_below_the_share_and_above_the_limit_that_are_set(tuning: Tuning) -> None:
    """Each time a port goes, entries go with it."""
    async with Sandbox(ports=4) as node, tuning(node) as tuner:
        await node.wait_ready()

        async def port_goes(name: str) -> int:
            before = int((await lflow_cache(node))["total"])
            await node.run("ovn-nbctl", "--wait=hv", "lsp-del", name)
            await until_cache(node, lambda told: int(told["total"]) < before)
            return int((await lflow_cache(node))["trim count"])

        await tuner.set("ovn-trim-wmark-perc-lflow-cache=100")
        assert await port_goes("p1") == 0, "there are fewer than 10000"
        await tuner.set("ovn-trim-wmark-perc-lflow-cache=1", "ovn-trim-limit-lflow-cache=1")
        assert await port_goes("p2") == 0, "more than a hundredth is left"
        await tuner.set("ovn-trim-wmark-perc-lflow-cache=100")
        assert await port_goes("p3") > 0


async def test_memory_is_given_back_after_as_long_without_a_change_as_set(tuning: Tuning) -> None:
    """A second instead of the thirty by default."""
    async with Sandbox() as node, tuning(node) as tuner:
        await tuner.set("ovn-trim-timeout-ms=1000")
        await node.wait_ready()

        async def given_back() -> bool:
            log = node.log("ovn-controller", lines=1000)
            return any(int(idle) < 20_000 for idle in re.findall(r"last active (\d+) ms ago\): trimming", log))

        await until(given_back)


async def test_address_of_our_end_is_set_on_tunnels_or_the_knob_is_dead(tuning: Tuning) -> None:
    """Dead: it is set though the knob says no."""
    async with Sandbox() as node, tuning(node) as tuner:
        acting = acts(await tuner.facts(), "ovn-set-local-ip")
        await node.wait_ready()
        await node.run("ovn-sbctl", "chassis-add", "other", "geneve", "127.0.0.2")

        async def local_ip() -> bool:
            return "local_ip" in await node.run("ovs-vsctl", "find", "Interface", "type=geneve")

        async def tunnel() -> bool:
            return "127.0.0.2" in await node.run("ovs-vsctl", "find", "Interface", "type=geneve")

        await until(tunnel)
        assert await local_ip() is not acting, "by default"
        await tuner.set(f"ovn-set-local-ip={str(acting).lower()}")
        await until(local_ip)


async def test_southbound_of_a_northd_of_another_version_is_not_taken(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()
        await tuner.set("ovn-match-northd-version=true")
        await node.stop("ovn-northd")
        await node.run("ovn-sbctl", "set", "SB_Global", ".", "options:northd_internal_version=other")

        async def refused() -> bool:
            return "mismatch with northd version - other" in node.log("ovn-controller", lines=1000)

        async def tunnel() -> bool:
            return "127.0.0.2" in await node.run("ovs-vsctl", "find", "Interface", "type=geneve")

        await until(refused)
        await node.run("ovn-sbctl", "chassis-add", "other", "geneve", "127.0.0.2")
        assert not await tunnel()
        await tuner.set("ovn-match-northd-version=false")
        await until(tunnel)


async def test_old_flows_are_kept_for_as_long_as_set_or_the_knob_is_dead(tuning: Tuning) -> None:
    """Dead: flows are written though the wait would be ten minutes."""
    knob = "ovn-ofctrl-wait-before-clear"
    async with Sandbox() as node, tuning(node) as tuner:
        acting = acts(await tuner.facts(), knob)
        await tuner.set(f"{knob}={2000 if acting else 600000}")
        await node.stop("ovn-controller")
        async with tapped(node.rundir / "br-int.mgmt") as tap:
            await node.start("ovn-controller")
            await tap.until(lambda: any(tap.flow_writers()))
            (writer,) = tap.flow_writers()
            first = next(at for at, message in writer.openflow() if message[1] in FLOW_MESSAGES)
            assert not acting or first >= 1.9
