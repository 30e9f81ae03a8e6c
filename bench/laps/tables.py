"""What is copied of the databases."""

DATABASE = "Open_vSwitch"
TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface")

LARGE_DATABASE = "OVN_Southbound"
LARGE = "Logical_Flow"
"""The table that has most rows."""
