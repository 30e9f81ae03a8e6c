"""The questions that are put to a node: one file per component, one decorated function per check."""

# Causal order, not the alphabet's: a check is declared behind those it needs, and is listed so everywhere.
# isort: off
from ovsnet.checks import host
from ovsnet.checks import ovsdb
from ovsnet.checks import vswitchd
from ovsnet.checks import openflow
from ovsnet.checks import controller
from ovsnet.checks import southbound

# isort: on
from ovsnet.checks.declaration import CHECKS, Check
from ovsnet.checks.result import Result, Status

__all__ = ["CHECKS", "Check", "Result", "Status", "controller", "host", "openflow", "ovsdb", "southbound", "vswitchd"]
