"""Student's t distribution. Pure.

By the continued fraction of the incomplete beta function (Abramowitz and Stegun, 26.5.8 and 26.7.1), which is what
``scipy.stats.t`` comes down to; scipy itself would be 100 MB for these few lines.
"""

from __future__ import annotations

import math

ENOUGH = 1e-12
TURNS = 500


def two_sided(t: float, freedom: float) -> float:
    """The chance of a value as far from 0 as ``t``, or farther."""
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def quantile(share: float, freedom: float) -> float:
    """The t that only ``1 - share`` of all lie farther from 0 than."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 1 - share:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 1 - share else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised: from 0 to 1."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # there the fraction of the other end converges soon
        return 1 - _incomplete_beta(b, a, 1 - x)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's method."""
    upper, lower = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = lower
    for turn in range(1, TURNS):
        even = turn * (b - turn) * x / ((a + 2 * turn - 1) * (a + 2 * turn))
        odd = -(a + turn) * (a + b + turn) * x / ((a + 2 * turn) * (a + 2 * turn + 1))
        for term in (even, odd):
            lower, upper = 1 / _away(1 + term * lower), _away(1 + term / upper)
            value *= lower * upper
        if abs(lower * upper - 1) < ENOUGH:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
