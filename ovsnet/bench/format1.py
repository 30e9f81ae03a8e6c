"""Runs of version 0.1.0, whose counts, latencies and samples were dictionaries by English phrase. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS: Mapping[str, str] = {
    "EAGAIN": "backlog_full",
    "bystander at rest": "canary_at_rest",
    "bystander": "canary",
    "over": "ramp_seconds",
    "hold": "hold_seconds",
    "closed by the server": "closed_by_server",
}
"""Phrases whose field is not spelled like them, with underscores for spaces."""

TALLIES: Mapping[str, tuple[str, str]] = {"race": ("lost ", "lost_by"), "storm": ("connect ", "connect_errors")}
"""By kind: the phrase that an errno followed, and the field that holds them by errno now."""

COUNTS_OF_CONNECTS = ("connect timeouts",)
"""Begins as if an errno followed, and is a count of its own."""

CLIENTS = "hammer "
"""The phrases of the clients beside a restart began with this."""


def upgraded(run: Mapping[str, Any]) -> dict[str, Any]:
    """The same run in the format of today."""
    kept = {name: value for name, value in run.items() if name not in ("counts", "latencies", "samples", "settings")}
    settings = {field(phrase): value for phrase, value in run.get("settings", {}).items()}
    return {**kept, "settings": settings, "measures": _measures(run)}


def _measures(run: Mapping[str, Any]) -> dict[str, Any]:
    kind, counts = run["kind"], run.get("counts", {})
    found = _counts(kind, {what: times for what, times in counts.items() if not what.startswith(CLIENTS)})
    clients = {what.removeprefix(CLIENTS): times for what, times in counts.items() if what.startswith(CLIENTS)}
    if clients:
        found["clients"] = _counts("race", clients)
    for phrases in (run.get("latencies", {}), run.get("samples", {})):
        found |= {field(phrase): value for phrase, value in phrases.items()}
    return found


def _counts(kind: str, counts: Mapping[str, int]) -> dict[str, Any]:
    begin, tally = TALLIES.get(kind, ("", ""))
    found: dict[str, Any] = {}
    for phrase, times in counts.items():
        if begin and phrase.startswith(begin) and phrase not in COUNTS_OF_CONNECTS:
            found.setdefault(tally, {})[phrase.removeprefix(begin)] = times
        else:
            found[field(phrase)] = times
    return found


def field(phrase: str) -> str:
    """The field of today for a phrase of then."""
    return FIELDS.get(phrase, phrase.replace(" ", "_"))
