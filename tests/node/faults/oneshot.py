"""``ovsnet check``, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from ovsnet.sandbox.node import Sandbox


async def checked(node: Sandbox, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Its exit code and the document it prints."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "ovsnet",
            "check",
            "--json",
            "--rundir",
            str(node.rundir),
            *arguments,
        ),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | node.environment(),
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(said)
