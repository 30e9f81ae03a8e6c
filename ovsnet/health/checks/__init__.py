"""The questions that are put to a node: one file per component, one decorated function per check."""

# Causal order, not the alphabet's: a check is declared behind those it needs, and is listed so everywhere.
# isort: off
from ovsnet.health.checks import host
from ovsnet.health.checks import restarts
from ovsnet.health.checks import ovsdb
from ovsnet.health.checks import vswitchd
from ovsnet.health.checks import ports
from ovsnet.health.checks import bridges
from ovsnet.health.checks import datapath
from ovsnet.health.checks import openflow
from ovsnet.health.checks import controller
from ovsnet.health.checks import southbound
from ovsnet.health.checks import nb
from ovsnet.health.checks import sb
from ovsnet.health.checks import northd
from ovsnet.health.checks import own

# isort: on
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Result, Status

__all__ = [
    "CHECKS",
    "Check",
    "Result",
    "Status",
    "bridges",
    "controller",
    "datapath",
    "host",
    "nb",
    "northd",
    "openflow",
    "ovsdb",
    "own",
    "ports",
    "restarts",
    "sb",
    "southbound",
    "vswitchd",
]
