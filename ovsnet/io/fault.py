"""A task that ends by a bug: those that wait for what it does must hear of it."""

from __future__ import annotations

import asyncio

from ovsnet.errors import OvsnetError


def fault(what: str, error: Exception) -> OvsnetError:
    """What they are to raise. The event loop's handler logs the traceback."""
    said = f"{what} has ended by a fault of ovsnet: {type(error).__name__}: {error}."
    asyncio.get_running_loop().call_exception_handler({"message": said, "exception": error})
    found = OvsnetError(said, remedy="Report it with the traceback that was logged, and begin again.")
    found.__cause__ = error
    return found
