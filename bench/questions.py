"""All questions. Each is a module whose ``measure(node)`` gives rows: some have a target, and some have a peer."""

from __future__ import annotations

from types import ModuleType

from bench import (
    agent_at_rest,
    crowd,
    echo,
    flow_dump,
    openflow_codec,
    openflow_echo,
    ovsdb_echo,
    ovsdb_large,
    ovsdb_rows,
    ports,
    race,
    reaction,
    readyz,
    round_of_checks,
)

QUICK: tuple[ModuleType, ...] = (
    openflow_echo,
    echo,
    race,
    openflow_codec,
    flow_dump,
    ovsdb_echo,
    ovsdb_rows,
    round_of_checks,
    readyz,
    agent_at_rest,
    ports,
)
FULL = (*QUICK, ovsdb_large, crowd, reaction)
