"""What the service answers while it cannot open another file."""

from __future__ import annotations

import aiohttp

from ovsnet.sandbox.node import Sandbox
from ovsnet.web.endpoints import ENDPOINTS
from tests.faults.programs import no_more_descriptors
from tests.serving import serving

EXAMPLES = {"/readyz/": "/readyz/openflow.echo", "/runbook/": "/runbook/vswitchd-hung"}


async def test_each_endpoint_answers_and_what_takes_a_file_says_why_it_cannot(shared_node: Sandbox) -> None:
    """None of them was asked before, so nothing that one reads for the first time is there yet."""
    paths = [EXAMPLES.get(path, path) for path in ENDPOINTS if path != "/events"]
    async with serving(shared_node.rundir) as served, aiohttp.ClientSession(served.url) as client:
        async with client.get("/livez"):  # the connection that stays
            pass
        with no_more_descriptors(served.pid):
            for path in paths:
                async with client.get(path) as response:
                    body = await response.text()
                assert response.status in (200, 503), path
                assert response.status == 200 or path.startswith("/readyz") or "out of file descriptors" in body, path
            async with client.get("/status") as response:
                assert (await response.json())["diagnosis"]["code"]
        for path in paths:
            async with client.get(path) as response:
                assert response.status == 200 or path.startswith("/readyz"), path
