"""Is this host fit for Open vSwitch and OVN? One file per subject, one decorated function per examination.

Pure but for reading files: whatever a daemon says comes in as ``Live``, gathered by ``ovsnet.node.gather``.
"""

# The order in which the README and the examinations list them: from the kernel up.
# isort: off
from ovsnet.doctor import kernel
from ovsnet.doctor import modules
from ovsnet.doctor import module_rules
from ovsnet.doctor import rundir
from ovsnet.doctor import stale
from ovsnet.doctor import threads
from ovsnet.doctor import limits
from ovsnet.doctor import processes
from ovsnet.doctor import cpu
from ovsnet.doctor import memory
from ovsnet.doctor import storage
from ovsnet.doctor import dpdk
from ovsnet.doctor import chassis
from ovsnet.doctor import mtu
from ovsnet.doctor import firewall
from ovsnet.doctor import conntrack
from ovsnet.doctor import denials
from ovsnet.doctor import units
from ovsnet.doctor import identity
from ovsnet.doctor import certificates
from ovsnet.doctor import clock
from ovsnet.doctor import versions

# isort: on
from ovsnet.doctor.examination import EXAMINATIONS, Examination, examine, fatal_findings
from ovsnet.doctor.finding import Finding, Severity
from ovsnet.node.facts import DatabaseFacts, Live
from ovsnet.node.host_files import Host

__all__ = [
    "EXAMINATIONS",
    "DatabaseFacts",
    "Examination",
    "Finding",
    "Host",
    "Live",
    "Severity",
    "certificates",
    "chassis",
    "clock",
    "conntrack",
    "cpu",
    "denials",
    "dpdk",
    "examine",
    "fatal_findings",
    "firewall",
    "identity",
    "kernel",
    "limits",
    "memory",
    "module_rules",
    "modules",
    "mtu",
    "processes",
    "rundir",
    "stale",
    "storage",
    "threads",
    "units",
    "versions",
]
