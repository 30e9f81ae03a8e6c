"""Every setting, declared once.

A field of ``Settings`` is the whole declaration: its TOML key, its environment variable ``OVSNET_<NAME>``, its flag and
the commands that take it, its type and range, its default and its row in the README follow from it.

    interval: Annotated[Seconds, Group.TIMING, Meta(description="Time between two runs of a fast check.")] = 1.0

Later sources win: defaults, TOML file, environment, flags.
"""

from ovsnet.config.declaration import Setting, declared
from ovsnet.config.settings import MOST_CONNECTIONS, Group, Settings
from ovsnet.config.sources import load

__all__ = ["MOST_CONNECTIONS", "Group", "Setting", "Settings", "declared", "load"]
