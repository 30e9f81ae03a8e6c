"""``ovsnet openflow``: what a bridge reports, for people and for scripts. It changes nothing."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import click
import msgspec

from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.openflow_text import change_line, changes_document, flow_document, port_line, table_line
from ovsnet.cli.options import Duration, Whole, with_settings
from ovsnet.cli.terminal import say
from ovsnet.config import Group, Settings
from ovsnet.errors import DeadlineExceeded, UsageError
from ovsnet.files import names_in
from ovsnet.io.address import Address
from ovsnet.node.installation import find_rundir
from ovsnet.openflow import (
    ALL_VERSIONS,
    Client,
    FlowChanges,
    OpenFlowProtocolError,
    Session,
    Version,
    connect,
)
from ovsnet.texts import json_of, likely, seconds

Command = Callable[..., Any]

_VERSIONS = {"1.0": Version.OF10, "1.3": Version.OF13, "1.4": Version.OF14, "1.5": Version.OF15}


MGMT = ".mgmt"
"""What ovs-vswitchd appends to the name of a bridge for its OpenFlow socket (OVS vswitchd/bridge.c)."""


class Switch(msgspec.Struct, frozen=True):
    """Which bridge to ask, in which version, and how long to wait for each answer."""

    target: str
    settings: Settings
    version: str
    timeout: float
    as_json: bool

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[Session]:
        """A session, for as long as the block lasts."""
        tls = self.settings.tls
        async with connect(self.address, versions=self._versions, timeout=self.timeout, tls=tls) as session:
            yield session

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Client]:
        """A client that stays connected. Raises what prevents its first connection."""
        async with Client(self.address, versions=self._versions, timeout=self.timeout, tls=self.settings.tls) as client:
            try:
                async with asyncio.timeout(self.timeout):
                    await _first_connection(client)
            except TimeoutError:
                raise DeadlineExceeded(f"{self.address} sent no HELLO within {seconds(self.timeout)}.") from None
            yield client

    @property
    def _versions(self) -> frozenset[Version]:
        return frozenset({_VERSIONS[self.version]}) if self.version else ALL_VERSIONS

    @property
    def address(self) -> Address:
        """A target without a scheme is the name of a bridge of this node. Raises AddressError, or UsageError where this
        node has bridges and none of that name."""
        if ":" in self.target:
            return Address.parse(self.target)
        rundir = find_rundir(self.settings.rundir, self.settings.ovn_rundir, os.environ)
        bridges = [each.removesuffix(MGMT) for each in names_in(rundir.ovs) if each.endswith(MGMT)]
        if bridges and self.target not in bridges:
            remedy = likely(self.target, sorted(bridges), "The bridges")
            raise UsageError(f"There is no bridge {self.target!r} in {rundir.ovs}.", remedy=remedy)
        return rundir.mgmt(self.target)

    def show(self, document: Mapping[str, Any], text: str) -> None:
        """One line of JSON, or the text."""
        if self.as_json:
            say(json_of(msgspec.to_builtins(document)).decode())
        else:
            say(text)

    def show_all(self, found: Iterable[Any], text: Callable[[Any], str]) -> None:
        """Each of them."""
        for each in found:
            self.show(msgspec.to_builtins(each), text(each))


async def _first_connection(client: Client) -> None:
    async for status in client.changes():
        if status.state == "up":
            return
        if status.state == "waiting" and status.reason is not None:
            raise status.reason.with_traceback(None)


def _with_switch(command: Command) -> Command:
    """Give a command TARGET and the flags that all of them have, and a Switch made of those."""

    @functools.wraps(command)
    def located(
        target: str, settings: Settings, openflow: str, timeout: float, as_json: bool, **arguments: object
    ) -> None:
        switch = Switch(target, settings, openflow, timeout, as_json)
        asyncio.run(command(switch, **arguments))

    wrapped = with_settings(Group.NODE, Group.TLS)(located)
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line."),
        click.option("--timeout", default="5s", show_default=True, type=Duration(0.02, 3600),
                     help="How long to wait for each answer."),
        click.option("-O", "--openflow", default="", type=click.Choice(["", *_VERSIONS]),
                     help="OpenFlow version to speak. [the highest that the bridge allows]"),
        click.argument("target"),
    ):  # fmt: skip
        wrapped = decorate(wrapped)
    return wrapped


@click.group(cls=CommandGroup)
def openflow() -> None:
    """Query a bridge; nothing is changed.

    TARGET is the name of a bridge of this node, such as br-int, or an address: unix:PATH, tcp:HOST:PORT, ssl:HOST:PORT.
    """


@openflow.command("dump-flows")
@_with_switch
@click.option("--table", type=Whole(0, 254), help="Only flows of this table.")
@click.option("--cookie", metavar="VALUE[/MASK]", help="Only flows whose cookie has these bits.")
@click.option("--out-port", type=Whole(1, 0xFFFF), help="Only flows with an output to this port.")
@click.option("--no-stats", is_flag=True, help="Omit what changes by itself: counters and ages.")
async def dump_flows(
    switch: Switch, table: int | None, cookie: str | None, out_port: int | None, no_stats: bool
) -> None:
    """Print the flows, as ovs-ofctl does."""
    value, mask = _cookie(cookie)
    async with switch.asked() as session:
        found = session.flows(table=table, cookie=value, cookie_mask=mask, out_port=out_port, timeout=switch.timeout)
        async with aclosing(found) as flows:
            async for flow in flows:
                with _sent_by(session.address):
                    switch.show(flow_document(flow) if switch.as_json else {}, flow.rule if no_stats else str(flow))


def _cookie(text: str | None) -> tuple[int | None, int]:
    every = (1 << 64) - 1
    if text is None:
        return None, every
    value, slash, mask = text.partition("/")
    try:
        numbers = int(value, 0), int(mask, 0) if slash else every
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a number.", param_hint="--cookie") from None
    if not all(0 <= number <= every for number in numbers):
        raise click.BadParameter(f"{text!r} has more than 64 bits.", param_hint="--cookie")
    return numbers


@openflow.command()
@_with_switch
@click.option("--table", type=Whole(0, 254), help="Only flows of this table.")
@click.option("--out-port", type=Whole(1, 0xFFFF), help="Only flows with an output to this port.")
@click.option("--count", type=Whole(1), help="Exit after this many changes (the initial flows do not count).")
async def monitor(switch: Switch, table: int | None, out_port: int | None, count: int | None) -> None:
    """Print the flows, then every change, across restarts of the switch, until interrupted."""
    complete, left = False, count
    async with (
        switch.followed() as client,
        aclosing(client.flow_monitor(table=table, out_port=out_port, timeout=switch.timeout)) as found,
    ):
        async for changes in found:
            with _sent_by(client.address):
                _show_changes(switch, changes)
            if complete is not changes.complete and not switch.as_json:
                say("# complete" if changes.complete else "# incomplete: changes may be missing", err=True)
            if left is not None and complete and (left := left - len(changes)) <= 0:
                return
            complete = changes.complete


def _show_changes(switch: Switch, changes: FlowChanges) -> None:
    if switch.as_json:
        switch.show(changes_document(changes), "")
        return
    for change in changes:
        say(change_line(change))


@contextmanager
def _sent_by(address: Address) -> Iterator[None]:
    """An error in a flow says what is wrong, and not which switch sent it."""
    try:
        yield
    except OpenFlowProtocolError as error:
        raise OpenFlowProtocolError(f"{address}: {error}") from error


@openflow.command()
@_with_switch
async def ports(switch: Switch) -> None:
    """Print the ports, their state and their counters."""
    async with switch.asked() as session:
        counted = {stats.number: stats for stats in await session.port_stats(timeout=switch.timeout)}
        for port in sorted(await session.ports(timeout=switch.timeout), key=lambda port: port.number):
            stats = counted.get(port.number)
            document = msgspec.to_builtins(port) | ({} if stats is None else msgspec.to_builtins(stats))
            switch.show(document, port_line(port, stats))


@openflow.command()
@_with_switch
async def tables(switch: Switch) -> None:
    """Print the tables that hold flows or have been looked up."""
    async with switch.asked() as session:
        found = await session.tables(timeout=switch.timeout)
    switch.show_all((table for table in found if table.active_count or table.lookup_count), table_line)


@openflow.command()
@_with_switch
async def groups(switch: Switch) -> None:
    """Print the groups and their buckets."""
    async with switch.asked() as session:
        found = await session.groups(timeout=switch.timeout)
    for group in found:
        buckets = [
            {"weight": each.weight, "watch_port": each.watch_port, "watch_group": each.watch_group,
             "actions": [str(action) for action in each.actions]}
            for each in group.buckets
        ]  # fmt: skip
        document = {"group_id": group.group_id, "type": group.type, "buckets": buckets}
        switch.show(document | {"selection_method": group.selection_method}, str(group))


@openflow.command()
@_with_switch
async def meters(switch: Switch) -> None:
    """Print the meters and their bands."""
    async with switch.asked() as session:
        switch.show_all(await session.meters(timeout=switch.timeout), str)


@openflow.command()
@_with_switch
async def show(switch: Switch) -> None:
    """Print an overview of the bridge: datapath ID, software, OpenFlow version, flows, ports."""
    async with switch.asked() as session:
        features = await session.features(timeout=switch.timeout)
        desc = await session.desc(timeout=switch.timeout)
        found = await session.tables(timeout=switch.timeout)
        document = {
            "datapath_id": f"{features.datapath_id:016x}",
            "openflow": f"1.{session.version - 1}",
            "manufacturer": desc.manufacturer,
            "hardware": desc.hardware,
            "software": desc.software,
            "datapath": desc.datapath,
            "tables": features.n_tables,
            "flows": sum(table.active_count for table in found),
            "ports": len(await session.ports(timeout=switch.timeout)),
        }
    switch.show(document, "\n".join(f"{name:<14}{value}" for name, value in document.items()))
