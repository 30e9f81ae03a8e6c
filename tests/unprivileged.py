"""Programs that the mode of a file keeps out, also when root runs the tests."""

import os

UNPRIVILEGED = (
    ("setpriv", "--bounding-set=-dac_override,-sys_ptrace", "--inh-caps=-dac_override,-sys_ptrace", "--")
    if os.geteuid() == 0
    else ()
)
"""Words before a command.

It stays the same user: another might not be able to read this clone, its packages or its interpreter, under /root say.
Without these capabilities it may write to no file whose mode forbids it, so open no socket, and look into no process
that has more of them (capabilities(7)).
"""
