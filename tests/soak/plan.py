"""Which faults, in which order, two at a time or alone: all of it follows from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ovsnet.health.causes import causes
from tests.soak.faults import FAULTS, Fault

Round = tuple[Fault, ...]

PAIRED = 0.25
"""Share of the rounds that break two parts of the node at once."""

RANK = {code: rank for rank, code in reversed(list(enumerate(cause.code for cause in causes())))}
"""Place of each code in the causal order: of two, the lower is the root."""


def plan(faults: int, seed: int) -> list[Round]:
    """Rounds that make ``faults`` together. Each kind comes before any comes again."""
    rng = random.Random(seed)
    deck: list[Fault] = []
    rounds: list[Round] = []
    missing = faults
    while missing > 0:
        deck = deck or rng.sample(FAULTS, len(FAULTS))
        chosen: Round = (deck.pop(),)
        partners = [other for other in FAULTS if not other.breaks & chosen[0].breaks]
        if rng.random() < PAIRED and missing > 1 and partners:
            chosen += (rng.choice(partners),)
        rounds.append(chosen)
        missing -= len(chosen)
    return rounds


def expected(faults: Sequence[Fault]) -> tuple[str, frozenset[str]]:
    """The root cause of all of them together, and what must stand beside it."""
    all_codes = {fault.code for fault in faults}
    told = [fault for fault in faults if not fault.hidden_by & all_codes]
    codes = sorted({fault.code for fault in told} - {"healthy"}, key=RANK.__getitem__)
    also = frozenset().union(*(fault.also for fault in told))
    return (codes[0], also.union(codes[1:])) if codes else ("healthy", also)
