"""Know whether a node's Open vSwitch and OVN really work."""

__version__ = "0.2.0"
