"""Listen, look the path up, answer.

aiohttp's low-level server: a path is looked up in one dict, which costs less than a router. Idle, partial and
dribbling clients are cut after ``KEEPALIVE`` seconds; aiohttp's own default would hold them for an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from ovsnet.agent.agent import Agent
from ovsnet.deadlines import BACKLOG, SHUTDOWN
from ovsnet.errors import own_limit
from ovsnet.io.handshake import SecureAcceptor
from ovsnet.io.listen import Listener, listen
from ovsnet.io.nofile import nofile, places
from ovsnet.io.tls import RenewedContext
from ovsnet.web.connections import KEEPALIVE, CappedServer
from ovsnet.web.credentials import Credentials
from ovsnet.web.endpoints import ENDPOINTS, HEADERS, OK, Endpoint, text
from ovsnet.web.host import host_is_ours

COSTLY = 2
"""How many costly answers are made in one turn of the loop: a probe needs a few turns, whatever a crowd asks."""

NOT_OURS = "This host name is not ours. The setting host_names lists those that are."

ASKED = "Credentials are asked for here: a bearer token, or a user and a password. The setting is credentials."
CHOSEN = "A query that chooses checks is withheld, as are the reasons."
BUSY = "Too many passwords are being looked at. Ask again."
CHALLENGE = 'Basic realm="ovsnet", charset="UTF-8", Bearer realm="ovsnet"'
"""RFC 7235, section 4.1: either will do. A browser takes the first that it knows."""

UNKNOWN = "unknown"
"""The label of every path that does not exist."""


class WebServer:
    """Answers for ``agent``, which may be replaced at any time, on every socket that is opened."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._credentials = Credentials(agent.settings)
        self._server = CappedServer(self._answer, agent.settings.max_connections, agent.counters)
        self._costly = asyncio.Semaphore(COSTLY)
        self._accepting: dict[Listener, asyncio.Server | SecureAcceptor] = {}

    @property
    def listeners(self) -> list[Listener]:
        """Those that are open, in the order in which they came."""
        return list(self._accepting)

    async def open(self, listener: Listener, context: RenewedContext | None) -> None:
        """Accept on ``listener`` from now on. One that is open already continues with the new ``context``, and refuses
        no connection in between."""
        before = self._accepting.get(listener)
        accepting: asyncio.Server | SecureAcceptor
        queue = places(nofile(), self.agent.settings.max_connections, BACKLOG).waiting
        if listener.secure:
            assert context is not None
            accepting = SecureAcceptor(self._server, listener.accepting(queue), context, KEEPALIVE)
        else:
            accepting = await asyncio.get_running_loop().create_server(
                self._server,
                sock=listener.accepting(queue),
                backlog=queue,  # it calls listen() again, with 100 by default
            )
        self._accepting[listener] = accepting
        if before is not None:
            before.close()

    def close(self, listener: Listener) -> None:
        """Accept no more connections there, if any were. Open ones go on."""
        if (accepting := self._accepting.pop(listener, None)) is not None:
            accepting.close()
        listener.close()

    def exchange(self, agent: Agent, credentials: Credentials) -> None:
        """Answer for another agent, with ``credentials`` made from its settings."""
        self.agent = agent
        self._credentials = credentials
        self._server.allow(agent.settings.max_connections)
        self._server.counters = agent.counters

    async def aclose(self) -> None:
        """Accept no more connections, let open requests finish for ``SHUTDOWN`` seconds, close."""
        for listener in self.listeners:
            self.close(listener)
        await asyncio.sleep(0)  # what was accepted in this turn of the loop begins to be served
        self._server.pre_shutdown()
        await self._server.end(SHUTDOWN)

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        found = find_endpoint(request.path)
        if found is not None and found.costly:
            async with self._costly:
                await asyncio.sleep(0)  # the place is taken for this turn
        status = 500  # which aiohttp makes of an exception
        try:
            if self._credentials.asked:
                response = await self._proven_response(request, found)
            else:
                response = self._response(request, found)
            status = response.status
        except Exception as error:
            if (own := own_limit(error)) is None:
                raise
            response = text(f"{own} {own.remedy}\n", 503)
            status = response.status
        finally:
            self.agent.counters.requests[found.path if found else UNKNOWN, status] += 1
        return response

    async def _proven_response(self, request: BaseRequest, found: Endpoint | None) -> StreamResponse:
        """A probe is answered all the same: its yes or no needs no password."""
        if found is not None and not await self._credentials.prove(request) and not found.probe:
            return Response(text=f"{BUSY}\n", status=429, headers={**HEADERS, "Retry-After": "1"})
        return self._response(request, found)

    def _response(self, request: BaseRequest, found: Endpoint | None) -> StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={**HEADERS, "Allow": "GET, HEAD"})
        if found is None:
            return text("There is no such path; / lists them.\n", 404)
        if found.probe:
            return self._probed(request, found)
        if not host_is_ours(request.headers.get("Host", ""), self.agent):
            return text(f"{NOT_OURS}\n", 421)
        if not self._credentials.allows(request):
            return Response(text=f"{ASKED}\n", status=401, headers={**HEADERS, "WWW-Authenticate": CHALLENGE})
        return found.handler(self.agent, request)

    def _probed(self, request: BaseRequest, found: Endpoint) -> StreamResponse:
        chosen = found.choices & request.query.keys() if request.query_string else ()
        if chosen and (why := self._withheld(request)):
            return text(f"{CHOSEN} {why}\n", 403)
        response = found.handler(self.agent, request)
        assert isinstance(response, Response)
        if response.body is OK or not (why := self._withheld(request)):
            return response
        return text("ok\n" if response.status == 200 else f"no: the reason is withheld. {why}\n", response.status)

    def _withheld(self, request: BaseRequest) -> str:
        """Why this client gets only a probe's yes or no; "" if it may read the reasons."""
        if not host_is_ours(request.headers.get("Host", ""), self.agent):
            return NOT_OURS
        return "" if self._credentials.allows(request) else ASKED


@contextlib.asynccontextmanager
async def serving(agent: Agent, addresses: Iterable[str]) -> AsyncIterator[list[str]]:
    """Serve the agent on every address. Yields where, as URLs. Raises AddressError, ConfigError, UnfitEnvironment."""
    server = WebServer(agent)
    try:
        for address in addresses:
            listener = listen(address, agent.settings.access)
            await server.open(listener, RenewedContext(agent.settings.serving_tls) if listener.secure else None)
        yield [listener.url for listener in server.listeners]
    finally:
        await server.aclose()


def find_endpoint(path: str) -> Endpoint | None:
    """The endpoint of a path, or None."""
    if (found := ENDPOINTS.get(path)) is not None and (path == "/" or not path.endswith("/")):
        return found
    parent, slash, name = path.rpartition("/")
    return ENDPOINTS.get(parent + slash) if parent and name else None
