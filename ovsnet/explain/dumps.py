"""What ``ovs-appctl`` and ``ovs-vsctl`` printed of a node that is not well, as sentences: they have no time. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ovsnet.node.datapath import flows, lost
from ovsnet.texts import for_line

FRESH = 10_000
"""Flows that a datapath may hold in the first second of its life: a limit below that was lowered since
(ofproto/ofproto-dpif-upcall.c, ``udpif_create``)."""
NAMED = 3
COUNTERS = {
    "txn_error": "transactions that a database refused",
    "upcall_flow_limit_hit": "flows that it did not install because its datapath was full",
}
"""Events of ``coverage/show`` that a healthy daemon does not count."""

_COUNTED = re.compile(r"^(?P<name>\w+) +\S+/sec +\S+/sec +\S+/sec +total: (?P<total>\d{1,20})$", re.MULTILINE)
_MEMORY = re.compile(r"(?:[a-z][\w -]*:\d+ ?)+")
_SHOWN = re.compile(
    r'^ +Interface "?(?P<name>[^"\n]+?)"?$(?P<rest>(?:\n +(?!Interface |Port |Bridge )\S.*)*)', re.MULTILINE
)
"""One interface of ``ovs-vsctl show`` (utilities/ovs-vsctl.c, ``cmd_show_tables``)."""
_LISTED = re.compile(r"^(?P<column>\w+) *: (?P<value>.*)$", re.MULTILINE)
_ERROR = re.compile(r'^ +error: "?(?P<error>.+?)"?$', re.MULTILINE)
_DOWN = re.compile(r"\bstate=\"?down\b")


def told(text: str) -> list[str] | None:
    """What is wrong in ``text``; None where it is none of these."""
    return next((list(map(for_line, words)) for reader in READERS if (words := reader(text)) is not None), None)


def _upcalls(text: str) -> list[str] | None:
    if not (found := flows(text)):
        return None
    words = [
        f"{each.datapath} held {each.current} flows, and was allowed {each.limit}: other packets went through "
        "ovs-vswitchd one by one"
        for each in found
        if each.current >= each.limit
    ]
    words += [
        f"ovs-vswitchd had lowered the flow limit of {each.datapath} to {each.limit}: its revalidators took too long"
        for each in found
        if each.limit < FRESH and each.current < each.limit
    ]
    return [f"{each}." for each in words]


def _lost(text: str) -> list[str] | None:
    if not (found := lost(text)):
        return None
    return [
        f"{name} lost {count} packets on their way to ovs-vswitchd since it was made."
        for name, count in found.items()
        if count
    ]


def _coverage(text: str) -> list[str] | None:
    if not text.lstrip().startswith("Event coverage, avg rate over last"):
        return None
    found = {each["name"]: int(each["total"]) for each in _COUNTED.finditer(text)}
    return [
        f"The daemon had counted {found[name]} {what} ({name})." for name, what in COUNTERS.items() if found.get(name)
    ]


def _connection(text: str) -> list[str] | None:
    """``ovn-appctl connection-status``."""
    said = text.strip()
    if said not in ("connected", "not connected"):
        return None
    return ["ovn-controller or ovn-northd was not connected to the southbound."] if said == "not connected" else []


def _memory(text: str) -> list[str] | None:
    """``memory/show`` is known, and says nothing by itself."""
    return [] if len(text) < 1000 and _MEMORY.fullmatch(text.strip()) else None


def _show(text: str) -> list[str] | None:
    if "Bridge " not in text or not (found := list(_SHOWN.finditer(text))):
        return None
    errors = {each["name"]: error["error"] for each in found if (error := _ERROR.search(each["rest"]))}
    down = [each["name"] for each in found if "bfd_status" in each["rest"] and _DOWN.search(each["rest"])]
    return [*_interfaces(errors, down)]


def _list(text: str) -> list[str] | None:
    """``ovs-vsctl list Interface``: a paragraph for each row."""
    if "bfd_status" not in text or "admin_state" not in text:
        return None
    errors: dict[str, str] = {}
    down: list[str] = []
    for paragraph in text.split("\n\n"):
        row = {each["column"]: each["value"].strip().strip('"') for each in _LISTED.finditer(paragraph)}
        if (error := row.get("error", "[]")) not in ("[]", ""):
            errors[row.get("name", "?")] = error
        if _DOWN.search(row.get("bfd_status", "")):
            down.append(row.get("name", "?"))
    return [*_interfaces(errors, down)]


def _interfaces(errors: dict[str, str], down: Sequence[str]) -> Iterator[str]:
    if errors:
        first = next(iter(errors.values()))
        yield f"Interfaces that ovs-vswitchd could not create: {_names(list(errors))}; the first says: {first}."
    if down:
        yield f"Tunnels through which BFD found no path: {_names(down)}."


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return f"{len(names)} ({', '.join(names[:NAMED])}{f' and {more} more' if more > 0 else ''})"


READERS: tuple[Callable[[str], list[str] | None], ...] = (
    _upcalls, _lost, _coverage, _connection, _memory, _show, _list
)  # fmt: skip
