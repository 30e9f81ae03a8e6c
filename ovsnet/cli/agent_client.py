"""Ask a running agent for a document that it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from ovsnet.cli.agent_document import AgentHistory, history_of, status_of
from ovsnet.errors import ConnectError, DeadlineExceeded, ProtocolError, UnfitEnvironment, UsageError
from ovsnet.io.connect import connect
from ovsnet.io.http_address import HttpAddress
from ovsnet.io.pending import PendingRequests
from ovsnet.io.transport import Channel
from ovsnet.protocol.http_get import Get, Response
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.texts import harmless


async def fetch_status(listen: str, *, timeout: float) -> dict[str, Any]:
    """The document at ``/status`` of the agent that serves ``listen``, as in ``serve --listen``, or as a URL.
    ``status_of`` reads it.

    Raises UsageError for an address that is not one of HTTP, UnfitEnvironment when no agent is there, or one that asks
    for credentials, and the PeerError that fits when one misbehaves.
    """
    found = await fetch_document(listen, "/status", timeout=timeout)
    if found is None:
        raise ProtocolError(f"{listen} answered 404 to /status: it is not an ovsnet agent.")
    try:
        status_of(found)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"The document at /status of {listen} is not an agent's: {error}.") from error
    return found


async def fetch_history(listen: str, *, timeout: float) -> AgentHistory | None:
    """What that agent remembers; None where it is of a version that remembers nothing, or in another form."""
    found = await fetch_document(listen, "/history", timeout=timeout)
    try:
        return None if found is None else history_of(found)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"The document at /history of {listen} is not an agent's: {error}.") from error


async def fetch_document(listen: str, path: str, *, timeout: float) -> dict[str, Any] | None:
    """The document at ``path``, in the same way; None where this agent serves no such path."""
    address = HttpAddress.parse(listen)
    if address.scheme == "ssl":
        raise UsageError(
            f"{listen} is an address of HTTPS, and this asks over plain HTTP.",
            remedy="Name the agent's unix socket, or an address at which it serves HTTP.",
        )
    pending: PendingRequests[Response] = PendingRequests(str(address))
    answer = pending.open(0, timeout)

    def on_events(events: Sequence[Response]) -> None:
        pending.answer(0, events[0])

    channel: Channel[Response] = Channel(address, Get(path), on_events, pending.fail_all)
    try:
        await connect(channel, timeout=timeout)
        response = await answer
    except DeadlineExceeded as error:
        raise DeadlineExceeded(
            str(error), remedy="Read the agent's log; `ovsnet check` asks the daemons without it."
        ) from error
    except ConnectError as error:
        raise UnfitEnvironment(
            f"No agent answers. {error}",
            remedy="Start one with `ovsnet serve`, or name the address at which it listens.",
        ) from error
    finally:
        channel.abort()
    return None if response.status == 404 else _document(response, listen, path)


def _document(response: Response, listen: str, path: str) -> dict[str, Any]:
    if response.status == 401:
        raise UnfitEnvironment(
            f"The agent at {listen} requires credentials.",
            remedy="Name its unix socket, or an address of its setting open_at.",
        )
    if response.status != 200:
        raise ProtocolError(f"{listen} answered {response.status} to {path}: it is not an ovsnet agent.")
    try:
        return cast("dict[str, Any]", harmless(msgspec.json.decode(response.body, type=dict[str, Any])))
    except BAD_JSON as error:
        raise ProtocolError(f"{listen} returned no valid document at {path}: {error}.") from error
