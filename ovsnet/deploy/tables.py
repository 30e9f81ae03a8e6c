"""The tables of README and docs, and the declared part of each section of the runbook.

``python -m ovsnet.deploy.tables README.md docs/*.md`` writes them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from ovsnet import doctor
from ovsnet.config import Settings, declared
from ovsnet.files import read_text
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes, codes
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.diagnosis import HEALTHY
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.keys import KEYS
from ovsnet.tune.keys.key import Key
from ovsnet.tune.knob import Knob
from ovsnet.tune.profiles import PROFILES
from ovsnet.web.endpoints import ENDPOINTS


def settings_table(kind: type[Settings] = Settings) -> str:
    """Every key."""
    return _table(
        ("setting", "flag", "environment", "default", "what it does"),
        (
            (f"`{each.name}`", f"`{each.flag}`", f"`{each.variable}`", _code(each.written_default), each.description)
            for each in declared(kind)
        ),
    )


def checks_table() -> str:
    """Every check."""
    return _table(
        ("check", "what must hold", "builds on", "asks"),
        (
            (
                f"`{check.name}`",
                check.question,
                ", ".join(f"`{need}`" for need in check.needs),
                check.daemon or "ovsnet",
            )
            for check in CHECKS.values()
        ),
    )


def diagnoses_table() -> str:
    """Every diagnosis, in causal order, with a link to its section."""
    first = [("`healthy`", "ready", HEALTHY.summary)]
    first.append(("`starting`", "starting", "A stage has not been reached yet, and it is within its allowance."))
    rows = ((f"[`{each.code}`](#{each.code})", each.state.label, each.summary) for each in (*causes(), UNEXPLAINED))
    return _table(("code", "state", "means"), [*first, *rows])


def section(code: str) -> str:
    """What a section of the runbook says of its code: state, exit code, meaning, and the remedies, of which the first
    whose facts are known is given."""
    parts = []
    for cause in (*causes(), UNEXPLAINED):
        if cause.code == code:
            dead = "; `/ovs/livez` fails when it lasts for `dead_after`" if cause.dead else ""
            exit_code = 0 if cause.state.serves and not cause.blind else cause.exit_code
            remedies = (_FACT.sub(lambda fact: fact[1].upper(), remedy) for remedy in cause.remedies)
            lines = [f"{cause.summary} ({cause.state.label}, exit code {exit_code}{dead})", ""]
            parts.append("\n".join([*lines, *(f"* {remedy}" for remedy in remedies if remedy != "ADVICE")]))
    return "\n\n".join(parts) + "\n"


_FACT = re.compile(r"\{(\w+)\}")


def endpoints_table() -> str:
    """Every path of the agent."""
    return _table(("path", "200", "503"), ((f"`{each.path}`", each.yes, each.no) for each in ENDPOINTS.values()))


def examinations_table() -> str:
    """Everything that ``ovsnet doctor`` examines."""
    return _table(
        ("examination", "what should be", "worst finding"),
        ((f"`{each.code}`", each.fact, str(each.worst)) for each in doctor.EXAMINATIONS.values()),
    )


def knobs_table() -> str:
    """Every knob."""
    head = ("knob", "where", "unit", "default", "acts", "what it does", "at 0", "good to know", "evidence, source")
    return _table(head, map(_knob, KNOBS.values()))


def _knob(knob: Knob) -> tuple[str, ...]:
    where = f"{knob.place.database} `{knob.place}`" if knob.place else "not in a database"
    partners = ", ".join(f"`{name}`" for name in knob.agrees_with)
    known = [knob.note, f"Set it with {partners}." if partners else "", f"It rests on {knob.depends_on}."]
    return (
        f"`{knob.name}` ({knob.reader})",
        where,
        str(knob.unit),
        knob.default,
        knob.life(),
        knob.meaning,
        knob.zero,
        " ".join(part for part in (known if knob.depends_on else known[:2]) if part),
        f"{knob.evidence}; {knob.source}",
    )


def keys_table() -> str:
    """Every key that is known and is not a knob."""
    return _table(("where", "read by", "acts", "of a wrong value", "source"), map(_key, KEYS))


def _key(key: Key) -> tuple[str, ...]:
    known = " ".join(part for part in (key.misread, key.gone, key.note) if part)
    where = f"{key.place.database} `{key.place}`"
    return where, key.reader, key.life(), known, key.source


def profiles_table() -> str:
    """Every value of every profile."""
    return _table(
        ("profile", "knob", "value", "source"),
        (
            (f"`{name}`", f"`{entry.knob}`", entry.value, entry.source)
            for name, entries in PROFILES.items()
            for entry in entries
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    "endpoints": endpoints_table,
    "checks": checks_table,
    "diagnoses": diagnoses_table,
    "examinations": examinations_table,
    "settings": settings_table,
    "knobs": knobs_table,
    "keys": keys_table,
    "profiles": profiles_table,
}


def renewed(text: str) -> str:
    """``text`` with each block between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->`` rewritten."""
    sections = {code: partial(section, code) for code in codes()}
    for name, table in (TABLES | sections).items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        if found:
            text = before + begin + table() + end + rest.partition(end)[2]
    return text


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n" for cells in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(renewed(read_text(path)), encoding="utf-8")
