"""Programs that see other processes, or other mounts, than the tests do."""

import os

_USER = () if os.geteuid() == 0 else ("--user", "--map-root-user")
"""Only root may make another namespace without one of users."""

OTHER_PID_NAMESPACE = ("unshare", *_USER, "--pid", "--fork", "--kill-child", "--mount-proc", "--")
"""Words before a command: it sees no process but its own."""

OWN_MOUNTS = ("unshare", *_USER, "--mount", "--propagation", "private", "--")
"""Words before a command: what it mounts, nobody else sees."""
