"""What ``ovsnet bench`` says beside its figures."""

from __future__ import annotations

import pytest

from ovsnet.bench.workload import find, kinds


def told(err: str) -> str:
    """Without the words on what it costs this host's node."""
    costs = {f"ovsnet: {find(kind).cost}\n" for kind in kinds()}
    return "".join(line for line in err.splitlines(keepends=True) if line not in costs)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else this machine does, the figures count: they are not what is tested. Programs get --any-load."""

    async def nobody() -> float:
        return 0.0

    monkeypatch.setattr("ovsnet.cli.bench_run.busy_cores", nobody)
