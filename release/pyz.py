"""The single file: a launcher and all wheels, for every supported Python, on one kind of machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from pprint import pformat

from release.archive import by_name, require_plain, zipped

LAUNCHER = Path(__file__).with_name("launcher.py")

SHEBANG = b"#!/usr/bin/env python3\n"


def single_file(wheels: Mapping[str, Sequence[Path]], machine: str, epoch: int) -> bytes:
    """``wheels`` by Python version, including ovsnet's own. They are unpacked in the order of their names."""
    for wheel in {each for some in wheels.values() for each in some}:
        require_plain(wheel)
    listed = {
        python: [(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()) for wheel in by_name(some)]
        for python, some in wheels.items()
    }
    digest = hashlib.sha256(repr(sorted(listed.items())).encode()).hexdigest()
    contents = {"machine": machine, "pythons": list(listed), "wheels": listed, "digest": digest, "home": ""}
    members = {f"wheels/{wheel.name}": wheel.read_bytes() for some in wheels.values() for wheel in some}
    return SHEBANG + zipped([("__main__.py", launcher(contents).encode()), *members.items()], epoch)


def launcher(contents: Mapping[str, object]) -> str:
    """The source of the launcher for these contents."""
    source = LAUNCHER.read_text()
    line = re.compile(r"^CONTENTS = \{\}.*$", re.M)
    assert line.search(source)
    return line.sub(lambda _: f"CONTENTS = {pformat(dict(contents), sort_dicts=True)}", source)
