"""Keys that are not knobs: malformed, dead, in the wrong column, or not known and near one that is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from ovsnet.node.version import shown
from ovsnet.texts import whole_number
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.finding import Kind, LintResult
from ovsnet.tune.keys import KEYS
from ovsnet.tune.keys.forms import mask
from ovsnet.tune.keys.key import CONFIG_FILE, Key
from ovsnet.tune.knob import Place
from ovsnet.tune.rules import reaches

BY_PLACE: Mapping[Place, Key] = {known.place: known for known in KEYS}

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("Open_vSwitch", "Open_vSwitch", "external_ids"),
    ("Open_vSwitch", "Open_vSwitch", "other_config"),
    ("Open_vSwitch", "Bridge", "other_config"),
    ("OVN_Northbound", "NB_Global", "options"),
    ("OVN_Southbound", "SB_Global", "options"),
)
"""Maps with keys that are known; all others are free to hold anything."""

FREE = re.compile(r"ovn-chassis-idx-|ct-zone-|ipsec_|ovsnet|ovn-encap-ip-|ovn-installed")
"""How keys begin that daemons make up (OVN controller/chassis.c, controller/ct-zone.c), or that we do."""

ENOUGH_ALIKE = 0.86
"""Of difflib's ratio, at which one key is taken for a misspelling of another."""

SHORTEST = 6
"""Letters of a key below which everything is alike."""


class HeldKey(msgspec.Struct, frozen=True):
    """A key that is set, in one row."""

    place: Place
    row: FoundRow
    value: str

    @property
    def where(self) -> str:
        """For a person."""
        return str(self.place) if self.row.label == "." else f"{self.place} of {self.row.label}"


def keys_known(facts: Facts) -> int:
    """How many keys are set that are known and are not knobs."""
    return sum(_known(facts, held.place) is not None for held in _held(facts))


def judge_keys(facts: Facts) -> Iterator[LintResult]:
    """What is wrong with all that is set and is not a knob. What is right makes no finding."""
    for held in _held(facts):
        if (known := _known(facts, held.place)) is not None:
            found = _judged(facts, known, held)
        elif _is_known(facts, held.place):
            continue
        else:
            found = _unknown(held)
        if found is not None:
            yield found
    for row in facts.rows("Open_vSwitch", "Open_vSwitch"):
        yield from _shared_cpus(row)
    yield from _relays(facts)


def _held(facts: Facts) -> Iterator[HeldKey]:
    for database, table, column in COLUMNS:
        for row in facts.rows(database, table):
            found = row.columns.get(column)
            for key, value in found.items() if isinstance(found, Mapping) else ():
                yield HeldKey(Place(database, table, column, str(key)), row, str(value))
    for known in KEYS:
        place = known.place
        for row in () if place.key else facts.rows(place.database, place.table):
            if row.columns.get(place.column) is not None:
                yield HeldKey(place, row, str(row.columns[place.column]))


def _known(facts: Facts, place: Place) -> Key | None:
    """The declaration of a key, or of the key that it is for one chassis."""
    if (found := BY_PLACE.get(place)) is not None:
        return found
    plain = _without_chassis(facts, place)
    known = BY_PLACE.get(plain) if plain else None
    return known if known is not None and known.suffixed else None


def _without_chassis(facts: Facts, place: Place) -> Place | None:
    suffix = f"-{facts.system_id}"
    if not facts.system_id or not place.key.endswith(suffix):
        return None
    return Place(place.database, place.table, place.column, place.key.removesuffix(suffix))


def _is_known(facts: Facts, place: Place) -> bool:
    """A knob, which is judged elsewhere; a key for this or another chassis; a key that a daemon made up."""
    if place in KNOB_PLACES or FREE.match(place.key):
        return True
    if _without_chassis(facts, place) in KNOB_PLACES or _is_copy(place):
        return True
    longer = place.column == "external_ids" and any(place.key.startswith(f"{key}-") for key in SUFFIXED)
    return longer and not _near(place)


def _is_copy(place: Place) -> bool:
    """northd copies the northbound's options into the southbound (OVN northd/en-global-config.c)."""
    original = Place("OVN_Northbound", "NB_Global", place.column, place.key)
    return place.table == "SB_Global" and (original in BY_PLACE or original in KNOB_PLACES)


KNOB_PLACES = frozenset(knob.place for knob in KNOBS.values() if knob.place is not None)
SUFFIXED = frozenset(
    [knob.place.key for knob in KNOBS.values() if knob.place is not None and knob.suffix_since]
    + [known.place.key for known in KEYS if known.suffixed]
)
ALL_PLACES: Mapping[str, Place] = {place.key: place for place in (*BY_PLACE, *KNOB_PLACES) if place.key}


def _finding(kind: Kind, held: HeldKey, does: str, instead: str = "", *, harmless: bool = False) -> LintResult:
    says = f"{held.where} is {held.value or 'empty'}."
    return LintResult(kind, held.place.key or held.place.column, held.where, held.value, says, does, instead, harmless)


def _judged(facts: Facts, known: Key, held: HeldKey) -> LintResult | None:
    version = facts.versions.get(known.reader)
    name = known.place.key or known.place.column
    acts = known.acts_on(version)
    if acts is False and version is not None:
        return _dead(known, held, shown(version))
    if wrong := known.form(held.value):
        seconds = Kind.WRONG_UNIT if "looks like seconds" in wrong else Kind.NOT_A_VALUE
        instead = f"{name}={int(held.value) * 1000}" if seconds is Kind.WRONG_UNIT else f"correct {name}"
        return _finding(seconds, held, f"It {wrong}. {known.misread}".rstrip(), instead)
    if acts is None and (known.until or known.since):
        return _unsure(known, held)
    return _overwritten(facts, held)


def _dead(known: Key, held: HeldKey, version: str) -> LintResult:
    if known.until is not None and not known.gone:
        does = f"{known.reader} {version} ignores it: {known.product} {shown(known.until)} dropped it."
        off = held.value.lower() == "false"
        return _finding(
            Kind.DEAD, held, does, "remove it" if off else f"remove it; {known.instead}".rstrip("; "), harmless=off
        )
    if known.gone:
        assert known.until is not None
        does = f"{known.reader} {version} ignores it: {known.gone}"
        return _finding(Kind.DEAD, held, does, "remove it", harmless=True)
    assert known.since is not None
    does = f"{known.reader} {version} does not know it: it is there {known.life()}."
    return _finding(Kind.DEAD, held, does, "remove it", harmless=held.value.lower() == "false")


def _unsure(known: Key, held: HeldKey) -> LintResult:
    does = f"Whether it takes effect depends on the version of {known.reader}, which is unknown ({known.life()})."
    return _finding(Kind.UNSURE, held, does)


def _overwritten(facts: Facts, held: HeldKey) -> LintResult | None:
    """ovn-controller sets vlan-limit to 0 in each turn of its loop since OVN 21.09 (controller/ovn-controller.c)."""
    version = facts.versions.get("ovn-controller")
    if held.place.key != "vlan-limit" or held.value == "0" or not facts.remote or (version and version < (21, 9)):
        return None
    return _finding(Kind.DEAD, held, "ovn-controller writes 0 over it since OVN 21.09.", "remove it")


def _shared_cpus(row: FoundRow) -> Iterator[LintResult]:
    """A thread of DPDK that polls and one that does housekeeping starve each other on one CPU (hotsos,
    defs/scenarios/openvswitch/dpdk_config.yaml)."""
    column = row.columns.get("other_config") or {}
    polling, keeping = str(column.get("pmd-cpu-mask", "")), str(column.get("dpdk-lcore-mask", ""))
    if mask(polling) or mask(keeping) or not int(polling, 16) & int(keeping, 16):
        return
    held = HeldKey(Place("Open_vSwitch", "Open_vSwitch", "other_config", "dpdk-lcore-mask"), row, keeping)
    does = f"It shares CPUs with pmd-cpu-mask, which is {polling}: the threads that poll starve the others."
    yield _finding(Kind.CONTRADICTION, held, does, "choose CPUs that pmd-cpu-mask leaves")


def _relays(facts: Facts) -> Iterator[LintResult]:
    """Both ends of a relay's connection probe, and the active one must outlast the passive one: it is to be twice as
    long (openvswitch/ovs-issues #320; kolla-ansible ovn_sb_db_relay_active_inactivity_probe)."""
    for source in facts.rows(CONFIG_FILE, "source"):
        active = str(source.columns.get("inactivity_probe") or "")
        every = whole_number(active)
        for server in facts.rows("OVN_Southbound", "Connection"):
            passive = whole_number(str(server.columns.get("inactivity_probe") or ""))
            if every is None or passive is None or not reaches(source.label, server.label):
                continue
            if 0 < every < 2 * passive:
                held = HeldKey(Place(CONFIG_FILE, "source", "inactivity_probe"), source, active)
                does = f"The server probes the relay after {passive} ms of silence, so both ask at about one time."
                yield _finding(Kind.CONTRADICTION, held, does, f"inactivity-probe={2 * passive}", harmless=True)


def _unknown(held: HeldKey) -> LintResult | None:
    place = held.place
    other = ALL_PLACES.get(place.key)
    if other is not None:
        readers = f"It is read in {other.table}.{other.column}, and not here."
        return _finding(Kind.MISPLACED, held, readers, f"set {other} and remove it here")
    if (near := _near(place)) is not None:
        chassis = place.key.removeprefix(f"{near.key}-")
        if near.key in SUFFIXED and chassis != place.key:
            does = f"Only a chassis of the name {chassis} reads it."
            instead = f"remove it where there is none; of what was saved there, give --chassis {chassis}"
            return _finding(Kind.UNSURE, held, does, instead, harmless=True)
        where = "" if (near.table, near.column) == (place.table, place.column) else f", which is {near}"
        does = f"Nothing reads a key of this name. Did you mean {near.key}{where}?"
        return _finding(Kind.MISSPELT, held, does, f"set {near} and remove it here")
    if place.column == "external_ids" and not place.key.startswith(("ovn-", "ovn_")):
        return None
    return _finding(Kind.UNSURE, held, "No daemon of Open vSwitch or OVN is known to read it.", harmless=True)


def _near(place: Place) -> Place | None:
    """The known key that this one is a misspelling of."""
    if len(place.key) < SHORTEST:
        return None
    plain = place.key.lower().replace("_", "-")
    by_plain = {key.lower().replace("_", "-"): key for key in ALL_PLACES}
    if plain in by_plain:
        return ALL_PLACES[by_plain[plain]]
    from difflib import get_close_matches  # 0.2 MB, which an agent is to have only for a misspelling

    here = {name: key for name, key in by_plain.items() if ALL_PLACES[key].column == place.column}
    for names in (here, by_plain):
        if found := get_close_matches(plain, names, n=1, cutoff=ENOUGH_ALIKE):
            return ALL_PLACES[names[found[0]]]
    return None
