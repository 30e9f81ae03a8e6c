"""Every question, one table: ``python -m bench``."""

from bench import agent_at_rest, openflow_echo, ovsdb_echo, readyz, round_of_checks
from bench.runner import everything

everything([openflow_echo.measure, ovsdb_echo.measure, round_of_checks.measure, readyz.measure, agent_at_rest.measure])
