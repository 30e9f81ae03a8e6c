"""``ovsnet check`` that cannot ask for want of descriptors of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovsnet.health.checks import own
from tests.cli.conftest import Ovsnet


def test_it_could_not_tell(ovsnet: Ovsnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "HANDFUL", 1 << 31)
    code, out, _ = ovsnet("check", "self.descriptors", "--json", "--rundir", tmp_path)
    found = json.loads(out)
    assert (code, found["state"]) == (3, "degraded")
    assert found["diagnosis"]["code"] == "self-out-of-descriptors"
