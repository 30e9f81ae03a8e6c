"""Which faults, in which order, two at a time or alone: all of it follows from a seed."""

from __future__ import annotations

import random

from tests.faults.fault import Fault
from tests.soak.faults import FAULTS

Round = tuple[Fault, ...]

PAIRED = 0.25
"""Share of the rounds that break two parts of the node at once."""


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
