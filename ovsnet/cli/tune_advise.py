"""``ovsnet tune advise``: intervals from what a running agent has measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ovsnet.cli.terminal import styled
from ovsnet.errors import UsageError
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.advise import Advice, Price, Seen
from ovsnet.tune.knob import duration
from ovsnet.tune.stalls import Histogram


def read_status(text: str) -> dict[str, Any]:
    """A saved ``/status``. Raises UsageError."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except BAD_JSON as error:
        raise UsageError(f"This is not a status document: {error}.", remedy="Save it: curl URL/status.") from error


def measured(document: Mapping[str, Any]) -> tuple[dict[str, dict[str, Histogram]], float]:
    """The stalls in a status document, by daemon and server, and the seconds between two questions. Raises
    UsageError."""
    stalls, every = document.get("stalls"), document.get("interval_seconds")
    if not isinstance(stalls, dict) or not isinstance(every, int | float) or every <= 0:
        raise UsageError("The status document holds no stalls.", remedy="Take it from a running agent of this version.")
    return {daemon: _by_server(each) for daemon, each in stalls.items()}, float(every)


def _by_server(document: object) -> dict[str, Histogram]:
    """The empty address where the daemon is of the agent's own host."""
    if not isinstance(document, dict):
        raise UsageError("The status document holds no stalls.", remedy="Take it from a running agent.")
    peers = document.get("peers")
    if not isinstance(peers, dict) or not peers:
        return {"": Histogram.from_document(document)}
    return {address: Histogram.from_document(each) for address, each in peers.items()}


def advice_lines(advices: list[Advice]) -> Iterator[str]:
    """For each knob: what was seen of each peer, what to set and why, and the price of that and of what is set."""
    for advice in advices:
        yield styled(f"{advice.asker}: {advice.knob}", bold=True)
        yield from (f"  {_seen(each)}" for each in advice.seen)
        yield f"  {advice.why}"
        for name, value in advice.values.items():
            yield styled(f"  -> {name}={'' if value is None else value}", fg="green")
        for word, price in (("now", advice.now), ("then", advice.then), ("or", advice.between)):
            if price is not None:
                yield f"  {word:4} {_price(price)}"


def _seen(seen: Seen) -> str:
    observed, longest = duration(seen.observed), duration(seen.longest)
    return f"{seen.peer}: {seen.answers} answers in {observed}, the longest silence {longest}"


def _price(price: Price) -> str:
    lost = f"{price.certain} to {price.possible}" if price.certain < price.possible else f"{price.possible}"
    cost = f"{lost} disconnects from living peers" if price.possible else "no disconnect from a living peer"
    return (
        f"{duration(price.interval)}: {cost}; a dead peer is noticed {duration(price.noticed)} after its last message"
    )
