"""What of the host makes Open vSwitch impossible."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import pytest

from ovsnet import doctor
from ovsnet.config import load
from ovsnet.health.cause import State
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.state import HealthState
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir


def node_at(place: Path) -> Node:
    return Node(load(), Rundir(place, place), clock=time.monotonic, rng=random.Random(1))


async def test_this_host_is_fit(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        found = await run(CHECKS["host.fit"], node, {})
    assert found.status is Status.OK


async def test_kernel_with_the_known_defect_is_told_and_degrades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "proc/sys/kernel/osrelease"
    release.parent.mkdir(parents=True)
    release.write_text("3.10.0-862.el7.x86_64\n")
    monkeypatch.setattr(doctor, "Host", partial(doctor.Host, tmp_path))
    async with node_at(tmp_path) as node:
        found = await run(CHECKS["host.fit"], node, {})
    assert found.reason == "unfit"
    assert "3.10.0-862" in found.detail
    health = HealthState(0.0, [], allowance=0.0)
    health.record([found], 1.0)
    assert (health.diagnosis.code, health.diagnosis.state) == ("host-unfit", State.DEGRADED)
