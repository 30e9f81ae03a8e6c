"""The database that ``ovsnet ovsdb`` works on, and the flags that say which."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import click
import msgspec

from ovsnet.cli.options import Duration, with_settings
from ovsnet.config import Group, Settings
from ovsnet.errors import DeadlineExceeded
from ovsnet.io.address import remotes_of
from ovsnet.node.installation import find_rundir
from ovsnet.ovsdb import Address, Client, LiveDatabase
from ovsnet.texts import seconds

Command = Callable[..., Any]


class Target(msgspec.Struct, frozen=True):
    """Where, which database, and how long for all of it."""

    settings: Settings
    remotes: tuple[str, ...]
    name: str
    leader_only: bool
    retry: bool
    timeout: float

    @asynccontextmanager
    async def database(self) -> AsyncIterator[LiveDatabase]:
        """The database over a client that is connected. Raises why none could be reached; with ``retry`` only when
        time is up."""
        places = remotes_of(self.remotes or (self._own(),))
        client = Client(
            *places,
            database=self.name if self.leader_only or len(places) > 1 else "",
            leader_only=self.leader_only,
            timeout=min(self.timeout, 3.0),
            tls=self.settings.tls,
        )
        async with client:
            await self._connected(client)
            yield LiveDatabase(client, self.name, timeout=self.timeout)

    def _own(self) -> Address | str:
        if self.settings.database:
            return self.settings.database
        return find_rundir(self.settings.rundir, self.settings.ovn_rundir, os.environ).database

    async def _connected(self, client: Client) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                async for status in client.changes():
                    if status.state == "up":
                        return
                    if status.state == "waiting" and status.reason is not None and not self.retry:
                        raise status.reason.with_traceback(None)
        except TimeoutError:
            reason = client.status.reason
            raise DeadlineExceeded(
                f"No server could be used within {seconds(self.timeout)}.{'' if reason is None else f' {reason}'}"
            ) from None


def with_target(command: Command) -> Command:
    """Give a command the flags that say where, and a Target made of them."""

    @functools.wraps(command)
    def located(
        settings: Settings,
        remote: tuple[str, ...],
        db: str,
        leader_only: bool,
        retry: bool,
        timeout: float,
        **arguments: object,
    ) -> object:
        return command(target=Target(settings, remote, db, leader_only, retry, timeout), **arguments)

    with_where = with_settings(Group.NODE, Group.TLS)(located)
    for option in (
        click.option(
            "--timeout",
            default="10s",
            show_default=True,
            type=Duration(0.02, 86400),
            help="How long to wait for a server, and for each answer.",
        ),
        click.option("--retry", is_flag=True, help="Keep trying while the server is away, until --timeout."),
        click.option("--leader-only", is_flag=True, help="Use only the leader of the cluster."),
        click.option(
            "--db",
            default="Open_vSwitch",
            show_default=True,
            metavar="NAME",
            help="Name of the database, such as OVN_Northbound.",
        ),
        click.option(
            "--remote",
            multiple=True,
            metavar="ADDRESS",
            help="Address of a server, such as tcp:10.0.0.1:6641; repeat it, or separate several with commas. "
            "[this node's own]",
        ),
    ):
        with_where = option(with_where)
    return with_where
