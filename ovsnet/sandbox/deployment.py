"""A sandbox that has a place: its directory, programs and ports are chosen, and its daemons can be started."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from ovsnet.errors import DeadlineExceeded, PeerError
from ovsnet.sandbox.daemons import Layout, declare, southbound_remote
from ovsnet.sandbox.proc import listening
from ovsnet.sandbox.supervisor import START_TIMEOUT, Supervisor, die_with_parent
from ovsnet.sandbox.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from ovsnet.sandbox.binaries import Binaries
    from ovsnet.sandbox.record import Settings


class Deployment:
    """The parts of one node. That the files are in ``layout.directory`` is up to ``place``."""

    def __init__(self, directory: Path, settings: Settings, binaries: Binaries, *, detached: bool) -> None:
        self.layout = Layout(directory)
        self.settings = settings
        self.binaries = binaries
        self.daemons = declare(
            self.layout, ovn=settings.ovn, members=settings.members, doors=settings.doors, chassis=settings.chassis
        )
        self.supervisor = Supervisor(
            self.layout, self.daemons, binaries, os.environ | self.environment(), detached=detached
        )

    @property
    def southbound(self) -> str:
        """Remote of the southbound database; three, separated by commas, with raft."""
        chassis = self.settings.chassis
        return southbound_remote(self.layout, self.settings.members) if chassis is None else chassis.southbound

    def environment(self) -> dict[str, str]:
        """Variables that point any program of OVS or OVN, and ovsnet, at this node."""
        variables = self.binaries.environment() | self.layout.variables()
        if self.settings.chassis is not None:
            variables["OVN_SB_DB"] = self.southbound
        elif self.settings.ovn:
            variables |= {"OVN_NB_DB": self.layout.unix("ovnnb_db.sock"), "OVN_SB_DB": self.southbound}
        return variables

    async def run(self, program: str, *arguments: str, timeout: float = 60.0) -> str:
        """Stdout of any program of OVS or OVN, run against this node. ``timeout`` is in seconds.

        Raises PeerError with the program's stderr when it fails, DeadlineExceeded when it does not end.
        """
        argv = [*die_with_parent(), str(self.binaries.path(program)), *arguments]
        command = " ".join([program, *arguments])[:200]
        pipe, environment = asyncio.subprocess.PIPE, os.environ | self.environment()
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment
        )
        try:
            async with asyncio.timeout(timeout):
                said, why = await process.communicate()
        except TimeoutError:
            raise DeadlineExceeded(f"{command} did not end within {timeout:g} s.") from None
        finally:
            # A cancelled `anyio.run_process` waits for the program's own end, unless the cancellation is anyio's, too.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode:
            raise PeerError(f"{command} failed: {why.decode(errors='replace').strip()}")
        return said.decode()

    async def wait_listening(self, socket: str, timeout: float = START_TIMEOUT) -> None:
        """Return when this socket of the run directory accepts connections: ``br-int.mgmt``."""
        path = self.layout.rundir / socket
        late = f"Nobody listens on {path} after {timeout:g} s."
        await until(lambda: listening([path]), timeout, late)
