"""``ovsnet`` as a user without privileges: ``[*UNPRIVILEGED, "serve", ...]`` is an argument vector.

That user may not be able to read this clone, its packages or its interpreter: they may lie under /root. So everything
is imported first, and the user changed then. Whoever runs the tests without being root stays who they are.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import pkgutil
import sys

NOBODY = 65534
UNPRIVILEGED = (sys.executable, "-P", __file__)

_SLOW_TO_IMPORT = ("ovsnet.bench", "ovsnet.cli.bench")
_IMPORTED_LATE = ("ovs.db.data", "ovs.db.schema")
"""By functions of ``ovsnet.ovsdb``, and by no module."""

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, SIGKILL = 1, 4, 9


def import_everything() -> None:
    """All code that the agent and the short commands may ever run."""
    for module in pkgutil.walk_packages(importlib.import_module("ovsnet").__path__, "ovsnet."):
        if not module.name.startswith(_SLOW_TO_IMPORT):
            importlib.import_module(module.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)


def become_nobody() -> None:
    """For good, and with a /proc/self of its own and a death with its parent, as if it had been started so.

    A change of user takes both away (prctl(2)).
    """
    parent = os.getppid()
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 1)
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent ended.")


if __name__ == "__main__":
    import_everything()
    if os.getuid() == 0:
        become_nobody()
    importlib.import_module("ovsnet.cli").main()
