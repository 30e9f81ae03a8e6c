"""What an observer that just came calls broken."""

from __future__ import annotations

import random
import time
from collections.abc import Hashable, Mapping
from pathlib import Path

import pytest

from ovsnet.config import Settings
from ovsnet.health.checks.lasting import lasting
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir

TIMEOUT = 0.2


@pytest.mark.parametrize(("gone_after", "told"), [(1.25 * TIMEOUT, []), (3600.0, ["pod1"])])
async def test_newcomer_gives_a_port_a_timeout_and_more_to_follow_its_device(
    tmp_path: Path, gone_after: float, told: list[str]
) -> None:
    node = Node(Settings(timeout=TIMEOUT), Rundir(tmp_path, tmp_path), clock=time.monotonic, rng=random.Random(1))
    began = time.monotonic()

    async def look() -> Mapping[Hashable, str]:
        return {1: "pod1"} if time.monotonic() - began < gone_after else {}

    _, old = await lasting(node, "ports", look)
    assert old == told
