"""The databases that ``ovsnet tune`` works on, and the flags that say which."""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from ovsnet.cli.options import Duration, with_settings
from ovsnet.config import Group, Settings, declared
from ovsnet.io.address import Address, parse_remotes
from ovsnet.node.installation import find_rundir
from ovsnet.ovsdb import Session
from ovsnet.tune.facts import Facts
from ovsnet.tune.sessions import opened, read_facts

Command = Callable[..., Any]


class Databases(msgspec.Struct, frozen=True):
    """The databases to tune: the node's own, found by its settings, and the remotes of the others. ``flags`` are those
    that name them, as arguments of a command."""

    settings: Settings
    nb: str
    sb: str
    timeout: float
    flags: tuple[str, ...] = ()

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[tuple[dict[str, Session], Facts]]:
        """The sessions, held, and what was found over them."""
        rundir = find_rundir(self.settings.rundir, self.settings.ovn_rundir, os.environ)
        own = Address.parse(self.settings.database) if self.settings.database else rundir.database
        remotes: dict[str, tuple[Address, ...]] = {"Open_vSwitch": (own,)}
        for database, text in (("OVN_Northbound", self.nb), ("OVN_Southbound", self.sb)):
            if text:
                remotes[database] = parse_remotes(text)
        async with opened(remotes, timeout=self.timeout, tls=self.settings.tls) as sessions:
            yield sessions, await read_facts(sessions, rundir, timeout=self.timeout)


SEVERAL = "For a cluster, give all its servers; the leader is found automatically."

WHICH = (Group.NODE, Group.TLS)
"""Settings that say which databases, and how we authenticate to them."""


def _given() -> Iterator[str]:
    """Flags of the command line that say where: the same ones reach the same databases again."""
    context = click.get_current_context()
    where = {"config", "nb", "sb", *(each.name for each in declared() if each.group in WHICH)}
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if option.name in where and given:
            value = context.params[option.name]
            for each in value if isinstance(value, tuple) else (value,):
                yield from (option.opts[0], str(each))


def with_databases(command: Command) -> Command:
    """Give a command the flags that say where, and Databases made of them."""

    @functools.wraps(command)
    def located(settings: Settings, nb: str, sb: str, timeout: float, **arguments: object) -> object:
        return command(databases=Databases(settings, nb, sb, timeout, tuple(_given())), **arguments)

    with_where = with_settings(*WHICH)(located)
    for option in (
        click.option(
            "--timeout",
            default="5s",
            show_default=True,
            type=Duration(0.02, 3600),
            help="How long to wait for each answer.",
        ),
        click.option("--sb", default="", metavar="ADDRESS,…", help=f"Also use this southbound database. {SEVERAL}"),
        click.option("--nb", default="", metavar="ADDRESS,…", help=f"Also use this northbound database. {SEVERAL}"),
    ):
        with_where = option(with_where)
    return with_where
