"""``ovsnet serve``: the agent, until a signal."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import click
import uvloop

from ovsnet.agent.agent import Agent
from ovsnet.cli.logs import set_up
from ovsnet.cli.options import Reload, with_settings
from ovsnet.config import Group, Settings
from ovsnet.io.sd_notify import Notifier
from ovsnet.node.installation import find_rundir
from ovsnet.node.rundir import Rundir

if TYPE_CHECKING:
    from ovsnet.service.service import Load, Ready

AIOHTTP_WITHOUT_ITS_CLIENT = {"SSL_CERT_FILE": os.devnull, "FROZENLIST_NO_EXTENSIONS": "1"}
"""Environment for the import of aiohttp, which also prepares its client: 3 of 47 MB resident, and 40 ms.

It reads every CA certificate of the host (connector.py, ``_SSL_CONTEXT_VERIFIED``), and loads the C++ library for lists
that our server never makes. We call nobody over HTTPS; our ``ssl:`` addresses name their CA themselves.
"""


@click.command()
@with_settings(*Group, reloadable=True)
def serve(settings: Settings, reload: Reload) -> None:
    """Run the agent: health endpoints, status, metrics. It only reads; it changes nothing on the node.

    SIGHUP reloads the configuration. SIGTERM drains open requests; a second SIGTERM exits at once.
    """
    os.environ.update(AIOHTTP_WITHOUT_ITS_CLIENT)
    set_up(settings.log_format, os.environ)

    def load() -> tuple[Settings, Rundir]:
        fresh = reload()
        return fresh, find_rundir(fresh.rundir, fresh.ovn_rundir, os.environ)

    uvloop.run(run_service(load, _announce, Notifier.of(os.environ, os.getpid())))


async def run_service(load: Load, ready: Ready, notifier: Notifier) -> None:
    """Serve until SIGINT or SIGTERM."""
    from ovsnet.service.service import Service  # imports aiohttp, which ``serve`` has prepared for

    await Service(load, ready, notifier).run()


async def run_agent(settings: Settings, rundir: Rundir, ready: Ready) -> None:
    """The same without a configuration that can be reloaded, and without a service manager."""
    await run_service(lambda: (settings, rundir), ready, Notifier.of({}, os.getpid()))


async def _announce(agent: Agent, urls: list[str]) -> None:
    logging.getLogger("ovsnet").info("serving on %s", ", ".join(urls), extra={"fields": {"urls": urls}})
