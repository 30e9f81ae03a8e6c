"""Processes of our own beside a run, which end when their stdin does."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence

import anyio


async def start(argv: Sequence[str]) -> asyncio.subprocess.Process:
    """With pipes to its stdin and from its stdout."""
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us
    )


async def reap(process: asyncio.subprocess.Process | None) -> None:
    """A run that was cut short leaves no process behind."""
    if process is not None and process.returncode is None:
        process.kill()
        with anyio.CancelScope(shield=True):
            await process.wait()
