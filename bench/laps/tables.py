"""What is copied of the switch's database."""

DATABASE = "Open_vSwitch"
TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface")
