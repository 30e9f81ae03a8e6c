"""All faults: importing the modules that declare them fills ``FAULTS``."""

from __future__ import annotations

from tests.faults import central as central
from tests.faults import certificates as certificates
from tests.faults import chassis as chassis
from tests.faults import clusters as clusters
from tests.faults import daemons as daemons
from tests.faults import datapath as datapath
from tests.faults import limits as limits
from tests.faults import observers as observers
from tests.faults import ports as ports
from tests.faults import settings as settings
from tests.faults import sockets as sockets
from tests.faults import southbound as southbound
from tests.faults import storage as storage
from tests.faults import tls as tls
from tests.faults.fault import FAULTS as FAULTS
