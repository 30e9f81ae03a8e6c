"""What forbids a module that is there to be loaded: rules of modprobe, signatures, lockdown."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.doctor.modules import OPTIONS, State, module_state
from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_bytes, unpacked
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

RULES = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")

SIGNED = b"~Module signature appended~\n"
"""At the end of a signed module (kernel/module/signing.c)."""

BY_ALIAS = ("geneve",)
"""A blacklist keeps those from being loaded that are asked for so (``rtnl-link-geneve``); ovs-ctl loads openvswitch by
its name, and a blacklist lets that pass (modprobe.d(5))."""

_DOES_NOTHING = re.compile(r"\s*(?:\S*/)?(?:true|false)\b")


@examination("module.refused")
def refused(host: Host, live: Live) -> Iterator[Finding]:
    """Nothing forbids the kernel to load the modules that are still to be loaded."""
    waiting = [name for name in ("openvswitch", "geneve") if module_state(host, name)[0] is State.LOADABLE]
    found = [finding for name in waiting for finding in _of_modprobe(host, name)]
    found += _of_the_kernel(host, waiting)
    yield from found or [ok("Nothing prevents openvswitch and geneve from being loaded, as far as can be seen.")]


def _of_modprobe(host: Host, name: str) -> Iterator[Finding]:
    for file, words in _rules(host):
        if words[0] == "install" and len(words) == 3 and _same(words[1], name) and _DOES_NOTHING.match(words[2]):
            yield warning(
                f"modprobe is configured to load nothing for {name}.",
                f"Remove the line from {file}, then: modprobe {name}.",
                f"{file}: {' '.join(words)}",
            )
        elif name in BY_ALIAS and words[0] == "blacklist" and len(words) == 2 and _same(words[1], name):
            yield warning(
                f"{name} is on a blacklist, and the kernel asks for it by an alias when the first tunnel is made.",
                f"Remove the line from {file}, or load it before: modprobe {name}, and in /etc/modules-load.d.",
                f"{file}: {' '.join(words)}",
            )
    line = host.read("/proc/cmdline") or ""
    listed = re.findall(r"\b(?:modprobe\.blacklist|module_blacklist)=(\S+)", line)
    if any(_same(each, name) for words in listed for each in words.split(",")):
        yield warning(
            f"The kernel's command line forbids {name}.",
            "Take it out of the boot loader's configuration, and reboot.",
            f"/proc/cmdline: {line.strip()}",
        )


def _of_the_kernel(host: Host, waiting: list[str]) -> Iterator[Finding]:
    if waiting and (host.read("/proc/sys/kernel/modules_disabled") or "").strip() == "1":
        yield warning(
            f"The kernel loads no module any more until it is booted again, and lacks {' and '.join(waiting)}.",
            "Load them earlier: name them in /etc/modules-load.d/openvswitch.conf, and reboot.",
            "/proc/sys/kernel/modules_disabled: 1",
        )
    why = _wants_signatures(host)
    for name in waiting if why else ():
        path = _file(host, name)
        if path and _is_unsigned(host, path):
            yield warning(
                f"The kernel takes signed modules alone, and {name} is not signed.",
                "Use the distribution's own, or sign it and enrol the key (`mokutil --import`).",
                why,
                path,
            )


def _wants_signatures(host: Host) -> str:
    """What says so, or nothing. Lockdown wants them even where the kernel is not told to (kernel_lockdown(7))."""
    enforced = "/sys/module/module/parameters/sig_enforce"
    if (host.read(enforced) or "").strip() in ("Y", "1"):
        return f"{enforced}: Y"
    lockdown = (host.read("/sys/kernel/security/lockdown") or "").strip()
    return (
        f"/sys/kernel/security/lockdown: {lockdown}"
        if re.search(r"\[(?:integrity|confidentiality)\]", lockdown)
        else ""
    )


def _file(host: Host, name: str) -> str:
    tree = f"/lib/modules/{host.release}"
    file = name.replace("_", "[-_]")
    found = re.search(rf"^((?:\S*/)?{file}\.ko(?:\.\w+)?):", host.read(f"{tree}/modules.dep") or "", re.MULTILINE)
    return f"{tree}/{found[1]}" if found else ""


def _is_unsigned(host: Host, path: str) -> bool:
    """As far as it can be unpacked here."""
    try:
        data = read_bytes(host.locate(path))
        data = unpacked(data) if path.endswith(".gz") else data
    except (OSError, EOFError, zlib.error) as error:
        raise UnfitEnvironment(f"{path} cannot be read: {error}.") from error
    return path.endswith((".ko", ".gz")) and not data.endswith(SIGNED)


def _rules(host: Host) -> Iterator[tuple[str, list[str]]]:
    """The lines of modprobe.d(5); a file in an earlier place hides its namesakes."""
    seen: set[str] = set()
    for place in RULES:
        for name in host.names(place):
            if not name.endswith(".conf") or name in seen:
                continue
            seen.add(name)
            text = (host.read(f"{place}/{name}") or "").replace("\\\n", " ")
            lines = (line.split(None, 2) for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#")
            yield from ((f"{place}/{name}", words) for words in lines)


def _same(one: str, other: str) -> bool:
    assert other in OPTIONS
    return one.replace("-", "_") == other
